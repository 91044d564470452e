//! Issues in a list, divided into groups. Of each group, the rows are drawn that are in sight.

use std::fmt::Write as _;
use std::ops::Range;

use dioxus::prelude::*;
use tracker_schema::Group;

use crate::part::{avatar, chips, priority_icon, status_icon, use_in_sight};
use crate::ui::use_ui;
use crate::window::{Shared, Shown, use_window};

/// The height of a row and of a group's heading, as in the style sheet.
const ROW: f64 = 38.0;

/// The rows that are drawn beyond what is in sight, on either side.
const SPARE: usize = 6;

/// Where the list is scrolled to, and how high it is.
type View = Signal<(f64, f64)>;

/// The element that is scrolled stays when the groups change: a new one would take the focus from whoever is typing a
/// search.
#[component]
pub(crate) fn List() -> Element {
    let ui = use_ui();
    let mut view: View = use_signal(|| (0.0, 1_000.0));
    let groups = use_memo(move || {
        let names = ui.names.read();
        ui.filters.read().groups(names.people.iter().map(|person| &*person.id))
    });
    use_effect(move || {
        // What is found for other words is seen from its beginning.
        ui.filters.read();
        if view.peek().0 > 0.0 {
            ui.scroll_to_top();
        }
    });
    rsx! {
        div {
            class: "list",
            role: "listbox",
            tabindex: "0",
            aria_label: "Issues",
            aria_activedescendant: ui.selected.read().as_ref().map(|id| format!("issue-{id}")),
            onscroll: move |event| view.set((event.scroll_top(), f64::from(event.client_height()))),
            onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    let top = view.peek().0;
                    view.set((top, size.height));
                }
            },
            onmounted: move |event| ui.set_list(event.data()),
            onkeydown: move |event| crate::keys::pressed_in_list(ui, &event),
            // Other groups are another list.
            for groups in [groups()] {
                Groups { key: "{groups:?}", groups, view }
            }
        }
    }
}

#[component]
fn Groups(groups: Vec<Group>, view: View) -> Element {
    let ui = use_ui();
    // The rows of one group alone are known before the number of its issues is.
    let first = if groups.len() == 1 { rows_in_sight(0.0, *view.peek(), usize::MAX) } else { 0..0 };
    let window = |group: Group| {
        let of = group.clone();
        (group, use_window(ui.store, first.clone(), move || of.issues(&ui.filters.read())))
    };
    let parts: Vec<(Group, Shown)> = groups.into_iter().map(window).collect();
    let all: Vec<Shown> = parts.iter().map(|(_, shown)| *shown).collect();
    let windows = all.clone();
    use_effect(move || scroll(&windows, view()));
    let is_empty = use_memo(move || all.iter().all(|shown| shown.total() == 0));
    rsx! {
        if is_empty() {
            p { class: "nothing", "Nothing passes the filters." }
        }
        for (group, shown) in parts {
            Part { key: "{group:?}", group, shown }
        }
    }
}

/// Has each window show the rows that are in sight.
fn scroll(windows: &[Shown], view: (f64, f64)) {
    let mut start = 0.0;
    for window in windows {
        let total = window.total();
        window.scroll(rows_in_sight(start, view, total));
        if total > 0 {
            start += ROW * (total as f64 + 1.0);
        }
    }
}

/// The rows to draw of a group that starts this far from the list's beginning.
fn rows_in_sight(start: f64, (top, height): (f64, f64), total: usize) -> Range<usize> {
    if total == 0 || start >= top + height {
        return 0..0;
    }
    let row = |y: f64| ((y - start - ROW) / ROW).max(0.0) as usize;
    let from = row(top).saturating_sub(SPARE).min(total);
    let to = (row(top + height) + 1 + SPARE).min(total);
    from..to.max(from)
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
    let names = ui.names.read();
    match group {
        Group::Status(status) => status_icon(status),
        Group::Priority(priority) => priority_icon(priority),
        Group::Assignee(id) => avatar(id.as_ref().map(|id| names.person(id))),
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
    let project = issue.project.as_ref().map(|id| names.project(id));
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
            {priority_icon(issue.priority)}
            span { class: "key", "{names.key(&issue)}" }
            {status_icon(issue.status)}
            span { class: "title", "{issue.title}" }
            span { class: "chips", {chips(&issue, &names, project)} }
            {avatar(issue.assignee.as_ref().map(|id| names.person(id)))}
            time { "{day}" }
        }
    }
}
