//! What has happened already, durably: the journal of a store's side effects.
//!
//! A journal is a store of the server's own, in the same storage as the events. So it is as durable as
//! they are, moves with them, and an append to it is a compare-and-set in the engine: of several servers
//! that handle the events of one store, only one can go on. Each record says where the journal stands, so
//! that only the last one has to be read.

use std::ops::ControlFlow;
use std::sync::Arc;

use livestore_protocol::SyncEvent;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;

use crate::edge;
use crate::store::{EventStore, RESERVED, Reply, StoreError, StoreId, StoreInfo, StoredEvent};

/// The most reads at a time. At the start, every store is looked at.
const MAX_READS: usize = 16;

/// The storage, for a task.
#[derive(Clone)]
pub(super) struct Storage {
    events: Arc<dyn EventStore>,
    reads: Arc<Semaphore>,
}

/// Where a journal stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// The last event of the store that is done with.
    pub(super) cursor: u64,
    /// The event that has failed, and how often.
    #[serde(default)]
    pub(super) failing: Option<(u64, u32)>,
    /// The server that handles the events of the store; none if it is empty.
    #[serde(default)]
    pub(super) owner: String,
}

/// What a record notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Note {
    /// The journal begins here: what was before is not handled.
    Begun,
    /// A server begins to handle events, or says that it still does.
    Claimed,
    /// It has handled all that there were.
    Released,
    /// The event was handled.
    Handled { seq: u64 },
    /// There was nothing to handle up to this event.
    Skipped { seq: u64 },
    /// An attempt failed.
    Failed { seq: u64, error: String },
    /// The event is not tried again.
    Dead { seq: u64, name: String, attempts: u32, error: String },
    /// A dead one was handled after all.
    Revived { seq: u64 },
}

#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    note: Note,
    #[serde(flatten)]
    summary: Summary,
}

/// A journal, as far as it was read.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    id: StoreId,
    /// Its last record, or 0.
    pub(super) head: u64,
    pub(super) summary: Summary,
}

impl Storage {
    pub(super) fn new(events: Arc<dyn EventStore>) -> Self {
        Self { events, reads: Arc::new(Semaphore::new(MAX_READS)) }
    }

    pub(super) async fn open(&self, store: &StoreId) -> Result<StoreInfo, StoreError> {
        ask(|reply| self.events.open(store, reply)).await
    }

    pub(super) async fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        let events = Arc::clone(&self.events);
        spawn_blocking(move || events.list()).await.unwrap_or(Err(StoreError::Closed))
    }

    /// Returns what `find` makes of the events after `after`, up to the one at which it breaks.
    pub(super) async fn read<T: Default + Send + 'static>(
        &self,
        store: &StoreId,
        after: u64,
        mut find: impl FnMut(&mut T, StoredEvent) -> ControlFlow<()> + Send + 'static,
    ) -> Result<T, StoreError> {
        // The semaphore is never closed.
        let _turn = self.reads.acquire().await.map_err(|_| StoreError::Closed)?;
        let (events, store) = (Arc::clone(&self.events), store.clone());
        let read = spawn_blocking(move || {
            let mut found = T::default();
            events.read(&store, after, &mut |stored| find(&mut found, stored))?;
            Ok(found)
        });
        read.await.unwrap_or(Err(StoreError::Closed))
    }
}

async fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    question(Box::new(move |result| drop(reply.send(result))));
    answer.await.unwrap_or(Err(StoreError::Closed))
}

/// The id of the journal of a store: it is named after the store's backend id, which is that of its
/// events.
pub(super) fn journal_id(name: &str, backend_id: &str) -> Result<StoreId, StoreError> {
    store_id(&format!("{RESERVED}side-effects/{name}/{backend_id}"))
}

/// The id of the store that notes that side effects of this name were started once.
pub(super) fn marker_id(name: &str) -> Result<StoreId, StoreError> {
    store_id(&format!("{RESERVED}side-effects/{name}"))
}

fn store_id(text: &str) -> Result<StoreId, StoreError> {
    StoreId::new(text).map_err(|error| StoreError::Failed(error.to_string()))
}

impl Journal {
    /// Reads where a journal stands. One that is not there is not made.
    pub(super) async fn load(storage: &Storage, id: StoreId) -> Result<Self, StoreError> {
        let is_there = storage.read(&id, 0, |is_there: &mut bool, _| {
            *is_there = true;
            ControlFlow::Break(())
        });
        match is_there.await {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Unknown) => {
                return Ok(Self { id, head: 0, summary: Summary::default() });
            }
            Err(error) => return Err(error),
        }
        let head = storage.open(&id).await?.head;
        let last = storage.read(&id, head.saturating_sub(1), |last: &mut Option<_>, stored| {
            *last = Some(stored);
            ControlFlow::Continue(())
        });
        let last = last.await?.ok_or(StoreError::Corrupt { seq: head })?;
        let summary = record(&last)?.summary;
        Ok(Self { id, head: last.event().seq, summary })
    }

    /// Appends a record, after which the journal stands at `summary`. [`StoreError::Behind`] if somebody
    /// else has appended one.
    pub(super) async fn append(
        &mut self,
        storage: &Storage,
        note: Note,
        summary: Summary,
    ) -> Result<(), StoreError> {
        if self.head == 0 {
            storage.open(&self.id).await?;
        }
        let args = serde_json::to_string(&Record { note, summary: summary.clone() });
        let event = SyncEvent {
            seq: self.head + 1,
            parent: self.head,
            name: "livestore.SideEffect".to_owned(),
            args: args.map_err(|error| StoreError::Failed(error.to_string()))?,
            client_id: "server".into(),
            session_id: "server".into(),
            metadata: None,
        };
        let events = Arc::new([StoredEvent::new(event, edge::now())]);
        ask(|reply| storage.events.append(&self.id, events, reply)).await?;
        (self.head, self.summary) = (self.head + 1, summary);
        Ok(())
    }

    /// Reads the journal on, once somebody else has appended to it.
    pub(super) async fn reload(&mut self, storage: &Storage) -> Result<(), StoreError> {
        *self = Self::load(storage, self.id.clone()).await?;
        Ok(())
    }

    /// Returns all notes, in order.
    pub(super) async fn notes(&self, storage: &Storage) -> Result<Vec<Note>, StoreError> {
        let read = storage.read(&self.id, 0, |notes: &mut Vec<_>, stored| {
            notes.push(record(&stored).map(|record| record.note));
            ControlFlow::Continue(())
        });
        match read.await {
            Ok(notes) => notes.into_iter().collect(),
            Err(StoreError::Unknown) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn record(stored: &StoredEvent) -> Result<Record, StoreError> {
    let event = stored.event();
    serde_json::from_str(&event.args).map_err(|_| StoreError::Corrupt { seq: event.seq })
}
