//! Commands that failed when others' events came before them: each is shown until somebody decides.

use dioxus::prelude::*;
use futures_util::StreamExt as _;
use livestore::event::Conflict;
use livestore::live::Reactive as _;
use livestore::now;
use livestore_dioxus::use_store;
use tracker_schema::{App, Take};

use crate::ui::{Ui, use_ui};

#[component]
pub(crate) fn Conflicts() -> Element {
    let conflicts = use_conflicts();
    rsx! {
        div { class: "conflicts",
            for conflict in conflicts() {
                One { key: "{conflict.id}", conflict }
            }
        }
    }
}

#[component]
fn One(conflict: Conflict) -> Element {
    let ui = use_ui();
    let id = conflict.id.clone();
    let take = conflict.decode::<Take>().ok();
    rsx! {
        div { class: "problem", role: "alert",
            span { "{conflict.error}" }
            if let Some(take) = take {
                button { class: "again", onclick: move |_| take_anyway(ui, &id, &take), "Assign to me anyway" }
            }
            button { onclick: move |_| drop_conflict(ui, &conflict.id), "Leave it" }
        }
    }
}

/// Executes it again, for somebody who sees now whose the issue is.
fn take_anyway(ui: Ui, id: &str, take: &Take) {
    let Some(issue) = ui.issue(&take.issue) else { return drop_conflict(ui, id) };
    let take = Take { seen: issue.assignee, at: now(), ..take.clone() };
    let store = ui.store.peek().clone();
    if ui.report(store.execute(take)).is_some() {
        drop_conflict(ui, id);
    }
}

fn drop_conflict(ui: Ui, id: &str) {
    let store = ui.store.peek().clone();
    ui.report(store.drop_conflict(id));
}

/// The conflicts, which are none once the store is closed.
fn use_conflicts() -> Signal<Vec<Conflict>> {
    let store = use_store::<App>();
    use_hook(|| {
        let live = store.peek().conflicts().ok();
        let mut conflicts =
            Signal::new(live.as_ref().map(|live| live.get().to_vec()).unwrap_or_default());
        spawn(async move {
            let Some(live) = live else { return };
            let mut news = live.stream();
            while let Some(new) = news.next().await {
                conflicts.set(new.to_vec());
            }
        });
        conflicts
    })
}
