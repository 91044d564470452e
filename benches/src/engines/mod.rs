//! The server's storages that several servers share, beside what the engines do by hand. A PostgreSQL
//! and a NATS of the bench's own are started; the rows of what is not installed are skipped.
//!
//! The rows of pushes are the time of one event. 100 events are one transaction, or one batch, on both
//! sides; every one is on the disk before it is answered.

mod nats;
mod postgres;

#[path = "../../../livestore-server/tests/engines/nats.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, reason = "made for tests")]
mod nats_server;
#[path = "../../../livestore-server/tests/engines/postgres.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, reason = "made for tests")]
mod postgres_server;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;

use livestore_protocol::{SyncEvent, Timestamp};
use livestore_server::store::{EventStore, StoreError, StoreId, StoredEvent};

use crate::Result;

pub(crate) use nats::{latency as nats_latency, one as nats_one};
pub(crate) use postgres::{
    latency as postgres_latency, many as postgres_many, one as postgres_one,
};

/// Returns the engine that a bench needs and this machine lacks.
pub(crate) fn lacking(bench: &str) -> Option<&'static str> {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if bench.starts_with("engines/postgres") {
        let is_here = Path::new("/usr/lib/postgresql").exists() || runs("postgres");
        return (!is_here).then_some("PostgreSQL");
    }
    if bench.starts_with("engines/nats") {
        let is_here = root.join("target/nats/bin/nats-server").exists() || runs("nats-server");
        return (!is_here).then_some("nats-server");
    }
    None
}

/// The events of a push.
const EVENTS: u64 = 100;

/// The pushes of a round.
const PUSHES: u64 = 20;

/// A store that pushes of 100 events are appended to.
struct Pushed {
    id: StoreId,
    head: u64,
}

impl Pushed {
    fn open(storage: &dyn EventStore, name: &str) -> Result<Self> {
        let id = StoreId::new(name)?;
        let (sender, answer) = channel();
        storage.open(&id, Box::new(move |opened| drop(sender.send(opened))));
        let head = answer.recv()??.head;
        Ok(Self { id, head })
    }

    /// Appends the next events; `done` is called when they are on the disk.
    fn push(
        &mut self,
        storage: &dyn EventStore,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let events: Arc<[_]> = (self.head..self.head + EVENTS).map(event).collect();
        self.head += EVENTS;
        storage.append(&self.id, events, Box::new(done));
    }
}

/// An event as an app's are: some 80 bytes of args.
fn event(parent: u64) -> StoredEvent {
    let event = SyncEvent {
        seq: parent + 1,
        parent,
        name: "v1.TodoCreated".to_owned(),
        args: format!(
            r#"{{"id":"todo-{parent:012}","text":"the text of a todo that is about as long as most"}}"#
        ),
        client_id: "client-of-the-bench".into(),
        session_id: "session-of-the-bench".into(),
        metadata: None,
    };
    StoredEvent::new(event, Timestamp::from_millis(1_795_352_709_210))
}
