//! How it stands with the backend.

use std::sync::Arc;

use dioxus::prelude::*;
use futures_util::StreamExt as _;
use livestore::live::Reactive as _;
use livestore::sync::{NetworkStatus, SyncStatus};
use livestore_dioxus::use_store;
use tracker_schema::App;

use crate::ui::Ui;

/// A button that says it, and pauses or resumes.
#[component]
pub(crate) fn SyncState() -> Element {
    let ui = crate::ui::use_ui();
    let status = use_status();
    let Some(status) = status() else { return rsx! {} };
    let (state, name) = in_words(&status.network);
    let text = match status.pending {
        0 => name.to_owned(),
        count => format!("{name} · {count} to push"),
    };
    rsx! {
        button { id: "sync", "data-state": state, title: "{status}", onclick: move |_| pause_or_resume(ui),
            i {}
            span { id: "sync-text", role: "status", "{text}" }
        }
    }
}

/// The colour, and a few words.
fn in_words(network: &NetworkStatus) -> (&'static str, &'static str) {
    match network {
        NetworkStatus::None => ("offline", "No backend"),
        NetworkStatus::Paused => ("paused", "Paused"),
        NetworkStatus::Connecting => ("busy", "Connecting"),
        NetworkStatus::Pulling => ("busy", "Catching up"),
        NetworkStatus::Online => ("online", "Synced"),
        NetworkStatus::ReadOnly { .. } => ("offline", "Read only"),
        NetworkStatus::LoginRequired { .. } => ("offline", "Log in again"),
        NetworkStatus::Stopped(_) => ("offline", "Stopped"),
        _ => ("offline", "Offline"),
    }
}

pub(crate) fn pause_or_resume(ui: Ui) {
    let store = ui.store.peek().clone();
    match ui.report(store.network_status()) {
        Some(NetworkStatus::Paused | NetworkStatus::Stopped(_)) => store.resume_sync(),
        Some(_) => store.pause_sync(),
        None => {}
    }
}

/// The status, which is none once the store is closed.
fn use_status() -> Signal<Option<Arc<SyncStatus>>> {
    let store = use_store::<App>();
    use_hook(|| {
        let live = store.peek().live_sync_status().ok();
        let mut status = Signal::new(live.as_ref().map(|live| live.get()));
        spawn(async move {
            let Some(live) = live else { return };
            let mut news = live.stream();
            while let Some(new) = news.next().await {
                status.set(Some(new));
            }
        });
        status
    })
}
