//! What the tests of engines share.

use std::ops::ControlFlow;
use std::sync::mpsc;

use livestore_protocol::{SyncEvent, Timestamp};
use livestore_server::store::{EventStore, Reply, StoreError, StoreId, StoredEvent};

pub(crate) fn id(text: &str) -> StoreId {
    StoreId::new(text).unwrap()
}

pub(crate) fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap()
}

/// One event after `parent`, told from others by its args.
pub(crate) fn event(parent: u64, args: &str) -> StoredEvent {
    let event = SyncEvent {
        seq: parent + 1,
        parent,
        name: "v1.Happened".to_owned(),
        args: args.to_owned(),
        client_id: "client".into(),
        session_id: "session".into(),
        metadata: None,
    };
    StoredEvent::new(event, Timestamp::from_millis(1_795_352_709_210))
}

pub(crate) fn append(
    storage: &dyn EventStore,
    store: &StoreId,
    events: &[StoredEvent],
) -> Result<(), StoreError> {
    ask(|reply| storage.append(store, events.into(), reply))
}

pub(crate) fn read(storage: &dyn EventStore, store: &StoreId) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    let visit = &mut |stored| {
        events.push(stored);
        ControlFlow::Continue(())
    };
    storage.read(store, 0, visit).unwrap();
    events
}
