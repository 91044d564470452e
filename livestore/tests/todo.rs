//! The example of the front page, as an app would have it.

#![allow(missing_docs, reason = "a test, not an API")]

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

#[test]
fn commit_query_close_open() -> livestore::Result<()> {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::<App>::builder("todos").directory(dir.path()).open();
    let store = open()?;
    let created = |id: &str, at| TodoEvent::Created {
        id: id.into(),
        text: format!("todo {id}"),
        created_at: Timestamp::from_millis(at),
    };
    store.commit(created("a", 1))?;
    store.commit([created("b", 2), TodoEvent::Completed { id: "a".into() }])?;
    store.commit(UiState::set().filter(Filter::Active))?;
    assert!(store.commit((created("c", 3), created("c", 3))).is_err());
    let open_todos = Todo::filter(Todo::COMPLETED.eq(false)).order_by(Todo::CREATED_AT.desc());
    assert_eq!(store.query(open_todos.clone().select(Todo::ID))?, ["b"]);
    assert_eq!(store.query(UiState::get())?.filter, Filter::Active);
    let hash = store.state_hash()?;
    assert!(matches!(open(), Err(OpenError::Locked { .. })));
    store.close()?;

    let store = open()?;
    assert_eq!(
        store.query(open_todos.select((Todo::ID, Todo::TEXT)))?,
        [("b".into(), "todo b".into())]
    );
    assert_eq!(store.state_hash()?, hash);
    assert_eq!(store.head()?.to_string(), "e3.1");
    let names: Vec<_> = store.events().into_iter().map(|e| e.unwrap().name).collect();
    assert_eq!(names, ["v1.TodoCreated", "v1.TodoCreated", "v1.TodoCompleted", "UiStateSet"]);
    Ok(())
}
