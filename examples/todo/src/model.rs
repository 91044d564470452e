//! The screen's model: each action commits events, and live queries bring the changes back.

use std::sync::Arc;

use livestore::Result;
use livestore::live::{Computed, List, PendingRows, SharedRow};
use livestore::prelude::*;
use livestore::schema::Commit;
use livestore::store::Receipt;
use livestore::sync::{NetworkStatus, SyncStatus};
use todo_schema::{App, Filter, Todo, TodoEvent, UiState};

/// The screen's state. All of it but the selection and the mode is in the store.
pub struct Model {
    store: Store<App>,
    pub view: Computed<View>,
    pub selected: usize,
    /// Keys go into the new todo's text.
    pub typing: bool,
    /// Where the devtools are, if they are served.
    pub devtools: Option<String>,
    /// Why the last undo or redo did nothing.
    pub notice: Option<String>,
}

/// The part of the store that is shown. It follows every commit, also those from elsewhere.
#[derive(PartialEq)]
pub struct View {
    pub ui: Arc<UiState>,
    /// The todos that pass the filter.
    pub todos: Arc<List<Todo>>,
    /// Those of them that the backend does not have as they are.
    pub pending: PendingRows<Todo>,
    /// How many todos are still to do.
    pub active: u64,
    /// How it stands with the backend; empty without one.
    pub sync: String,
    /// What undo and redo can do.
    pub can_undo: bool,
    pub can_redo: bool,
}

impl Model {
    pub fn new(store: Store<App>) -> Result<Self> {
        let view = View::of(&store)?;
        Ok(Self { view, store, selected: 0, typing: false, devtools: None, notice: None })
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
        let text = self.view.get().ui.new_todo_text.clone();
        let Some(created) = TodoEvent::created(&new_id(), &text) else { return Ok(()) };
        self.commit((created, UiState::set().new_todo_text("")))
    }

    pub fn toggle(&mut self) -> Result<()> {
        let Some(todo) = self.todo() else { return Ok(()) };
        let id = todo.id.clone();
        self.commit(match todo.completed {
            false => TodoEvent::Completed { id },
            true => TodoEvent::Uncompleted { id },
        })
    }

    pub fn delete(&mut self) -> Result<()> {
        let Some(todo) = self.todo() else { return Ok(()) };
        self.commit(TodoEvent::Deleted { id: todo.id.clone(), deleted_at: now() })
    }

    pub fn clear_completed(&mut self) -> Result<()> {
        let completed = self.store.query(Filter::Completed.todos().count())?;
        if completed == 0 {
            return Ok(());
        }
        self.commit(TodoEvent::ClearedCompleted { deleted_at: now() })
    }

    /// Undoes the last change that was made here, in this run or in an earlier one.
    pub fn undo(&mut self) -> Result<()> {
        let undone = self.store.undo();
        self.show_notice(undone)
    }

    pub fn redo(&mut self) -> Result<()> {
        let redone = self.store.redo();
        self.show_notice(redone)
    }

    /// Says why nothing happened, if that is no fault of the store.
    fn show_notice(&mut self, done: Result<Receipt, UndoError>) -> Result<()> {
        self.notice = match done {
            Ok(_) => None,
            Err(UndoError::Commit(error)) => return Err(error.into()),
            Err(error) => Some(error.to_string()),
        };
        Ok(())
    }

    pub fn show(&self, filter: Filter) -> Result<()> {
        self.commit(UiState::set().filter(filter))
    }

    /// The selected todo.
    fn todo(&self) -> Option<SharedRow<Todo>> {
        self.view.get().todos.get(self.selected()).cloned()
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
        let pending = store.pending_rows::<Todo>()?;
        let (can_undo, can_redo) = (store.can_undo()?, store.can_redo()?);
        let todos = store.live_with(move |get| get.of(&shown).filter.todos())?;
        Ok(computed(move |get| Self {
            ui: get.of(&ui),
            todos: get.of(&todos),
            pending: (*get.of(&pending)).clone(),
            active: **get.of(&active),
            sync: describe(&get.of(&status)),
            can_undo: *get.of(&can_undo),
            can_redo: *get.of(&can_redo),
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
