//! The bar over the list and the board: search, filters, and what is shown how.

use dioxus::prelude::*;
use tracker_schema::{Grouping, Layout, Priority};

use crate::command::{self, Command};
use crate::keys;
use crate::part::{Pick, options, picked, positions, some};
use crate::sync::SyncState;
use crate::ui::{Overlay, use_ui};

const GROUPINGS: [(Grouping, &str); 3] = [
    (Grouping::Status, "By status"),
    (Grouping::Priority, "By priority"),
    (Grouping::Assignee, "By assignee"),
];

#[component]
pub(crate) fn Toolbar() -> Element {
    let mut ui = use_ui();
    let filters = ui.filters.read();
    let names = ui.names.read();
    let position = GROUPINGS.iter().position(|(it, _)| *it == filters.grouping).unwrap_or(0);
    let priority = filters.priority.and_then(|it| Priority::ALL.iter().position(|p| *p == it));
    let any_priority = [(String::new(), "Any priority".to_owned())];
    let priorities = any_priority.into_iter().chain(positions(&Priority::ALL)).collect();
    rsx! {
        header { class: "toolbar",
            div { class: "line",
                button {
                    class: "menu",
                    aria_label: "Teams and projects",
                    onclick: move |_| ui.has_menu.toggle(),
                    "☰"
                }
                for search in [ui.searches.cloned()] {
                    input {
                        key: "{search}",
                        id: "search",
                        r#type: "search",
                        placeholder: "Search",
                        aria_label: "Search issues",
                        autocomplete: "off",
                        initial_value: "{filters.search}",
                        onfocus: move |_| ui.prepare_search(),
                        oninput: move |event| ui.show(|screen| screen.search(event.value())),
                        onkeydown: move |event| keys::pressed_in_search(ui, &event),
                        onmounted: move |event| ui.search.set(Some(event.data())),
                    }
                }
                button { id: "palette", title: "Commands", onclick: move |_| ui.overlay.set(Some(Overlay::Palette)),
                    kbd { "Ctrl K" }
                }
                SyncState {}
                button {
                    id: "new",
                    class: "main",
                    onclick: move |_| ui.overlay.set(Some(Overlay::NewIssue)),
                    "New issue"
                }
            }
            div { class: "line filters",
                div { class: "switch", role: "group", aria_label: "Layout",
                    for (layout, name) in [(Layout::List, "List"), (Layout::Board, "Board")] {
                        button {
                            key: "{name}",
                            aria_pressed: filters.layout == layout,
                            onclick: move |_| ui.show(|screen| screen.layout(layout)),
                            "{name}"
                        }
                    }
                }
                if filters.layout == Layout::List {
                    Pick {
                        label: "Groups",
                        value: "{position}",
                        options: positions(&GROUPINGS.map(|(_, name)| name)),
                        onpick: move |at: String| {
                            if let Some((grouping, _)) = picked(&GROUPINGS, &at) {
                                ui.show(|screen| screen.grouping(grouping));
                            }
                        },
                    }
                }
                Pick {
                    label: "Priority",
                    value: priority.map(|at| at.to_string()).unwrap_or_default(),
                    options: priorities,
                    onpick: move |at: String| ui.show(|screen| screen.priority(picked(&Priority::ALL, &at))),
                }
                Pick {
                    label: "Assignee",
                    value: filters.assignee.clone().unwrap_or_default(),
                    options: options("Any assignee", &names.people),
                    onpick: move |id| ui.show(|screen| screen.assignee(some(id))),
                }
                Pick {
                    label: "Label",
                    value: filters.label.clone().unwrap_or_default(),
                    options: options("Any label", &names.labels),
                    onpick: move |id| ui.show(|screen| screen.label(some(id))),
                }
                if filters.is_filtered() {
                    button { class: "quiet", onclick: move |_| command::run(ui, Command::ClearFilters), "Clear" }
                }
            }
        }
    }
}
