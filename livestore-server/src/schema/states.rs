//! The states of stores: as many as fit, and each as long as it is used.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use livestore::replica::Replica;
use livestore::schema::{QueryIn, Schema};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ReadError;
use super::current::Slot;
use crate::server::Metrics;
use crate::store::{EventStore, StoreId};

/// Limits of the states that a server has in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateLimits {
    /// The most states in memory. When there are more, those that were not used for longest are dropped.
    pub states: usize,
    /// The most bytes of all states in memory, likewise.
    pub bytes: u64,
    /// The most bytes of one state. A store that needs more has no state here.
    pub bytes_of_one: u64,
    /// A state that was not used for this time is dropped.
    pub idle: Duration,
    /// The most states that are used at a time.
    pub uses: usize,
    /// The time that a use waits for its turn, and for a state that is made of many events.
    pub patience: Duration,
}

impl Default for StateLimits {
    fn default() -> Self {
        Self {
            states: 256,
            bytes: 1 << 30,
            bytes_of_one: 256 << 20,
            idle: Duration::from_secs(300),
            uses: 16,
            patience: Duration::from_secs(20),
        }
    }
}

/// The states of all stores: what the events of each have made of the tables.
///
/// A state is made when it is first asked for, from the store's events, and has all of them that were
/// stored before each read, here or by another server over the same engine. It lives in memory, within
/// [limits](StateLimits).
pub struct States<S>(Arc<Inner<S>>);

struct Inner<S> {
    events: Arc<dyn EventStore>,
    limits: StateLimits,
    metrics: Arc<Metrics>,
    uses: Arc<Semaphore>,
    states: Mutex<HashMap<StoreId, Arc<Entry<S>>>>,
}

struct Entry<S> {
    slot: Arc<tokio::sync::Mutex<Slot<S>>>,
    bytes: AtomicU64,
    used: Mutex<Instant>,
}

/// A state that nobody else uses, and that has all events.
pub(super) struct Use<S: Schema> {
    slot: OwnedMutexGuard<Slot<S>>,
    states: States<S>,
    entry: Arc<Entry<S>>,
    _permit: OwnedSemaphorePermit,
}

impl<S: Schema> States<S> {
    pub(super) fn new(
        events: Arc<dyn EventStore>,
        limits: StateLimits,
        metrics: Arc<Metrics>,
    ) -> Self {
        let uses = Arc::new(Semaphore::new(limits.uses));
        Self(Arc::new(Inner { events, limits, metrics, uses, states: Mutex::default() }))
    }

    /// Runs a query on the state of a store.
    ///
    /// # Errors
    /// See [`ReadError`]. A store that does not exist is not created.
    pub async fn query<Q>(&self, store: &StoreId, query: Q) -> Result<Q::Output, ReadError>
    where
        Q: QueryIn<S> + Send + 'static,
        Q::Output: Send + 'static,
    {
        Ok(self.read(store, move |state| state.query(query)).await??)
    }

