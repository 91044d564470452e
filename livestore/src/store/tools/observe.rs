//! What a store does, as it does it.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::edge::catch_panic;
use crate::edge::primitives::{Mutex, lock};
use crate::event::SeqNum;
use crate::state::Quarantined;

/// Something that a store did. [`Tools::observe`](super::Tools::observe) passes it on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Activity {
    /// It committed events.
    Committed {
        /// Their numbers.
        seqs: Vec<SeqNum>,
        /// Their wire names.
        names: Vec<Cow<'static, str>>,
        /// The time that the commit took.
        took: Duration,
    },
    /// A materializer ran.
    Materialized {
        /// The event's wire name.
        name: Cow<'static, str>,
        /// The time that it took.
        took: Duration,
    },
    /// It ran a query that is not live.
    Queried {
        /// The time that it took.
        took: Duration,
    },
    /// It sent events to the backend.
    Pushed {
        /// The first one.
        first: SeqNum,
        /// Their number.
        count: usize,
    },
    /// Pending events got their place in the order, the last of them here.
    Confirmed {
        /// The last one.
        last: SeqNum,
        /// Their number.
        count: usize,
    },
    /// Events of others came, and were applied.
    Pulled {
        /// The first one.
        first: SeqNum,
        /// Their number.
        count: usize,
        /// The time that it took to apply them, and pending events after them.
        took: Duration,
    },
    /// Events of others came before pending ones, which were undone and done again behind them. It
    /// comes before the [`Pulled`](Self::Pulled) of those events.
    Rebased {
        /// The numbers that pending events had.
        undone: Vec<SeqNum>,
        /// The numbers that they have now: those of them that are still pending.
        redone: Vec<SeqNum>,
        /// The number of events that came before them.
        upstream: usize,
        /// The time that it took.
        took: Duration,
    },
    /// An event could not be applied.
    Quarantined(Quarantined),
}

type Callback = Arc<dyn Fn(&Activity) + Send + Sync>;

/// Those who want to know what a store does.
#[derive(Default)]
pub(in crate::store) struct Probe {
    is_on: AtomicBool,
    observers: Mutex<Vec<(u64, Callback)>>,
    next_id: AtomicU64,
}

impl Probe {
    /// Whether anybody wants to know. Nothing is measured otherwise.
    pub(in crate::store) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Notifies the observers. Call it while no lock is held.
    pub(in crate::store) fn notify(&self, activities: &[Activity]) {
        if activities.is_empty() {
            return;
        }
        let observers: Vec<_> =
            lock(&self.observers).iter().map(|(_, call)| call.clone()).collect();
        for observer in observers {
            if catch_panic(|| activities.iter().for_each(|activity| observer(activity))).is_err() {
                tracing::error!("an observer of a store panicked; the store goes on");
            }
        }
    }

    fn add(&self, callback: Callback) -> u64 {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut observers = lock(&self.observers);
        observers.push((id, callback));
        self.is_on.store(true, Ordering::Relaxed);
        id
    }

    fn remove(&self, id: u64) {
        let mut observers = lock(&self.observers);
        observers.retain(|(other, _)| *other != id);
        self.is_on.store(!observers.is_empty(), Ordering::Relaxed);
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("is_on", &self.is_on()).finish_non_exhaustive()
    }
}

/// An observation, which ends when this guard is dropped.
#[must_use = "the observation ends when the guard is dropped"]
pub struct Observation {
    probe: Weak<Probe>,
    id: u64,
}

impl Observation {
    pub(super) fn begin(probe: &Arc<Probe>, callback: Callback) -> Self {
        Self { probe: Arc::downgrade(probe), id: probe.add(callback) }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.upgrade() {
            probe.remove(self.id);
        }
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observation").field(&self.id).finish()
    }
}
