//! Small parts that others are made of.

use std::rc::Rc;

use dioxus::html::{ScrollBehavior, ScrollLogicalPosition, ScrollToOptions};
use dioxus::prelude::*;
use tracker_schema::{Issue, Priority, Status};

use crate::keys::is_letter;
use crate::names::{Named, Names};

// Rows and cards have hundreds of these, and none has a state: they are functions, which cost less than components.

pub(crate) fn status_icon(status: Status) -> Element {
    let name = match status {
        Status::Backlog => "backlog",
        Status::Todo => "todo",
        Status::InProgress => "in-progress",
        Status::InReview => "in-review",
        Status::Done => "done",
        Status::Canceled => "canceled",
    };
    rsx! {
        i { class: "status {name}", role: "img", title: "{status}" }
    }
}

pub(crate) fn priority_icon(priority: Priority) -> Element {
    let name = match priority {
        Priority::Urgent => "urgent",
        Priority::High => "high",
        Priority::Medium => "medium",
        Priority::Low => "low",
        Priority::None => "none",
    };
    rsx! {
        i { class: "priority {name}", role: "img", title: "{priority}" }
    }
}

/// A person's initials, or a place for them.
pub(crate) fn avatar(name: Option<&str>) -> Element {
    let class = if name.is_some() { "avatar" } else { "avatar nobody" };
    let title = name.unwrap_or("Nobody");
    let words = name.unwrap_or_default().split(' ');
    let initials: String = words.filter_map(|word| word.chars().next()).take(2).collect();
    // The same for all who see it, and different for most names.
    let hue = title.bytes().fold(7_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    rsx! {
        i { class, style: "--hue: {hue}", role: "img", title, "{initials}" }
    }
}

/// An issue's labels, its project where that is shown, and its estimate.
pub(crate) fn chips(issue: &Issue, names: &Names, project: Option<&str>) -> Element {
    let points = issue.estimate.map(|points| points.to_string());
    rsx! {
        for label in names.labels_of(issue) {
            {label_chip(label)}
        }
        if let Some(project) = project {
            span { class: "chip", "{project}" }
        }
        if let Some(points) = points {
            span { class: "chip", title: "Estimate", "{points}" }
        }
    }
}

pub(crate) fn label_chip(label: &Named) -> Element {
    rsx! {
        span { class: "chip", style: "--mark: {label.mark}", "{label.name}" }
    }
}

/// A choice of one.
#[component]
pub(crate) fn Pick(
    label: String,
    /// What is chosen: one of the options, or nothing.
    value: String,
    /// The values, and how each is called.
    options: Vec<(String, String)>,
    onpick: EventHandler<String>,
) -> Element {
    rsx! {
        select {
            aria_label: "{label}",
            title: "{label}",
            // Letters choose an option here, and are no commands.
            onkeydown: |event| event.stop_propagation(),
            onchange: move |event| onpick.call(event.value()),
            for (option, name) in options {
                option { key: "{option}", value: "{option}", selected: option == value, "{name}" }
            }
        }
    }
}

/// The options of a [`Pick`] among things with names, the first of which is nothing.
pub(crate) fn options(nothing: &str, all: &[Named]) -> Vec<(String, String)> {
    let first = (String::new(), nothing.to_owned());
    let named = all.iter().map(|named| (named.id.clone(), named.name.clone()));
    std::iter::once(first).chain(named).collect()
}

/// The options of a [`Pick`] among the variants of an enum, by their positions.
pub(crate) fn positions<T: std::fmt::Display>(all: &[T]) -> Vec<(String, String)> {
    all.iter().enumerate().map(|(at, it)| (at.to_string(), it.to_string())).collect()
}

/// The variant at a position that was picked.
pub(crate) fn picked<T: Copy>(all: &[T], position: &str) -> Option<T> {
    all.get(position.parse::<usize>().ok()?).copied()
}

/// What was picked, or nothing.
pub(crate) fn some(id: String) -> Option<String> {
    Some(id).filter(|id| !id.is_empty())
}

/// Has a text field get the keys that would be commands elsewhere, but those that leave it.
pub(crate) fn typing(event: &Event<KeyboardData>) {
    let modifiers = event.modifiers();
    let is_palette = (modifiers.ctrl() || modifiers.meta()) && is_letter(&event.key(), "k");
    if event.key() != Key::Escape && !is_palette {
        event.stop_propagation();
    }
}

/// An element that is scrolled to when it is selected.
#[derive(Clone, Copy)]
pub(crate) struct InSight(Signal<Option<Rc<MountedData>>>);

impl InSight {
    /// It is in the page now.
    pub(crate) fn set(mut self, event: Event<MountedData>) {
        self.0.set(Some(event.data()));
    }
}

/// Scrolls to an element when it is selected, and no further than needed to see it.
pub(crate) fn use_in_sight(is_selected: bool) -> InSight {
    let element = use_signal(|| None::<Rc<MountedData>>);
    use_effect(use_reactive!(|is_selected| {
        if let Some(element) = element.read().clone().filter(|_| is_selected) {
            // One that is gone meanwhile need not be seen.
            spawn(async move { _ = element.scroll_to_with_options(NEAREST).await });
        }
    }));
    InSight(element)
}

const NEAREST: ScrollToOptions = ScrollToOptions {
    behavior: ScrollBehavior::Instant,
    vertical: ScrollLogicalPosition::Nearest,
    horizontal: ScrollLogicalPosition::Nearest,
};
