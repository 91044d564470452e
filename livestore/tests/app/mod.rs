// The app of the front page, which tests and the examples in the documentation share.

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
    pub deleted_at: Option<Timestamp>,
}

#[derive(Event, Debug, Clone)]
pub enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String, created_at: Timestamp },
    #[event(name = "v1.TodoCompleted")]
    Completed { id: String },
    #[event(name = "v1.TodoClearedCompleted")]
    ClearedCompleted { deleted_at: Timestamp },
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

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    #[default]
    All,
    Active,
}

#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UiState {
    pub new_todo_text: String,
    pub filter: Filter,
}

livestore::schema! { pub App { tables: [Todo], documents: [UiState], events: [TodoEvent] } }
