//! States without a server around them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use livestore::prelude::*;
use livestore_protocol::SyncEvent;
use livestore_testing::sample::todos::{App, Todo};

use super::{ReadError, StateLimits, States};
use crate::store::StoredEvent;
use crate::store::{EventStore, MemoryStore, Reply, StoreError, StoreId, StoreInfo, StoreLimits};

fn id(store: &str) -> StoreId {
    StoreId::new(store).unwrap()
}

fn created(seq: u64, id: &str) -> SyncEvent {
    SyncEvent {
        seq,
        parent: seq - 1,
        name: "v1.TodoCreated".into(),
        args: format!(r#"{{"id":"{id}","text":"","created_at":"2026-11-27T12:00:00.000Z"}}"#),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    }
}

fn append(events: &dyn EventStore, store: &str, event: SyncEvent) {
    let now = Timestamp::from_millis(0);
    events.open(&id(store), Box::new(|opened| drop(opened.unwrap())));
    let done = Box::new(|appended: Result<(), StoreError>| appended.unwrap());
    events.append(&id(store), Arc::new([StoredEvent::new(event, now)]), done);
}

fn states(events: &Arc<impl EventStore>, limits: StateLimits) -> States<App> {
    States::new(Arc::clone(events) as Arc<dyn EventStore>, limits, Arc::default())
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(StoreLimits::NONE))
}

async fn count(states: &States<App>, store: &str) -> Result<u64, ReadError> {
    states.query(&id(store), Todo::all().count()).await
}

#[tokio::test]
async fn a_read_sees_what_was_stored_before_it() {
    let events = memory();
    let states = states(&events, StateLimits::default());
    for n in 1..=5 {
        append(&*events, "a", created(n, &n.to_string()));
        assert_eq!(count(&states, "a").await, Ok(n));
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_made() {
    let events = memory();
    let states = states(&events, StateLimits::default());
    assert_eq!(count(&states, "typo").await, Err(ReadError::Events(StoreError::Unknown)));
    assert_eq!(events.list().unwrap(), []);
    assert_eq!(states.count(), 0);
}

#[tokio::test]
async fn states_are_dropped_when_they_are_too_many_or_idle() {
    let events = memory();
    let limits = StateLimits { states: 2, ..StateLimits::default() };
    let some = states(&events, limits);
    for n in 0..6 {
        let store = format!("s{n}");
        append(&*events, &store, created(1, "x"));
        assert_eq!(count(&some, &store).await, Ok(1));
        some.sweep();
        assert!(some.count() <= 2);
    }
    let idle = StateLimits { idle: Duration::ZERO, ..StateLimits::default() };
    let none = states(&events, idle);
    assert_eq!(count(&none, "s0").await, Ok(1));
    none.sweep();
    assert_eq!(none.count(), 0);
    assert_eq!(count(&none, "s0").await, Ok(1), "it is made again");
}

#[tokio::test]
async fn a_state_that_is_too_large_is_an_error_and_others_live() {
    let events = memory();
    for n in 1..=300 {
        append(&*events, "large", created(n, &format!("{n}-{}", "x".repeat(1_000))));
    }
    append(&*events, "small", created(1, "x"));
    let limits = StateLimits { bytes_of_one: 128 << 10, ..StateLimits::default() };
    let states = states(&events, limits);
    assert!(matches!(count(&states, "large").await, Err(ReadError::State(_))));
    assert_eq!(count(&states, "small").await, Ok(1));
}

#[tokio::test]
async fn a_panic_of_a_reader_is_an_error_and_the_state_is_made_again() {
    let events = memory();
    append(&*events, "a", created(1, "x"));
    let states = states(&events, StateLimits::default());
    let panicked = states.read(&id("a"), |_| panic!("on purpose")).await;
    assert_eq!(panicked, Err::<(), _>(ReadError::Panicked));
    assert_eq!(count(&states, "a").await, Ok(1));
}

#[tokio::test]
async fn many_at_once_wait_for_their_turn() {
    let events = memory();
    append(&*events, "a", created(1, "x"));
    let states = states(&events, StateLimits { uses: 2, ..StateLimits::default() });
    let reads = (0..50).map(|_| {
        let states = states.clone();
        tokio::spawn(async move { count(&states, "a").await })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap(), Ok(1));
    }
}

#[tokio::test]
async fn who_waits_too_long_for_a_state_is_answered() {
    let events = memory();
    append(&*events, "a", created(1, "x"));
    let limits = StateLimits { patience: Duration::from_millis(20), ..StateLimits::default() };
    let states = states(&events, limits);
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = tokio::sync::oneshot::channel();
    let user = states.clone();
    let used = tokio::spawn(async move {
        let use_long = move |_: &_| {
            entered.send(()).unwrap();
            let _ = wait.recv();
        };
        user.read(&id("a"), use_long).await
    });
    inside.await.unwrap();
    assert_eq!(count(&states, "a").await, Err(ReadError::Busy));
    drop(release);
    used.await.unwrap().unwrap();
    assert_eq!(count(&states, "a").await, Ok(1));
}

/// A storage whose store can be replaced by another one.
struct Replaced(std::sync::Mutex<Arc<MemoryStore>>);

impl Replaced {
    fn now(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.0.lock().unwrap())
    }
}

impl EventStore for Replaced {
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>) {
        self.now().open(store, reply);
    }

    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>) {
        self.now().open_as(store, backend_id, reply);
    }

    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>) {
        self.now().append(store, events, reply);
    }

    fn check(&self, reply: Reply<()>) {
        self.now().check(reply);
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.now().read(store, after, visit)
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.now().list()
    }
}

#[tokio::test]
async fn a_store_that_has_become_another_one_is_noticed() {
    let events = Arc::new(Replaced(std::sync::Mutex::new(memory())));
    for n in 1..=3 {
        append(&*events, "a", created(n, &n.to_string()));
    }
    let states = states(&events, StateLimits::default());
    assert_eq!(count(&states, "a").await, Ok(3));
    // As long, but with another last event.
    let other = memory();
    for (n, todo) in [(1, "x"), (2, "x"), (3, "y")] {
        append(&*other, "a", created(n, todo));
    }
    *events.0.lock().unwrap() = other;
    assert_eq!(count(&states, "a").await, Ok(2));
    // Shorter, as after a restored backup.
    let shorter = memory();
    append(&*shorter, "a", created(1, "z"));
    *events.0.lock().unwrap() = shorter;
    assert_eq!(count(&states, "a").await, Ok(1));
}
