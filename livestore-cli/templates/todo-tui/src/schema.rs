//! What can happen, and what follows from it. The names and args of events are forever: once the app is
//! out, commit `livestore.lock`, which `livestore schema accept` writes.

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Todo {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
    #[column(default = false)]
    pub completed: bool,
    #[column(index)]
    pub created_at: Timestamp,
}

#[derive(Event, Debug, Clone)]
pub enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String, created_at: Timestamp },
    #[event(name = "v1.TodoToggled")]
    Toggled { id: String, completed: bool },
    #[event(name = "v1.TodoDeleted")]
    Deleted { id: String },
}

impl Materialize for TodoEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { id, text, created_at } => state.insert(&Todo {
                id: id.clone(),
                text: text.clone(),
                completed: false,
                created_at: *created_at,
            }),
            Self::Toggled { id, completed } => {
                state.run(Todo::update().set(Todo::COMPLETED, *completed).filter(Todo::ID.eq(id)))
            }
            Self::Deleted { id } => state.run(Todo::delete().filter(Todo::ID.eq(id))),
        }
    }
}

livestore::schema! { pub App { tables: [Todo], events: [TodoEvent] } }
