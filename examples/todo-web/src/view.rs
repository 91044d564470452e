//! What the page shows of the store. It follows every commit, also those from elsewhere.

use std::sync::Arc;

use livestore::Result;
use livestore::live::{Computed, List};
use livestore::prelude::*;
use livestore::sync::{NetworkStatus, SyncStatus};
use todo_schema::{App, Filter, Todo, UiState};

#[derive(PartialEq)]
pub(crate) struct View {
    pub(crate) ui: Arc<UiState>,
    /// The todos that pass the filter.
    pub(crate) todos: Arc<List<Todo>>,
    /// How many todos are still to do, and how many are done.
    pub(crate) active: u64,
    pub(crate) completed: u64,
    pub(crate) sync: Sync,
}

/// How it stands with the backend, for people.
#[derive(PartialEq)]
pub(crate) struct Sync {
    /// `online`, `busy`, `offline` or `paused`: the colour.
    pub(crate) state: &'static str,
    pub(crate) text: String,
    /// Everything there is to say.
    pub(crate) details: String,
}

impl View {
    pub(crate) fn of(store: &Store<App>) -> Result<Computed<Self>> {
        let ui = store.live(UiState::get())?;
        let active = store.live(Filter::Active.todos().count())?;
        let completed = store.live(Filter::Completed.todos().count())?;
        let (shown, status) = (ui.clone(), store.live_sync_status()?);
        let todos = store.live_with(move |get| get.of(&shown).filter.todos())?;
        Ok(computed(move |get| Self {
            ui: get.of(&ui),
            todos: get.of(&todos),
            active: **get.of(&active),
            completed: **get.of(&completed),
            sync: Sync::of(&get.of(&status)),
        }))
    }
}

impl Sync {
    fn of(status: &SyncStatus) -> Self {
        let (state, name) = match &status.network {
            NetworkStatus::None => ("offline", "No backend"),
            NetworkStatus::Paused => ("paused", "Paused"),
            NetworkStatus::Connecting => ("busy", "Connecting"),
            NetworkStatus::Pulling => ("busy", "Catching up"),
            NetworkStatus::Online if status.pending > 0 => ("busy", "Saving"),
            NetworkStatus::Online => ("online", "Synced"),
            NetworkStatus::ReadOnly { .. } => ("offline", "Read only"),
            NetworkStatus::LoginRequired { .. } => ("offline", "Log in again"),
            NetworkStatus::Stopped(_) => ("offline", "Stopped"),
            _ => ("offline", "Offline"),
        };
        let text = match status.pending {
            0 => name.to_owned(),
            count => format!("{name} · {count} to push"),
        };
        Self { state, text, details: status.to_string() }
    }
}
