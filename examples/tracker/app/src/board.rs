//! Issues on a board, a column for each status. Of each column, the cards are drawn that are in sight.

use std::rc::Rc;

use dioxus::prelude::*;
use tracker_schema::{Group, Status};

use crate::drag::{Drag, Lifted};
use crate::part::{avatar, chips, priority_icon, status_icon, use_in_sight};
use crate::ui::use_ui;
use crate::window::{Shared, Shown, use_window};

/// The height of a card with the space below it, as in the style sheet.
pub(crate) const CARD: f64 = 112.0;

/// The cards that are drawn beyond what is in sight, on either side.
const SPARE: usize = 3;

/// A column, for those who draw it and those who drag to it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Column {
    pub(crate) status: Status,
    pub(crate) shown: Shown,
    /// Where it is scrolled to, and how high it is.
    pub(crate) view: Signal<(f64, f64)>,
    pub(crate) element: Signal<Option<Rc<MountedData>>>,
}

#[component]
pub(crate) fn Board() -> Element {
    let ui = use_ui();
    let columns = Status::ALL.map(|status| Column {
        status,
        shown: use_window(ui.store, 0..0, move || Group::Status(status).issues(&ui.filters.read())),
        view: use_signal(|| (0.0, 1_000.0)),
        element: use_signal(|| None),
    });
    let drag = use_hook(|| Drag::new(columns));
    use_context_provider(|| drag);
    rsx! {
        div {
            class: if drag.is_moving() { "board dragging" } else { "board" },
            role: "listbox",
            tabindex: "0",
            aria_label: "Board",
            aria_activedescendant: ui.selected.read().as_ref().map(|id| format!("issue-{id}")),
            onmounted: move |event| ui.set_list(event.data()),
            onkeydown: move |event| crate::keys::pressed_in_list(ui, &event),
            onpointermove: move |event| drag.move_to(&event),
            onpointerup: move |_| drag.drop_for(ui),
            onpointercancel: move |_| drag.cancel(),
            for (at, column) in columns.into_iter().enumerate() {
                ColumnView { key: "{column.status}", column, at }
            }
            Floating {}
        }
    }
}

#[component]
fn ColumnView(column: Column, at: usize) -> Element {
    let Column { status, shown, mut view, mut element } = column;
    let ui = use_ui();
    let drag = use_context::<Drag>();
    use_effect(move || {
        let ((top, height), total) = (view(), shown.total());
        let from = ((top / CARD) as usize).saturating_sub(SPARE).min(total);
        let to = (((top + height) / CARD) as usize + 1 + SPARE).min(total);
        shown.scroll(from..to.max(from));
    });
    // Where there is room for the card that is dragged.
    let gap = use_memo(move || {
        drag.target.read().and_then(|(column, place)| (column == at).then_some(place))
    });
    let lifted = use_memo(move || drag.lifted.read().clone().filter(|it| it.is_moving));
    let window = shown.get()?;
    let total = window.total();
    let lifted = lifted.read();
    let is_lifted = |id: &str| lifted.as_ref().is_some_and(|lifted| lifted.issue.id == id);
    let own = window.rows().iter().position(|issue| is_lifted(&issue.id));
    let own = own.map(|at| window.start() + at);
    // The place of a card, among those that stay.
    let place = move |at: usize| {
        let at = if own.is_some_and(|own| own < at) { at - 1 } else { at };
        if gap().is_some_and(|gap| gap <= at) { at + 1 } else { at }
    };
    let cards = total + usize::from(gap().is_some()) - usize::from(own.is_some());
    let height = CARD * cards as f64;
    let selected = ui.selected.read();
    rsx! {
        section { role: "group", aria_label: "{status}",
            h2 {
                {status_icon(status)}
                "{status}"
                small { "{total}" }
            }
            div {
                class: "cards",
                onscroll: move |event| view.set((event.scroll_top(), f64::from(event.client_height()))),
                onresize: move |event| {
                    if let Ok(size) = event.get_content_box_size() {
                        let top = view.peek().0;
                        view.set((top, size.height));
                    }
                },
                onmounted: move |event| element.set(Some(event.data())),
                div { style: "height: {height}px",
                    for (at, issue) in window.rows().iter().enumerate() {
                        if !is_lifted(&issue.id) {
                            Card {
                                key: "{issue.id}",
                                is_selected: selected.as_ref() == Some(&issue.id),
                                issue: issue.clone(),
                                place: place(window.start() + at),
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Card(issue: Shared, place: usize, is_selected: bool) -> Element {
    let ui = use_ui();
    let drag = use_context::<Drag>();
    let top = CARD * place as f64;
    let in_sight = use_in_sight(is_selected);
    let (id, lift) = (issue.id.clone(), issue.clone());
    rsx! {
        div {
            class: "card",
            id: "issue-{issue.id}",
            role: "option",
            aria_selected: is_selected,
            style: "top: {top}px",
            onmounted: move |event| in_sight.set(event),
            onpointerdown: move |event| drag.lift(&lift, &event),
            onclick: move |_| {
                if !drag.has_moved() {
                    ui.open(Some(id.clone()));
                }
            },
            Face { issue: issue.clone() }
        }
    }
}

/// What is on a card.
#[component]
fn Face(issue: Shared) -> Element {
    let ui = use_ui();
    let names = ui.names.read();
    rsx! {
        p { class: "over",
            span { class: "key", "{names.key(&issue)}" }
            {issue.assignee.as_ref().map(|id| avatar(Some(names.person(id))))}
        }
        p { class: "title", "{issue.title}" }
        p { class: "chips",
            {priority_icon(issue.priority)}
            {chips(&issue, &names, None)}
        }
    }
}

/// The card that is dragged, under the pointer.
#[component]
fn Floating() -> Element {
    let drag = use_context::<Drag>();
    let lifted = drag.lifted.read();
    let Some(Lifted { issue, grip, width, is_moving: true, .. }) = &*lifted else {
        return rsx! {};
    };
    let (x, y) = (drag.pointer)();
    let (left, top) = (x - grip.0, y - grip.1);
    rsx! {
        div { class: "card floating", style: "width: {width}px; transform: translate({left}px, {top}px) rotate(1.5deg)",
            Face { issue: issue.clone() }
        }
    }
}
