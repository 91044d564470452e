//! The side effects of all stores: which of them have something to handle.

use std::collections::{HashMap, HashSet};
use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::SideEffects;
use super::journal::{Journal, Note, Storage, Summary, journal_id, marker_id};
use super::worker::{Next, Shared, Worker, ignore_others};
use crate::edge;
use crate::hub::Hub;
use crate::server::Metrics;
use crate::store::{StoreError, StoreId, StoreInfo, is_reserved};

/// The time between two looks at all stores: for events of other servers that have gone.
const LOOK_AT_ALL: Duration = Duration::from_secs(60);
/// The most stores that are noted at a time, at the first start.
const NOTES_AT_ONCE: usize = 16;
/// The pause after the storage could not be used.
const PAUSE: Duration = Duration::from_secs(1);

/// Has the side effects of one name happen, for as long as it [runs](Self::run).
pub(in crate::schema) struct Runner {
    shared: Arc<Shared>,
    news: Arc<News>,
    /// The workers that do nothing, and how far they are.
    idle: HashMap<StoreId, Worker>,
    /// The stores of the others, and whether they have events since their worker looked.
    busy: HashMap<StoreId, bool>,
    working: JoinSet<(Worker, Next)>,
}

/// The stores that have new events.
#[derive(Default)]
pub(in crate::schema) struct News {
    stores: Mutex<HashSet<StoreId>>,
    wake: Notify,
}

impl News {
    /// Notes that a store has new events.
    pub(in crate::schema) fn note(&self, store: &StoreId) {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if !stores.contains(store) {
            stores.insert(store.clone());
        }
        drop(stores);
        self.wake.notify_one();
    }

    async fn next(&self) -> HashSet<StoreId> {
        self.wake.notified().await;
        std::mem::take(&mut *self.stores.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Runner {
    pub(in crate::schema) fn new(
        effects: Arc<SideEffects>,
        hub: Hub,
        metrics: Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, getrandom::Error> {
        let storage = Storage::new(Arc::clone(hub.store()));
        let turns = Semaphore::new(effects.settings.concurrent);
        let owner = edge::new_id()?;
        let shared = Arc::new(Shared { effects, hub, storage, metrics, owner, turns, stopping });
        let (idle, busy, working) = Default::default();
        Ok(Self { shared, news: Arc::default(), idle, busy, working })
    }

    pub(in crate::schema) fn news(&self) -> Arc<News> {
        Arc::clone(&self.news)
    }

    /// At the first start ever, notes for each store that the events which it has are not handled. It has to
    /// be done before the first event is accepted, which would count as one of them.
    pub(in crate::schema) async fn begin(&self) -> Result<(), StoreError> {
        let Shared { storage, effects, .. } = &*self.shared;
        // Before the marker is looked for: a store that is made after it was set begins at its first event.
        let stores = storage.list().await?;
        let mut marker = Journal::load(storage, marker_id(&effects.name)?).await?;
        if marker.head > 0 {
            return Ok(());
        }
        if !effects.settings.from_the_beginning {
            let old = stores.into_iter().filter(|(id, info)| !is_reserved(id) && info.head > 0);
            let begun = old.map(|(_, info)| self.begin_behind(info));
            let begun = stream::iter(begun).buffer_unordered(NOTES_AT_ONCE);
            begun.try_for_each(|()| ready(Ok(()))).await?;
        }
        ignore_others(marker.append(storage, Note::Begun, Summary::default()).await)
    }

    /// Notes for a store that its events are not handled, unless some are already.
    async fn begin_behind(&self, store: StoreInfo) -> Result<(), StoreError> {
        let Shared { storage, effects, .. } = &*self.shared;
        let mut journal =
            Journal::load(storage, journal_id(&effects.name, &store.backend_id)?).await?;
        if journal.head > 0 {
            return Ok(());
        }
        let summary = Summary { cursor: store.head, ..Summary::default() };
        ignore_others(journal.append(storage, Note::Begun, summary).await)
    }

    /// Runs until the server stops, and until those handlers have ended that are at work then. Where it is
    /// dropped, they are abandoned, as by a crash.
    pub(in crate::schema) async fn run(mut self) {
        let mut stopping = self.shared.stopping.clone();
        tokio::select! {
            () = self.work() => {}
            // An error means that the server is gone.
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        while self.working.join_next().await.is_some() {}
    }

    async fn work(&mut self) {
        let mut looks = interval(LOOK_AT_ALL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let news = self.news();
        loop {
            tokio::select! {
                stores = news.next() => stores.into_iter().for_each(|store| self.wake(store)),
                _ = looks.tick() => self.look_at_all().await,
                // A worker neither panics nor is aborted before this is.
                Some(Ok((worker, next))) = self.working.join_next() => self.worked(worker, next),
            }
        }
    }

    async fn look_at_all(&mut self) {
        let stores = match self.shared.storage.list().await {
            Ok(stores) => stores,
            Err(error) => return tracing::warn!(%error, "the stores cannot be listed"),
        };
        for (store, info) in stores {
            let is_done = self.idle.get(&store).is_some_and(|worker| worker.done >= info.head);
            if !is_reserved(&store) && info.head > 0 && !is_done {
                self.wake(store);
            }
        }
    }

    fn wake(&mut self, store: StoreId) {
        if let Some(has_news) = self.busy.get_mut(&store) {
            *has_news = true;
            return;
        }
        let worker = self.idle.remove(&store);
        let worker = worker.unwrap_or_else(|| Worker::new(&self.shared, store));
        self.spawn(worker, Duration::ZERO);
    }

    fn spawn(&mut self, mut worker: Worker, after: Duration) {
        self.busy.insert(worker.store.clone(), false);
        let mut stopping = self.shared.stopping.clone();
        self.working.spawn(async move {
            tokio::select! {
                () = sleep(after) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return (worker, Next::Idle),
            }
            let next = AssertUnwindSafe(worker.run()).catch_unwind().await;
            let next = next.unwrap_or_else(|_| {
                tracing::error!(store = %worker.store, "side effects wait after a panic");
                Next::After(PAUSE)
            });
            (worker, next)
        });
    }

    fn worked(&mut self, worker: Worker, next: Next) {
        let has_news = self.busy.remove(&worker.store).unwrap_or_default();
        match next {
            Next::After(pause) => self.spawn(worker, pause),
            Next::Idle if has_news => self.spawn(worker, Duration::ZERO),
            Next::Idle => drop(self.idle.insert(worker.store.clone(), worker)),
        }
    }
}
