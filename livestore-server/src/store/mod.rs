//! Storage: where the server stores events.
//!
//! [`EventStore`] is the contract. The server decides which pushes are well-formed; the storage
//! decides their order: it appends a batch only if it follows the store's last event, all of it and
//! durably, before it answers. [`conformance`] checks that an implementation does so.

pub mod conformance;
mod error;
mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "nats", feature = "postgres"))]
mod remote;
mod sqlite;

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use livestore_protocol::{SyncEvent, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::edge;

pub use error::StoreError;
pub use livestore_protocol::{StoreId, StoreIdError};
pub use memory::MemoryStore;
#[cfg(feature = "nats")]
pub use nats::{NatsStore, OpenNatsError};
#[cfg(feature = "postgres")]
pub use postgres::{OpenPostgresError, PostgresStore};
#[cfg(feature = "postgres")]
pub use remote::TlsError;
pub use sqlite::{Durability, OpenStoreError, ReadOnlyStore, SqliteStore};

/// The storage of a server: the events of all its stores.
///
/// The methods that write return at once: they answer through a [`Reply`], from any thread, and for
/// one store in the order in which they took effect. [`read`](Self::read), [`has`](Self::has) and
/// [`list`](Self::list) block until the disk has answered.
pub trait EventStore: Send + Sync + 'static {
    /// Opens a store, and creates it if it is new. A new store's backend id is durable before the
    /// answer: a client that has received an id must never receive another one.
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>);

    /// Opens a store, as [`open`](Self::open) does; if it is new, it gets the backend id that it had
    /// in another storage.
    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>);

    /// Appends events that follow one another: all of them, or none. The answer comes once they are
    /// durable.
    ///
    /// If the first event does not follow the store's last one, nothing is stored and the answer is
    /// [`StoreError::Behind`]. The store must have been opened before.
    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>);

    /// Checks whether events can be appended, as far as the storage knows.
    fn check(&self, reply: Reply<()>);

    /// Visits the events after `after` in order, until there are no more or `visit` breaks. It sees
    /// everything that was answered before the call, and nothing that is not durable.
    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Watches a store for events that others append through the same engine, until the watcher is
    /// dropped. Returns whether there can be others. If so, `watcher` receives every event after its
    /// [head](Watcher::head), or is notified that it will not.
    ///
    /// The store must have been opened before. The method does not block, and may be called from
    /// within a [`Reply`]; it does not call the watcher itself.
    fn watch(&self, store: &StoreId, watcher: Weak<dyn Watcher>) -> bool {
        let _ = (store, watcher);
        false
    }

    /// Returns whether the store has these very events, which follow one another, by their
    /// [identity](livestore_protocol::Identity).
    fn has(&self, store: &StoreId, events: &[StoredEvent]) -> Result<bool, StoreError> {
        let Some(first) = events.first() else { return Ok(true) };
        let mut rest = events.iter();
        let before = first.event().parent;
        self.read(store, before, &mut |stored| match rest.as_slice().first() {
            Some(wanted) if wanted.event().identity() == stored.event().identity() => {
                rest.next();
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        })?;
        Ok(rest.as_slice().is_empty())
    }

    /// Returns all stores, sorted by id.
    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError>;
}

/// Receives the events that others append to a store: see [`EventStore::watch`].
pub trait Watcher: Send + Sync {
    /// Returns the sequence number of the last event that it knows.
    fn head(&self) -> u64;

    /// Receives events that follow one another. Some of them may be known; if the first one does not
    /// follow the last one that is known, those between are in the storage.
    fn appended(&self, events: Arc<[StoredEvent]>);

    /// Notes that no more events will be received, because the engine cannot be asked for them.
    fn lost(&self, error: StoreError);
}

/// Receives the answer of an [`EventStore`]. It must not block, nor call the storage.
pub type Reply<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// A store: its id towards clients, and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The id of this store's order. Random, made once, and kept as long as its events.
    pub backend_id: String,
    /// The sequence number of the last event, or 0.
    pub head: u64,
    /// The size of all events in bytes, by [`StoredEvent::size`].
    pub bytes: u64,
}

/// An event with the time at which the server accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    event: SyncEvent,
    created_at: Timestamp,
}

impl StoredEvent {
    /// Returns the event, accepted at `created_at` by the server's clock. Clients receive that time
    /// as the event's metadata; nothing depends on it. Metadata that the event has is dropped.
    pub fn new(event: SyncEvent, created_at: Timestamp) -> Self {
        Self { event: SyncEvent { metadata: None, ..event }, created_at }
    }

    /// Returns the event, without metadata.
    pub fn event(&self) -> &SyncEvent {
        &self.event
    }

    /// Returns the time at which it was accepted.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns the number of bytes that the event counts towards [`StoreLimits::bytes`].
    pub fn size(&self) -> u64 {
        let SyncEvent { name, args, client_id, session_id, .. } = &self.event;
        (name.len() + args.len() + client_id.len() + session_id.len()) as u64
    }
}

/// Limits of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// The most stores.
    pub stores: u64,
    /// The most bytes of one store, by [`StoredEvent::size`].
    pub bytes: u64,
}

impl StoreLimits {
    /// No limits: as much as the disk holds.
    pub const NONE: Self = Self { stores: u64::MAX, bytes: u64::MAX };
}

/// What the ids of the server's own stores begin with. No client can use them.
pub(crate) const RESERVED: &str = "livestore:";

/// Returns whether a store is the server's own.
pub(crate) fn is_reserved(store: &StoreId) -> bool {
    store.as_str().starts_with(RESERVED)
}

/// Returns a new backend id: 126 random bits, in the form of LiveStore's.
fn new_backend_id() -> Result<String, StoreError> {
    edge::new_id().map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Returns the checksum of an event at a place. It covers everything that an engine stores of it, each
/// part with its length.
fn checksum(place: i64, stored: &StoredEvent) -> i64 {
    let event = stored.event();
    let texts = [&*event.name, &event.args, &event.client_id, &event.session_id];
    let length = 6 * 8 + texts.iter().map(|text| text.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(place.to_le_bytes());
    bytes.extend(stored.created_at().as_millis().to_le_bytes());
    for text in texts {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    xxh3_64(&bytes).cast_signed()
}
