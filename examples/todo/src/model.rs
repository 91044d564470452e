//! The screen's model: each action commits events, and live queries bring the changes back.

use std::sync::Arc;

use livestore::Result;
use livestore::live::{Computed, List, SharedRow};
use livestore::prelude::*;
use livestore::schema::Commit;
use livestore::sync::{NetworkStatus, SyncStatus};
use todo_schema::{App, Filter, Todo, TodoEvent, UiState};

/// The screen's state. All of it but the selection, the mode and the undo stack is in the store.
pub struct Model {
    store: Store<App>,
    pub view: Computed<View>,
    pub selected: usize,
    /// Keys go into the new todo's text.
    pub typing: bool,
    /// Where the devtools are, if they are served.
    pub devtools: Option<String>,
    /// How to undo each action, and on which todos; the latest last.
    undo: Vec<(Compensation, Vec<String>)>,
}

/// Makes the event for the todo with an id when it is needed: a time in it is that of the undo.
type Compensation = fn(String) -> TodoEvent;

/// The part of the store that is shown. It follows every commit, also those from elsewhere.
#[derive(PartialEq)]
pub struct View {
    pub ui: Arc<UiState>,
    /// The todos that pass the filter.
    pub todos: Arc<List<Todo>>,
    /// How many todos are still to do.
    pub active: u64,
    /// How it stands with the backend; empty without one.
    pub sync: String,
}

impl Model {
    pub fn new(store: Store<App>) -> Result<Self> {
        let view = View::of(&store)?;
        Ok(Self { view, store, selected: 0, typing: false, devtools: None, undo: Vec::new() })
    }

    /// Where the selection is; the list may have become shorter.
    pub fn selected(&self) -> usize {
        self.selected.min(self.view.get().todos.len().saturating_sub(1))
    }

    /// Edits the new todo's text.
    pub fn edit_text(&self, edit: impl FnOnce(&mut String)) -> Result<()> {
        let mut text = self.view.get().ui.new_todo_text.clone();
        edit(&mut text);
        self.commit(UiState::set().new_todo_text(text))
    }

    /// Adds a todo with the text typed, which is then empty.
    pub fn add(&mut self) -> Result<()> {
        let (id, view) = (new_id(), self.view.get());
        let Some(created) = TodoEvent::created(&id, &view.ui.new_todo_text) else { return Ok(()) };
        let deleted = |id| TodoEvent::Deleted { id, deleted_at: now() };
        self.act((created, UiState::set().new_todo_text("")), vec![id], deleted)
    }

    pub fn toggle(&mut self) -> Result<()> {
        let Some(todo) = self.todo() else { return Ok(()) };
        let (id, ids) = (todo.id.clone(), vec![todo.id.clone()]);
        match todo.completed {
            false => self.act(TodoEvent::Completed { id }, ids, |id| TodoEvent::Uncompleted { id }),
            true => self.act(TodoEvent::Uncompleted { id }, ids, |id| TodoEvent::Completed { id }),
        }
    }

    pub fn delete(&mut self) -> Result<()> {
        let Some(todo) = self.todo() else { return Ok(()) };
        let deleted = TodoEvent::Deleted { id: todo.id.clone(), deleted_at: now() };
        self.act(deleted, vec![todo.id.clone()], |id| TodoEvent::Restored { id })
    }

    pub fn clear_completed(&mut self) -> Result<()> {
        let ids = self.store.query(Filter::Completed.todos().select(Todo::ID))?;
        if ids.is_empty() {
            return Ok(());
        }
        let cleared = TodoEvent::ClearedCompleted { deleted_at: now() };
        self.act(cleared, ids, |id| TodoEvent::Restored { id })
    }

    /// Takes the last action back. Both stay in the log: undo is new events that compensate.
    pub fn undo(&mut self) -> Result<()> {
        let Some((compensation, ids)) = self.undo.pop() else { return Ok(()) };
        self.commit(ids.into_iter().map(compensation).collect::<Vec<_>>())
    }

    pub fn show(&self, filter: Filter) -> Result<()> {
        self.commit(UiState::set().filter(filter))
    }

    /// The selected todo.
    fn todo(&self) -> Option<SharedRow<Todo>> {
        self.view.get().todos.get(self.selected()).cloned()
    }

    /// Commits, and records how to undo it.
    fn act(
        &mut self,
        events: impl Commit<App>,
        ids: Vec<String>,
        undo: Compensation,
    ) -> Result<()> {
        self.commit(events)?;
        self.undo.push((undo, ids));
        Ok(())
    }

    fn commit(&self, events: impl Commit<App>) -> Result<()> {
        self.store.commit(events)?;
        Ok(())
    }
}

impl View {
    fn of(store: &Store<App>) -> Result<Computed<Self>> {
        let ui = store.live(UiState::get())?;
        let active = store.live(Filter::Active.todos().count())?;
        let (shown, status) = (ui.clone(), store.live_sync_status()?);
        let todos = store.live_with(move |get| get.of(&shown).filter.todos())?;
        Ok(computed(move |get| Self {
            ui: get.of(&ui),
            todos: get.of(&todos),
            active: **get.of(&active),
            sync: describe(&get.of(&status)),
        }))
    }
}

fn describe(status: &SyncStatus) -> String {
    match (&status.network, status.pending) {
        (NetworkStatus::None, _) => String::new(),
        (network, 0) => format!(" ({network})"),
        (network, pending) => format!(" ({network}, {pending} to push)"),
    }
}
