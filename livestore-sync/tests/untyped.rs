//! A store whose types are not known: its log grows, nothing is lost, and the app takes it from there.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests look at files")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use livestore::prelude::*;
use livestore::store::{AppendError, OpenError, Untyped};
use livestore_sync::InProcess;
use livestore_testing::sample::todos::{App, Todo, TodoEvent};

const LONG: Duration = Duration::from_secs(20);

fn created(n: u64) -> TodoEvent {
    TodoEvent::Created { id: format!("t{n}"), text: "x".repeat(50), created_at: now() }
}

fn open(directory: &Path) -> Store<App> {
    Store::<App>::builder("todos").directory(directory).open().unwrap()
}

fn untyped(directory: &Path) -> Store<Untyped> {
    Store::<Untyped>::builder("todos").directory(directory).open().unwrap()
}

fn count(store: &Store<App>) -> u64 {
    store.query(Todo::all().count()).unwrap()
}

fn todos(from: u64, to: u64) -> Vec<(String, String, bool)> {
    let args = |n| format!(r#"{{"id":"t{n}","text":"x","created_at":"2026-01-01T00:00:00.000Z"}}"#);
    (from..=to).map(|n| ("v1.TodoCreated".to_owned(), args(n), false)).collect()
}

#[test]
fn what_is_appended_is_materialized_by_the_app() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).commit((1..=12_000).map(created).collect::<Vec<_>>()).unwrap();
    let snapshot = data.path().join("todos/state.snapshot");
    let before = fs::read(&snapshot).unwrap();
    let store = untyped(data.path());
    assert_eq!(store.head().unwrap(), SeqNum::new(12_000));
    store.append(store.number(todos(12_001, 24_500)).unwrap()).unwrap();
    assert_eq!(store.events().into_iter().count(), 24_500);
    drop(store);
    // The app's own state is still there.
    assert!(fs::read(&snapshot).unwrap() == before);
    let store = open(data.path());
    assert_eq!((count(&store), store.quarantined().unwrap().len()), (24_500, 0));
    store.verify_replay().unwrap();
}

/// An app need not know the events either: they wait for one that does.
#[test]
fn an_unknown_event_waits_for_the_app_that_knows_it() {
    let data = tempfile::tempdir().unwrap();
    let store = untyped(data.path());
    let unknown = ("v9.Unknown".to_owned(), "{}".to_owned(), false);
    store.append(store.number([unknown]).unwrap()).unwrap();
    drop(store);
    let store = open(data.path());
    assert_eq!(store.quarantined().unwrap().len(), 1);
    assert_eq!(store.events().into_iter().count(), 1);
}

#[test]
fn events_that_do_not_follow_are_refused_together() {
    let store = Store::<Untyped>::builder("todos").open().unwrap();
    let mut events = store.number(todos(1, 3)).unwrap();
    events.remove(1);
    let error = store.append(events).unwrap_err();
    assert_eq!(error, AppendError::OutOfOrder { seq: SeqNum::new(3), head: SeqNum::new(1) });
    let twice = store.number(todos(1, 1)).unwrap();
    let error = store.append([twice.clone(), twice].concat()).unwrap_err();
    assert!(matches!(error, AppendError::OutOfOrder { .. }));
    let large = ("v1.Large".to_owned(), format!("\"{}\"", "x".repeat(2_000_000)), false);
    let error = store.append(store.number([large]).unwrap()).unwrap_err();
    assert!(matches!(error, AppendError::TooLarge { .. }));
    let deep = ("v1.Deep".to_owned(), "[".repeat(1_000) + &"]".repeat(1_000), false);
    let error = store.append(store.number([deep]).unwrap()).unwrap_err();
    assert!(matches!(error, AppendError::TooDeep { .. }));
    assert_eq!(store.head().unwrap(), SeqNum::ROOT);
}

#[test]
fn it_is_not_shared_with_an_app() {
    let data = tempfile::tempdir().unwrap();
    let app = open(data.path());
    let builder = || Store::<Untyped>::builder("todos").directory(data.path());
    assert!(matches!(builder().open(), Err(OpenError::Locked { .. })));
    drop(app);
    let store = builder().open().unwrap();
    let again = Store::<App>::builder("todos").directory(data.path()).open();
    assert!(matches!(again, Err(OpenError::Locked { .. })));
    drop(store);
    open(data.path());
}

/// It pushes what is pending, pulls what is new, and is rebased, like a store with types.
#[test]
fn it_syncs() {
    let backend = InProcess::new();
    let (fresh, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let builder = || Store::<App>::builder("todos").sync(backend.clone());
    let other = builder().directory(there.path()).open().unwrap();
    other.commit(created(1_000)).unwrap();
    assert!(other.wait_synced(LONG).unwrap());
    // It is offline, and what it has comes behind the other client's event.
    let store = untyped(fresh.path());
    for first in [1, 51, 101] {
        store.append(store.number(todos(first, first + 49)).unwrap()).unwrap();
    }
    drop(store);
    let store = Store::<Untyped>::builder("todos").directory(fresh.path()).sync(backend.clone());
    let store = store.open().unwrap();
    assert!(store.wait_synced(LONG).unwrap());
    assert_eq!(store.head().unwrap().global, 151);
    // And online.
    store.append(store.number(todos(151, 200)).unwrap()).unwrap();
    assert!(store.wait_synced(LONG).unwrap());
    drop(store);
    livestore_testing::wait_until(|| count(&other) == 201);
    let app = open(fresh.path());
    assert_eq!(count(&app), 201);
    assert_eq!(app.state_hash().unwrap(), other.state_hash().unwrap());
}
