//! What has a value that changes, who depends on it, and how they hear of it.
//!
//! Values are *pulled*: a computed value is brought up to date when somebody reads it, by comparing
//! the versions of what it read last time. Notifications are *pushed*, in waves (see
//! [`wave`](super::wave)). No lock is held while a user's code runs.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak, atomic};

use super::inspect::NodeReport;
use crate::edge::primitives::{AtomicU64, Mutex, MutexGuard, lock};

/// Something with a value: a live query, a signal or a computed.
pub(crate) trait Node: Send + Sync {
    /// Its version, its dependents and its subscribers.
    fn hub(&self) -> &Hub;

    /// Brings the value up to date.
    fn settle(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// What the value was made of.
    fn inputs(&self) -> Vec<Arc<dyn Node>> {
        Vec::new()
    }

    /// How it is doing.
    fn report(&self) -> NodeReport;
}

/// A node whose value is a `V`.
pub(crate) trait Source<V>: Node {
    /// The value now, and its version.
    fn read(&self) -> Result<(u64, Arc<V>), Failure>;
}

/// Why a computed has no value.
pub(crate) enum Failure {
    /// It reads itself; this is the way.
    Cycle(String),
    /// Its function, or that of something it reads, panicked.
    Panic(Box<dyn Any + Send>),
}

impl Failure {
    /// Panics, in the thread that wants the value.
    #[expect(clippy::panic, reason = "a cycle has no value; waiting for one would be forever")]
    pub(crate) fn raise(self) -> ! {
        match self {
            Self::Cycle(_) => panic!("{self}"),
            Self::Panic(panic) => resume_unwind(panic),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle(way) => write!(f, "a computed reads itself: {way}"),
            Self::Panic(panic) => match panic.downcast_ref::<String>() {
                Some(message) => write!(f, "a computed panicked: {message}"),
                None => f.write_str("a computed panicked"),
            },
        }
    }
}

/// A subscriber's end.
pub(crate) trait Subscriber: Send + Sync {
    /// There may be a new value.
    fn call(&self);

    /// From now on, it is not called.
    fn end(&self);
}

/// Grows whenever a signal or a live query changes. While it stands still, so does everything.
static REVISION: atomic::AtomicU64 = atomic::AtomicU64::new(1);

pub(super) fn revision() -> u64 {
    REVISION.load(Ordering::Acquire)
}

/// What every node has.
pub(crate) struct Hub {
    id: u64,
    version: AtomicU64,
    links: Mutex<Links>,
}

#[derive(Default)]
struct Links {
    /// By their ids.
    dependents: BTreeMap<u64, Weak<dyn Node>>,
    subscribers: Option<Subscribers>,
    next_subscriber: u64,
    /// The version that subscribers were told of.
    told: u64,
}

/// In the order of their ids. Shared with those who call them: a list is changed as a copy then.
type Subscribers = Arc<Vec<(u64, Arc<dyn Subscriber>)>>;

impl Default for Hub {
    fn default() -> Self {
        static NEXT: atomic::AtomicU64 = atomic::AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            version: AtomicU64::new(0),
            links: Mutex::default(),
        }
    }
}

impl Hub {
    /// Names the node; no other of this process ever has the same.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Grows whenever the value changes.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// A computed has another value.
    pub(super) fn bump(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// A signal or a live query has another value: what is made of it may be stale.
    pub(super) fn change(&self) {
        self.bump();
        REVISION.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn subscriber_count(&self) -> usize {
        self.links().subscribers.as_ref().map_or(0, |all| all.len())
    }

    pub(super) fn add_subscriber(&self, subscriber: Arc<dyn Subscriber>) -> u64 {
        let mut links = self.links();
        let id = links.next_subscriber;
        links.next_subscriber += 1;
        Arc::make_mut(links.subscribers.get_or_insert_default()).push((id, subscriber));
        id
    }

    pub(super) fn remove_subscriber(&self, id: u64) {
        let mut links = self.links();
        let removed = links.subscribers.as_mut().and_then(|all| {
            let at = all.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            Some(Arc::make_mut(all).remove(at))
        });
        drop(links);
        // A callback may own handles, whose drops want locks.
        drop(removed);
    }

    pub(super) fn add_dependent(&self, id: u64, dependent: Weak<dyn Node>) {
        self.links().dependents.insert(id, dependent);
    }

    pub(super) fn remove_dependent(&self, id: u64) {
        self.links().dependents.remove(&id);
    }

    pub(super) fn has_dependents(&self) -> bool {
        !self.links().dependents.is_empty()
    }

    pub(super) fn dependents(&self) -> Vec<Arc<dyn Node>> {
        self.links().dependents.values().filter_map(Weak::upgrade).collect()
    }

    /// Whom to call, if they were not told of this version.
    pub(super) fn due(&self) -> Option<Subscribers> {
        let mut links = self.links();
        let version = self.version();
        if std::mem::replace(&mut links.told, version) == version {
            return None;
        }
        links.subscribers.clone()
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        lock(&self.links)
    }
}
