//! Issues in a list, divided into groups. Of each group, the rows are drawn that are in sight.

use std::fmt::Write as _;

use dioxus::prelude::*;
use tracker_schema::Group;

use crate::part::{Avatar, LabelChip, PriorityIcon, StatusIcon, use_in_sight};
use crate::ui::use_ui;
use crate::window::{Shared, Shown, use_window};

/// The height of a row and of a group's heading, as in the style sheet.
const ROW: f64 = 38.0;

/// The rows that are drawn beyond what is in sight, on either side.
const SPARE: usize = 6;

#[component]
pub(crate) fn List() -> Element {
    let ui = use_ui();
    let groups = use_memo(move || {
        let names = ui.names.read();
        ui.filters.read().groups(names.people.iter().map(|person| &*person.id))
    });
    rsx! {
        // Other groups are another list.
        for groups in [groups()] {
            Groups { key: "{groups:?}", groups }
        }
    }
}

#[component]
fn Groups(groups: Vec<Group>) -> Element {
    let ui = use_ui();
    let parts: Vec<(Group, Shown)> = groups
        .into_iter()
        .map(|group| {
            let of = group.clone();
            (group, use_window(ui.store, move || of.issues(&ui.filters.read())))
        })
        .collect();
    let mut view = use_signal(|| (0.0, 1_000.0));
    let all: Vec<Shown> = parts.iter().map(|(_, shown)| *shown).collect();
    let windows = all.clone();
    use_effect(move || scroll(&windows, view()));
    let is_empty = use_memo(move || all.iter().all(|shown| shown.total() == 0));
    let measure = move |event: Event<ScrollData>| {
        view.set((event.scroll_top(), f64::from(event.client_height())));
    };
    rsx! {
        div {
            class: "list",
            role: "listbox",
            tabindex: "0",
            aria_label: "Issues",
            aria_activedescendant: ui.selected.read().as_ref().map(|id| format!("issue-{id}")),
            onscroll: measure,
            onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    let top = view.peek().0;
                    view.set((top, size.height));
                }
            },
            onmounted: move |event| ui.set_list(event.data()),
            onkeydown: move |event| crate::keys::pressed_in_list(ui, &event),
            if is_empty() {
                p { class: "nothing", "Nothing passes the filters." }
            }
            for (group, shown) in parts {
                Part { key: "{group:?}", group, shown }
            }
        }
    }
}

/// Has each window show the rows that are in sight, where the list is scrolled to `top`.
fn scroll(windows: &[Shown], (top, height): (f64, f64)) {
    let mut start = 0.0;
    for window in windows {
        let total = window.total();
        let row = |y: f64| ((y - start - ROW) / ROW).max(0.0) as usize;
        let from = row(top).saturating_sub(SPARE).min(total);
        let to = (row(top + height) + 1 + SPARE).min(total);
        let is_in_sight = start < top + height && total > 0;
        window.scroll(if is_in_sight { from..to.max(from) } else { 0..0 });
        if total > 0 {
            start += ROW * (total as f64 + 1.0);
        }
    }
}

/// A group.
#[component]
fn Part(group: Group, shown: Shown) -> Element {
    let ui = use_ui();
    let window = shown.get()?;
    let total = window.total();
    if total == 0 {
        return rsx! {};
    }
    let selected = ui.selected.read();
    let name = name_of(&group, ui);
    let height = ROW * (total as f64 + 1.0);
    // With each letter, most rows that a search has found are others: their elements are used again. Elsewhere the
    // same rows move.
    let key = |at: usize, issue: &Shared| match group {
        Group::Found => at.to_string(),
        _ => issue.id.clone(),
    };
    let keyed: Vec<_> =
        window.rows().iter().enumerate().map(|(at, issue)| (key(at, issue), at, issue)).collect();
    rsx! {
        section { role: "group", aria_label: "{name}", style: "height: {height}px",
            h2 {
                Mark { group: group.clone() }
                "{name}"
                small { "{total}" }
            }
            for (key, at, issue) in keyed {
                Line {
                    key: "{key}",
                    is_selected: selected.as_ref() == Some(&issue.id),
                    issue: issue.clone(),
                    place: window.start() + at,
                    total,
                }
            }
        }
    }
}

/// The icon of a group.
#[component]
pub(crate) fn Mark(group: Group) -> Element {
    let ui = use_ui();
    match group {
        Group::Status(status) => rsx! { StatusIcon { status } },
        Group::Priority(priority) => rsx! { PriorityIcon { priority } },
        Group::Assignee(Some(id)) => {
            rsx! { Avatar { name: ui.names.read().person(&id).to_owned() } }
        }
        Group::Assignee(None) => rsx! { i { class: "avatar nobody" } },
        Group::Found => rsx! {},
    }
}

pub(crate) fn name_of(group: &Group, ui: crate::ui::Ui) -> String {
    match group {
        Group::Status(status) => status.to_string(),
        Group::Priority(priority) => priority.to_string(),
        Group::Assignee(Some(id)) => ui.names.read().person(id).to_owned(),
        Group::Assignee(None) => "Nobody".to_owned(),
        Group::Found => "Found".to_owned(),
    }
}

/// A row.
#[component]
fn Line(issue: Shared, place: usize, total: usize, is_selected: bool) -> Element {
    let ui = use_ui();
    let names = ui.names.read();
    let top = ROW * (place as f64 + 1.0);
    let element = use_in_sight(is_selected);
    let id = issue.id.clone();
    let mut day = String::new();
    _ = write!(day, "{}", issue.created_at);
    day.truncate("2026-01-01".len());
    rsx! {
        div {
            class: "row",
            id: "issue-{issue.id}",
            role: "option",
            aria_selected: is_selected,
            aria_posinset: "{place + 1}",
            aria_setsize: "{total}",
            style: "top: {top}px",
            onmounted: move |event| element.set(event),
            onclick: move |_| ui.open(Some(id.clone())),
            PriorityIcon { priority: issue.priority }
            span { class: "key", "{names.key(&issue)}" }
            StatusIcon { status: issue.status }
            span { class: "title", "{issue.title}" }
            span { class: "chips",
                for label in names.labels_of(&issue) {
                    LabelChip { key: "{label.id}", label }
                }
                if let Some(project) = &issue.project {
                    span { class: "chip project", "{names.project(project)}" }
                }
                if let Some(points) = issue.estimate {
                    span { class: "chip points", title: "Estimate", "{points}" }
                }
            }
            match &issue.assignee {
                Some(id) => rsx! { Avatar { name: names.person(id).to_owned() } },
                None => rsx! { i { class: "avatar nobody", title: "Nobody" } },
            }
            time { "{day}" }
        }
    }
}
