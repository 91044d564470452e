//! The app that most tests open: todos, counters, a client document, and events that misbehave.
//!
//! The sample apps of `livestore-testing` have nothing that misbehaves or that grows large, and these
//! tests commit such events in one batch with the rest: in one enum.

use std::collections::BTreeMap;

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Todo {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
    #[column(default = false)]
    pub completed: bool,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    #[column(primary_key)]
    pub name: String,
    pub value: i64,
}

#[derive(Event, Debug, Clone, PartialEq)]
pub enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String },
    #[event(name = "v1.TodoCompleted")]
    Completed { id: String },
    #[event(name = "v1.TodoDeleted")]
    Deleted { id: String },
    #[event(name = "v1.TodoViewed", client_only)]
    Viewed { id: String },
    /// A small event that makes a large row.
    #[event(name = "v1.TodoPadded")]
    Padded { id: String, bytes: usize },
    #[event(name = "v1.Counted")]
    Counted { name: String, by: i64 },
}

impl Materialize for TodoEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { id, text } => state.insert(&todo(id, text)),
            Self::Completed { id } => {
                state.run(Todo::update().set(Todo::COMPLETED, true).filter(Todo::ID.eq(id)))
            }
            Self::Deleted { id } => state.run(Todo::delete().filter(Todo::ID.eq(id))),
            Self::Viewed { id } => count(state, &format!("views of {id}"), 1),
            Self::Padded { id, bytes } => state.upsert(&todo(id, &"x".repeat(*bytes))),
            Self::Counted { name, by } => count(state, name, *by),
        }
    }
}

/// Events that write, and then fail.
#[derive(Event, Debug, Clone)]
pub enum Misbehaved {
    #[event(name = "v1.Refused")]
    Refused,
    #[event(name = "v1.Panicked")]
    Panicked,
    /// Ends the transaction that the store has begun, and says nothing of it.
    #[event(name = "v1.RolledBack")]
    RolledBack,
    /// The same, if this todo is there.
    #[event(name = "v1.RolledBackIfThere")]
    RolledBackIfThere { id: String },
    #[event(name = "v1.Unwritable")]
    Unwritable { pairs: BTreeMap<(u8, u8), u8> },
}

impl Materialize for Misbehaved {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        if let Self::RolledBackIfThere { id } = self {
            return state.sql("INSERT OR ROLLBACK INTO todo VALUES (?, '', 0)", (id,)).map(|_| ());
        }
        state.insert(&todo("half done", "must not be seen"))?;
        match self {
            Self::Refused | Self::RolledBackIfThere { .. } | Self::Unwritable { .. } => {
                Err(MaterializeError::custom("not today"))
            }
            Self::Panicked => panic!("out of ideas"),
            Self::RolledBack => {
                let _ = state.sql("INSERT OR ROLLBACK INTO todo SELECT * FROM todo", ());
                state.insert(&todo("on its own", "must not be seen"))
            }
        }
    }
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    #[column(primary_key)]
    pub id: String,
    pub stars: u8,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.Rated")]
pub struct Rated {
    pub id: String,
    pub stars: u8,
}

impl Materialize for Rated {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert_or_ignore(&Rating { id: self.id.clone(), stars: 0 })?;
        state.run(Rating::update().add(Rating::STARS, self.stars).filter(Rating::ID.eq(&self.id)))
    }
}

#[client_document]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UiState {
    pub filter: String,
    pub zoom: u8,
}

livestore::schema! {
    pub App {
        tables: [Todo, Counter, Rating],
        documents: [UiState],
        events: [TodoEvent, Rated, Misbehaved],
    }
}

pub fn created(id: impl ToString) -> TodoEvent {
    let id = id.to_string();
    TodoEvent::Created { text: format!("todo {id}"), id }
}

pub fn completed(id: impl ToString) -> TodoEvent {
    TodoEvent::Completed { id: id.to_string() }
}

pub fn counted(name: &str, by: i64) -> TodoEvent {
    TodoEvent::Counted { name: name.into(), by }
}

fn todo(id: &str, text: &str) -> Todo {
    Todo { id: id.into(), text: text.into(), completed: false }
}

fn count(state: &mut Writer<'_>, name: &str, by: i64) -> Result<(), MaterializeError> {
    state.insert_or_ignore(&Counter { name: name.into(), value: 0 })?;
    state.run(Counter::update().add(Counter::VALUE, by).filter(Counter::NAME.eq(name)))
}
