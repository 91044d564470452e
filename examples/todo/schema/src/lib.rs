//! The heart of the app: what is stored, what can happen, and how the one follows from the other.
//! The terminal's app and the browser's share it, and so may share a store.

#![expect(missing_docs, reason = "the names of an app's own data say what it is")]

use std::fmt;

use livestore::prelude::*;
use livestore::table::Select;

/// A todo. A deleted one stays, so that its deletion can be undone.
#[table]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Todo {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
    #[column(default = false)]
    pub completed: bool,
    #[column(index)]
    pub created_at: Timestamp,
    #[serde(skip)]
    pub deleted_at: Option<Timestamp>,
}

/// One line, whatever the text is.
impl fmt::Display for Todo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.completed { 'x' } else { ' ' };
        write!(f, "[{mark}] {}", self.text.replace(char::is_control, " "))
    }
}

/// The things that can happen to todos.
#[derive(Event, Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, text: String, created_at: Timestamp },
    #[event(name = "v1.TodoCompleted")]
    Completed { id: String },
    #[event(name = "v1.TodoUncompleted")]
    Uncompleted { id: String },
    #[event(name = "v1.TodoDeleted")]
    Deleted { id: String, deleted_at: Timestamp },
    #[event(name = "v1.TodoRestored")]
    Restored { id: String },
    #[event(name = "v1.TodoClearedCompleted")]
    ClearedCompleted { deleted_at: Timestamp },
}

impl TodoEvent {
    /// A new todo; `None` if its text is blank.
    pub fn created(id: &str, text: &str) -> Option<Self> {
        let text = text.trim().to_owned();
        (!text.is_empty()).then(|| Self::Created { id: id.to_owned(), text, created_at: now() })
    }
}

impl Materialize for TodoEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let todo = |id: &str| Todo::update().filter(Todo::ID.eq(id));
        match self {
            Self::Created { id, text, created_at } => state.insert(&Todo {
                id: id.clone(),
                text: text.clone(),
                completed: false,
                created_at: *created_at,
                deleted_at: None,
            }),
            Self::Completed { id } => state.run(todo(id).set(Todo::COMPLETED, true)),
            Self::Uncompleted { id } => state.run(todo(id).set(Todo::COMPLETED, false)),
            Self::Deleted { id, deleted_at: at } => state.run(todo(id).set(Todo::DELETED_AT, *at)),
            Self::Restored { id } => state.run(todo(id).set(Todo::DELETED_AT, None)),
            Self::ClearedCompleted { deleted_at } => state.run(
                Todo::update()
                    .set(Todo::DELETED_AT, *deleted_at)
                    .filter(Todo::COMPLETED.eq(true).and(Todo::DELETED_AT.is_null())),
            ),
        }
    }
}

/// What undoes each: new events, as the log keeps both. A todo that was not there before is deleted as of its
/// creation, because undo has no clock.
impl Undo for TodoEvent {
    type Events = Vec<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Vec<Self>, QueryError> {
        let restored = |Todo { id, .. }| Self::Restored { id };
        let (id, was) = match self {
            Self::Created { id, created_at, .. } => {
                return Ok(vec![Self::Deleted { id: id.clone(), deleted_at: *created_at }]);
            }
            Self::ClearedCompleted { .. } => {
                let cleared = before.query(Filter::Completed.todos())?;
                return Ok(cleared.into_iter().map(restored).collect());
            }
            Self::Completed { id }
            | Self::Uncompleted { id }
            | Self::Deleted { id, .. }
            | Self::Restored { id } => (id.clone(), before.query(Todo::get(id))?),
        };
        let Some(was) = was else { return Ok(Vec::new()) };
        let undo = match (self, was.deleted_at) {
            (Self::Completed { .. }, _) if !was.completed => Some(Self::Uncompleted { id }),
            (Self::Uncompleted { .. }, _) if was.completed => Some(Self::Completed { id }),
            (Self::Deleted { .. }, None) => Some(Self::Restored { id }),
            (Self::Restored { .. }, Some(deleted_at)) => Some(Self::Deleted { id, deleted_at }),
            // It changes nothing.
            _ => None,
        };
        Ok(undo.into_iter().collect())
    }
}

/// The UI state, which is restored at the next run.
#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UiState {
    pub new_todo_text: String,
    pub filter: Filter,
}

/// Which todos are listed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, Shape)]
#[serde(rename_all = "camelCase")]
pub enum Filter {
    #[default]
    All,
    Active,
    Completed,
}

impl Filter {
    /// The todos that pass, oldest first.
    pub fn todos(self) -> Select<Todo> {
        let todos = Todo::filter(Todo::DELETED_AT.is_null()).order_by(Todo::CREATED_AT.asc());
        match self {
            Self::All => todos,
            Self::Active => todos.filter(Todo::COMPLETED.eq(false)),
            Self::Completed => todos.filter(Todo::COMPLETED.eq(true)),
        }
    }
}

livestore::schema! {
    /// Todos, and the screen that shows them.
    pub App { tables: [Todo], documents: [UiState], events: [TodoEvent], undo: [TodoEvent] }
}