    /// Calls `read` with the state of a store, on a thread on which it may take its time. No other use of
    /// this store's state goes on meanwhile, pushes that are validated included.
    ///
    /// # Errors
    /// See [`ReadError`]. A store that does not exist is not created.
    pub async fn read<T: Send + 'static>(
        &self,
        store: &StoreId,
        read: impl FnOnce(&Replica<S>) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        self.run(store, |replica| read(replica)).await
    }

    /// As [`read`](Self::read), with a state that may be drafted on.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        store: &StoreId,
        run: impl FnOnce(&mut Replica<S>) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let current = self.acquire(store).await?;
        let done = tokio::task::spawn_blocking(move || current.run(run)).await;
        done.unwrap_or(Err(ReadError::Panicked))
    }

    /// Waits for the state of a store, and until it has all events.
    pub(super) async fn acquire(&self, store: &StoreId) -> Result<Use<S>, ReadError> {
        let patience = self.0.limits.patience;
        timeout(patience, self.wait(store)).await.unwrap_or(Err(ReadError::Busy))
    }

    async fn wait(&self, store: &StoreId) -> Result<Use<S>, ReadError> {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.0.uses).acquire_owned().await.map_err(|_| ReadError::Busy)?;
        let entry = self.entry(store);
        let slot = Arc::clone(&entry.slot).lock_owned().await;
        let mut current = Use { slot, states: self.clone(), entry, _permit: permit };
        let id = store.clone();
        // If nobody waits any more, it is made all the same, for the next one.
        let updated = tokio::task::spawn_blocking(move || {
            current.update(&id)?;
            Ok(current)
        });
        let updated = updated.await.unwrap_or(Err(ReadError::Panicked));
        if updated.as_ref().is_err_and(ReadError::is_unknown) {
            self.forget(store);
        }
        updated
    }

    /// Drops a state that nobody uses.
    fn forget(&self, store: &StoreId) {
        let mut states = self.states();
        if states.get(store).is_some_and(Entry::is_free) {
            states.remove(store);
            self.0.metrics.schema.states.down();
        }
    }

    fn entry(&self, store: &StoreId) -> Arc<Entry<S>> {
        let mut states = self.states();
        let new = || {
            self.0.metrics.schema.states.up();
            Arc::new(Entry {
                slot: Arc::new(tokio::sync::Mutex::new(Slot::empty())),
                bytes: AtomicU64::new(0),
                used: Mutex::new(Instant::now()),
            })
        };
        Arc::clone(states.entry(store.clone()).or_insert_with(new))
    }

    /// Drops the states that were not used for some time, and those that are too many.
    pub(super) fn sweep(&self) {
        let limits = &self.0.limits;
        let mut states = self.states();
        let mut by_use: Vec<_> =
            states.iter().map(|(id, entry)| (entry.used(), id.clone())).collect();
        by_use.sort();
        let (mut count, mut bytes) =
            (states.len(), states.values().map(|entry| entry.bytes()).sum::<u64>());
        let now = Instant::now();
        for (used, id) in by_use {
            let is_idle = now.saturating_duration_since(used) >= limits.idle;
            if !is_idle && count <= limits.states && bytes <= limits.bytes {
                break;
            }
            if let Some(entry) = states.get(&id).filter(|entry| entry.is_free()) {
                (count, bytes) = (count - 1, bytes - entry.bytes());
                states.remove(&id);
                self.0.metrics.schema.states.down();
            }
        }
    }

    /// The time between two sweeps.
    pub(super) fn sweep_interval(&self) -> Duration {
        (self.0.limits.idle / 2).max(Duration::from_millis(10))
    }

    /// The number of states in memory.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.states().len()
    }

    fn states(&self) -> MutexGuard<'_, HashMap<StoreId, Arc<Entry<S>>>> {
        self.0.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Schema> Use<S> {
    /// Runs on the state; blocks.
    pub(super) fn run<T>(mut self, run: impl FnOnce(&mut Replica<S>) -> T) -> Result<T, ReadError> {
        // It was made when the use began.
        let replica = self.slot.replica().ok_or(ReadError::Busy)?;
        let ran = catch_unwind(AssertUnwindSafe(|| run(replica)));
        ran.map_err(|_| {
            // Nothing is certain about it any more.
            *self.slot = Slot::empty();
            ReadError::Panicked
        })
    }

    fn update(&mut self, store: &StoreId) -> Result<(), ReadError> {
        let inner = &self.states.0;
        let made = || inner.metrics.schema.states_made_total.add(1);
        let max_bytes = inner.limits.bytes_of_one;
        let replica = self.slot.update(store, &*inner.events, max_bytes, made)?;
        let bytes = replica.bytes()?;
        self.entry.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl<S: Schema> Drop for Use<S> {
    fn drop(&mut self) {
        *self.entry.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let states = self.states.states();
        let bytes = states.values().map(|entry| entry.bytes()).sum::<u64>();
        let is_over =
            states.len() > self.states.0.limits.states || bytes > self.states.0.limits.bytes;
        drop(states);
        if is_over {
            self.states.sweep();
        }
    }
}

impl<S> Entry<S> {
    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether nobody uses it or waits for it.
    fn is_free(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && Arc::strong_count(&self.slot) == 1
    }
}

impl<S> Clone for States<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for States<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}
