//! The observers of a node: those who depend on it, and those who are called when it changes.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak, atomic};

use super::graph::GraphNode;
use crate::edge::primitives::{AtomicU64, Mutex, MutexGuard, lock};

/// A callback, as the node that it observes knows it.
pub(crate) trait Subscriber: Send + Sync {
    /// There may be a new value.
    fn notify(&self);

    /// The subscription is over: the callback is not called any more.
    fn end(&self);
}

/// Grows whenever a signal or a live query changes. While it stays the same, so do all values.
static REVISION: atomic::AtomicU64 = atomic::AtomicU64::new(1);

pub(super) fn revision() -> u64 {
    REVISION.load(Ordering::Acquire)
}

/// A node's id, version and observers.
pub(crate) struct Observers {
    id: u64,
    version: AtomicU64,
    registered: Mutex<Registrations>,
}

#[derive(Default)]
struct Registrations {
    /// By their ids.
    dependents: BTreeMap<u64, Weak<dyn GraphNode>>,
    subscribers: Option<Subscribers>,
    next_subscriber: u64,
    /// The version that the subscribers were last notified of.
    notified: u64,
}

/// In the order of their ids. Those who call them share the list: it is copied to be changed then.
type Subscribers = Arc<Vec<(u64, Arc<dyn Subscriber>)>>;

impl Default for Observers {
    fn default() -> Self {
        static NEXT: atomic::AtomicU64 = atomic::AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            version: AtomicU64::new(0),
            registered: Mutex::default(),
        }
    }
}

impl Observers {
    /// Returns the node's id, which is unique in this process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Returns a number that grows whenever the value changes.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The value of a computed has changed.
    pub(super) fn bump(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// The value of a signal or a live query has changed: those made from it may be out of date.
    pub(super) fn invalidate(&self) {
        self.bump();
        REVISION.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn subscriber_count(&self) -> usize {
        self.registered().subscribers.as_ref().map_or(0, |all| all.len())
    }

    pub(super) fn add_subscriber(&self, subscriber: Arc<dyn Subscriber>) -> u64 {
        let mut registered = self.registered();
        let id = registered.next_subscriber;
        registered.next_subscriber += 1;
        Arc::make_mut(registered.subscribers.get_or_insert_default()).push((id, subscriber));
        id
    }

    pub(super) fn remove_subscriber(&self, id: u64) {
        let mut registered = self.registered();
        let removed = registered.subscribers.as_mut().and_then(|all| {
            let at = all.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            Some(Arc::make_mut(all).remove(at))
        });
        drop(registered);
        // A callback may own handles, whose drops take locks.
        drop(removed);
    }

    pub(super) fn add_dependent(&self, id: u64, dependent: Weak<dyn GraphNode>) {
        self.registered().dependents.insert(id, dependent);
    }

    pub(super) fn remove_dependent(&self, id: u64) {
        self.registered().dependents.remove(&id);
    }

    pub(super) fn has_dependents(&self) -> bool {
        !self.registered().dependents.is_empty()
    }

    pub(super) fn dependents(&self) -> Vec<Arc<dyn GraphNode>> {
        self.registered().dependents.values().filter_map(Weak::upgrade).collect()
    }

    /// Returns the subscribers if they were not notified of this version yet; now they are.
    pub(super) fn take_due(&self) -> Option<Subscribers> {
        let mut registered = self.registered();
        let version = self.version();
        if std::mem::replace(&mut registered.notified, version) == version {
            return None;
        }
        registered.subscribers.clone()
    }

    fn registered(&self) -> MutexGuard<'_, Registrations> {
        lock(&self.registered)
    }
}
