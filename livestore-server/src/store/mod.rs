//! Storage: where events are kept, and what the server needs of that.
//!
//! [`EventStore`] is the wall. The server decides which pushes are well-formed; the storage decides
//! their order: a batch is appended only where it follows the store's last event, wholly and
//! durably, before it is answered. [`conformance`] tells whether an implementation does so.

pub mod conformance;
mod error;
mod id;
mod memory;
mod sqlite;

use std::ops::ControlFlow;
use std::sync::Arc;

use livestore::Timestamp;
use livestore::sync::SyncEvent;

pub use error::StoreError;
pub use id::{StoreId, StoreIdError};
pub use memory::MemoryStore;
pub use sqlite::{Durability, OpenStoreError, SqliteStore};

/// The events of all stores that a server keeps.
///
/// The methods that write do not wait: they answer through a [`Reply`], from any thread, and for
/// one store in the order in which they took effect. [`read`](Self::read) and
/// [`list`](Self::list) wait for the disk.
pub trait EventStore: Send + Sync + 'static {
    /// Looks a store up, and makes it if it is new. A new store's backend id is durable before it is
    /// told: a client that knows an id must never meet another one.
    fn open(&self, store: &StoreId, reply: Reply<Opened>);

    /// Appends events that chain, in one piece. The answer comes once they are durable.
    ///
    /// Where the first does not follow the store's last event, nothing is stored and the answer is
    /// [`StoreError::Behind`]. The store must have been opened before.
    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>);

    /// Whether events can be appended, as far as is known.
    fn check(&self, reply: Reply<()>);

    /// Visits the events after `after` in order, until there are no more or `visit` breaks. It sees
    /// whatever was answered before it was called, and nothing that is not durable.
    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Whether a store has these very events, which chain, at their numbers; waits for the disk.
    ///
    /// An event's identity is its name, args, client and session.
    fn has(&self, store: &StoreId, events: &[SyncEvent]) -> Result<bool, StoreError> {
        let Some(first) = events.first() else { return Ok(true) };
        let mut rest = events.iter();
        self.read(store, first.parent, &mut |stored| match rest.as_slice().first() {
            Some(wanted) if is_same(wanted, stored.event()) => {
                rest.next();
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        })?;
        Ok(rest.as_slice().is_empty())
    }

    /// All stores, by id.
    fn list(&self) -> Result<Vec<(StoreId, Opened)>, StoreError>;
}

/// Takes the answer of an [`EventStore`]. It must not wait, nor ask the storage for more.
pub type Reply<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// A store as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Names this store's order. Random, made once, and kept while its events live.
    pub backend_id: String,
    /// The last event, 0 when there is none.
    pub head: u64,
    /// The size of its events, by [`StoredEvent::size`].
    pub bytes: u64,
}

/// An event with the time of its acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    event: SyncEvent,
    created_at: Timestamp,
}

impl StoredEvent {
    /// The event, accepted at `created_at` by the server's clock. That time is told to clients, as
    /// the event's metadata, and decides nothing.
    pub fn new(event: SyncEvent, created_at: Timestamp) -> Self {
        let metadata =
            format!(r#"{{"_tag":"SyncMessage.SyncMetadata","createdAt":"{created_at}"}}"#);
        Self { event: SyncEvent { metadata: Some(metadata), ..event }, created_at }
    }

    /// The event, with its metadata.
    pub fn event(&self) -> &SyncEvent {
        &self.event
    }

    /// When it was accepted.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// What the event counts towards [`StoreLimits::bytes`].
    pub fn size(&self) -> u64 {
        let SyncEvent { name, args, client_id, session_id, .. } = &self.event;
        (name.len() + args.len() + client_id.len() + session_id.len()) as u64
    }
}

/// How much may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// The most stores.
    pub stores: u64,
    /// The most bytes of one store.
    pub bytes: u64,
}

impl StoreLimits {
    /// As much as the disk holds.
    pub const NONE: Self = Self { stores: u64::MAX, bytes: u64::MAX };
}

/// A new backend id: 126 random bits, in the form of LiveStore's.
fn new_backend_id() -> Result<String, StoreError> {
    const LETTERS: &[u8; 64] = b"useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict";
    let mut random = [0_u8; 21];
    #[cfg(not(simulation))]
    getrandom::fill(&mut random).map_err(|error| StoreError::Failed(error.to_string()))?;
    #[cfg(simulation)]
    livestore::simulation::fill_random(&mut random);
    let letter = |byte: u8| LETTERS.get(usize::from(byte & 63)).map_or('_', |&it| char::from(it));
    Ok(random.into_iter().map(letter).collect())
}

fn is_same(a: &SyncEvent, b: &SyncEvent) -> bool {
    a.seq == b.seq
        && a.name == b.name
        && a.client_id == b.client_id
        && a.session_id == b.session_id
        && (a.args == b.args || is_same_json(&a.args, &b.args))
}

/// A client that has restarted may write the same args another way.
fn is_same_json(a: &str, b: &str) -> bool {
    let parse = serde_json::from_str::<serde_json::Value>;
    matches!((parse(a), parse(b)), (Ok(a), Ok(b)) if a == b)
}
