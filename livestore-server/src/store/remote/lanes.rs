use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::runtime::Handle;

use crate::store::StoreId;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does the jobs of one store one after the other, and those of different stores side by side.
#[derive(Clone)]
pub(in crate::store) struct Lanes {
    runtime: Handle,
    /// What waits behind a job that is being done. A store without an entry has no jobs.
    waiting: Arc<Mutex<HashMap<StoreId, VecDeque<Job>>>>,
}

impl Lanes {
    pub(in crate::store) fn new(runtime: Handle) -> Self {
        Self { runtime, waiting: Arc::default() }
    }

    /// Does a job once those that the store has are done.
    pub(in crate::store) fn put(
        &self,
        store: &StoreId,
        job: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut waiting = self.waiting();
        if let Some(lane) = waiting.get_mut(store) {
            return lane.push_back(Box::pin(job));
        }
        waiting.insert(store.clone(), VecDeque::new());
        drop(waiting);
        self.runtime.spawn(self.clone().work(store.clone(), Box::pin(job)));
    }

    async fn work(self, store: StoreId, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            // A reply that panics must not stop what waits behind it.
            if AssertUnwindSafe(job).catch_unwind().await.is_err() {
                tracing::error!(%store, "an answer of the storage panicked");
            }
            next = self.next(&store);
        }
    }

    fn next(&self, store: &StoreId) -> Option<Job> {
        let mut waiting = self.waiting();
        let job = waiting.get_mut(store).and_then(VecDeque::pop_front);
        if job.is_none() {
            waiting.remove(store);
        }
        job
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<StoreId, VecDeque<Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
