//! The example of the front page, as an app would have it.
#![allow(missing_docs, reason = "a test, not an API")]

use livestore::prelude::*;
use livestore_testing::StoreDirectory;
use livestore_testing::sample::todos::{App, Filter, Todo, TodoEvent, UiState};

#[test]
fn commit_query_close_open() -> livestore::Result<()> {
    let directory = StoreDirectory::new("todos");
    let open = || directory.open::<App>();
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
    let single = directory.builder::<App>().single_process();
    assert!(matches!(single.open(), Err(OpenError::Locked { .. })));
    assert_eq!(open()?.state_hash()?, hash);
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
