//! The app, from the outside.

use dioxus::prelude::*;
use livestore::table::Table as _;
use livestore_dioxus::use_live;
use tracker_schema::{Issue, Layout};

use crate::board::Board;
use crate::command::{self, Command};
use crate::compose::Compose;
use crate::conflicts::Conflicts;
use crate::detail::Detail;
use crate::keys;
use crate::list::List;
use crate::palette::Palette;
use crate::sidebar::Sidebar;
use crate::toolbar::Toolbar;
use crate::ui::{Overlay, use_ui, use_ui_provider};

/// The number of issues that a sample has, from the context.
#[derive(Debug, Clone, Copy)]
pub struct Sample(pub usize);

/// The tracker. In the context are its store, of [`tracker_schema::App`], and a [`Sample`].
pub fn app() -> Element {
    rsx! {
        ErrorBoundary {
            handle_error: |errors: ErrorContext| rsx! { pre { class: "failed", role: "alert", "{errors:?}" } },
            Tracker {}
        }
    }
}

#[component]
fn Tracker() -> Element {
    let mut ui = use_ui_provider();
    let error = use_memo(move || ui.screen.get().err());
    if let Some(error) = error() {
        return Err(error.into());
    }
    let count = use_live(ui.store, Issue::all().count());
    let layout = use_memo(move || ui.filters.read().layout);
    rsx! {
        div {
            class: "app",
            tabindex: "-1",
            onkeydown: move |event| keys::pressed(ui, &event),
            onmounted: move |event| ui.set_list(event.data()),
            Sidebar {}
            main {
                Toolbar {}
                if **count()? == 0 {
                    Empty {}
                } else if layout() == Layout::List {
                    List {}
                } else {
                    Board {}
                }
            }
            for id in ui.open.read().iter().cloned() {
                Detail { key: "{id}", id }
            }
            match (ui.overlay)() {
                Some(Overlay::Palette) => rsx! { Palette {} },
                Some(Overlay::NewIssue) => rsx! { Compose {} },
                None => rsx! {},
            }
            Conflicts {}
            if let Some(problem) = (ui.problem)() {
                div { class: "problem", role: "alert",
                    span { "{problem}" }
                    button { onclick: move |_| ui.problem.set(None), "Dismiss" }
                }
            }
        }
    }
}

/// What a new workspace shows.
#[component]
fn Empty() -> Element {
    let mut ui = use_ui();
    rsx! {
        div { class: "empty",
            h2 { "No issues yet" }
            p { "Write the first one, or look around in a workspace with {ui.sample.0} of them." }
            div { class: "actions",
                button { class: "main", onclick: move |_| ui.overlay.set(Some(Overlay::NewIssue)), "New issue" }
                button { id: "fill", onclick: move |_| command::run(ui, Command::Fill), "Fill with a sample" }
            }
        }
    }
}
