//! Todos: the app of LiveStore's front page, with a client document.

use livestore::prelude::*;

/// A todo. A deleted one stays, with the time of its deletion.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Todo {
    /// The key.
    #[column(primary_key)]
    pub id: String,
    /// The thing to do.
    pub text: String,
    /// Whether it is done.
    #[column(default = false)]
    pub completed: bool,
    /// The time of its creation.
    #[column(index)]
    pub created_at: Timestamp,
    /// The time of its deletion, if it is deleted.
    pub deleted_at: Option<Timestamp>,
}

/// The things that can happen to todos.
#[derive(Event, Debug, Clone, PartialEq)]
pub enum TodoEvent {
    /// A new todo.
    #[event(name = "v1.TodoCreated")]
    Created {
        /// Its key.
        id: String,
        /// The thing to do.
        text: String,
        /// The time.
        created_at: Timestamp,
    },
    /// A todo is done.
    #[event(name = "v1.TodoCompleted")]
    Completed {
        /// Its key.
        id: String,
    },
    /// All todos that are done are deleted.
    #[event(name = "v1.TodoClearedCompleted")]
    ClearedCompleted {
        /// The time.
        deleted_at: Timestamp,
    },
}

impl Materialize for TodoEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { id, text, created_at } => state.insert(&Todo {
                id: id.clone(),
                text: text.clone(),
                completed: false,
                created_at: *created_at,
                deleted_at: None,
            }),
            Self::Completed { id } => {
                state.run(Todo::update().set(Todo::COMPLETED, true).filter(Todo::ID.eq(id)))
            }
            Self::ClearedCompleted { deleted_at } => state.run(
                Todo::update().set(Todo::DELETED_AT, *deleted_at).filter(Todo::COMPLETED.eq(true)),
            ),
        }
    }
}

/// The todos that a screen shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Those that are not done.
    Active,
}

/// The state of a screen.
#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UiState {
    /// The text of a todo that is being typed.
    pub new_todo_text: String,
    /// The todos that are shown.
    pub filter: Filter,
}

livestore::schema! {
    /// Todos, and the screen that shows them.
    pub App { tables: [Todo], documents: [UiState], events: [TodoEvent] }
}
