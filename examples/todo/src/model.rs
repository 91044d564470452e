//! What the screen shows, and what its keys do: each action commits events and reads state again.

use livestore::prelude::*;
use livestore::schema::Commit;

use crate::schema::{App, Filter, Todo, TodoEvent, UiState};

/// The screen's state. All of it but the selection, the mode and the undo stack is in the store.
pub struct Model {
    store: Store<App>,
    /// The todos that pass the filter.
    pub todos: Vec<Todo>,
    /// How many todos are still to do.
    pub active: u64,
    pub ui: UiState,
    pub selected: usize,
    /// Keys go into the new todo's text.
    pub typing: bool,
    /// The events that take each action back, the latest last.
    undo: Vec<Compensation>,
}

/// Makes its events when they are needed: the time in them is that of the undo.
type Compensation = Box<dyn FnOnce() -> Vec<TodoEvent>>;

impl Model {
    pub fn new(store: Store<App>) -> livestore::Result<Self> {
        let mut model = Self {
            store,
            todos: Vec::new(),
            active: 0,
            ui: UiState::default(),
            selected: 0,
            typing: false,
            undo: Vec::new(),
        };
        model.refresh()?;
        Ok(model)
    }

    /// Edits the new todo's text.
    pub fn edit_text(&mut self, edit: impl FnOnce(&mut String)) -> livestore::Result<()> {
        let mut text = self.ui.new_todo_text.clone();
        edit(&mut text);
        self.commit(UiState::set().new_todo_text(text))
    }

    /// Adds a todo with the text typed, which is then empty.
    pub fn add(&mut self) -> livestore::Result<()> {
        let id = new_id();
        let Some(created) = TodoEvent::created(&id, &self.ui.new_todo_text) else { return Ok(()) };
        self.act((created, UiState::set().new_todo_text("")), move || {
            vec![TodoEvent::Deleted { id, deleted_at: now() }]
        })
    }

    pub fn toggle(&mut self) -> livestore::Result<()> {
        let Some(todo) = self.todos.get(self.selected) else { return Ok(()) };
        let completed = TodoEvent::Completed { id: todo.id.clone() };
        let uncompleted = TodoEvent::Uncompleted { id: todo.id.clone() };
        match todo.completed {
            false => self.act(completed, || vec![uncompleted]),
            true => self.act(uncompleted, || vec![completed]),
        }
    }

    pub fn delete(&mut self) -> livestore::Result<()> {
        let Some(todo) = self.todos.get(self.selected) else { return Ok(()) };
        let restored = TodoEvent::Restored { id: todo.id.clone() };
        let deleted = TodoEvent::Deleted { id: todo.id.clone(), deleted_at: now() };
        self.act(deleted, || vec![restored])
    }

    pub fn clear_completed(&mut self) -> livestore::Result<()> {
        let cleared = self.store.query(Filter::Completed.todos().select(Todo::ID))?;
        if cleared.is_empty() {
            return Ok(());
        }
        self.act(TodoEvent::ClearedCompleted { deleted_at: now() }, || {
            cleared.into_iter().map(|id| TodoEvent::Restored { id }).collect()
        })
    }

    /// Takes the last action back. Both stay in the log: undo is new events that compensate.
    pub fn undo(&mut self) -> livestore::Result<()> {
        let Some(compensation) = self.undo.pop() else { return Ok(()) };
        self.commit(compensation())
    }

    pub fn show(&mut self, filter: Filter) -> livestore::Result<()> {
        self.commit(UiState::set().filter(filter))
    }

    /// Moves the selection, as far as there are todos.
    pub fn select(&mut self, index: usize) {
        self.selected = index.min(self.todos.len().saturating_sub(1));
    }

    /// Commits, and remembers what takes it back.
    fn act(
        &mut self,
        events: impl Commit<App>,
        compensation: impl FnOnce() -> Vec<TodoEvent> + 'static,
    ) -> livestore::Result<()> {
        self.commit(events)?;
        self.undo.push(Box::new(compensation));
        Ok(())
    }

    fn commit(&mut self, events: impl Commit<App>) -> livestore::Result<()> {
        self.store.commit(events)?;
        self.refresh()
    }

    fn refresh(&mut self) -> livestore::Result<()> {
        self.ui = self.store.query(UiState::get())?;
        self.todos = self.store.query(self.ui.filter.todos())?;
        self.active = self.store.query(Filter::Active.todos().count())?;
        self.select(self.selected);
        Ok(())
    }
}
