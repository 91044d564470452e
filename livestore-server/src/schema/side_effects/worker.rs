//! The side effects of one store: one event after the other.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::journal::{Journal, Note, Storage, Summary, journal_id};
use super::{Delivery, DeliveryError, Handler, SideEffects};
use crate::hub::{Hub, Room};
use crate::server::Metrics;
use crate::store::{StoreError, StoreId, StoredEvent};

/// The most events that are looked at at once for one that has a handler.
const LOOK: usize = 4_096;
/// The number of events without a handler after which that is noted, so that they are not looked at again.
const NOTED_AFTER: u64 = 10_000;
/// The pause before the journal of another server's work is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The pause after the storage could not be used.
const PAUSE: Duration = Duration::from_secs(1);
/// The most bytes of an error in the journal.
const MAX_ERROR_BYTES: usize = 4_096;

/// What the workers of all stores share.
pub(super) struct Shared {
    pub(super) effects: Arc<SideEffects>,
    pub(super) hub: Hub,
    pub(super) storage: Storage,
    pub(super) metrics: Arc<Metrics>,
    /// A name of this server, new at every start.
    pub(super) owner: String,
    pub(super) turns: Semaphore,
    /// True once the server is stopping: no attempt begins any more.
    pub(super) stopping: watch::Receiver<bool>,
}

/// A store, and how far it is known to be handled.
pub(super) struct Worker {
    shared: Arc<Shared>,
    pub(super) store: StoreId,
    /// The last event that is done with, or that has no handler.
    pub(super) done: u64,
    /// The last record of another server's work, and since when it is the last.
    seen: Option<(u64, Instant)>,
}

/// The time at which a worker goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// When there are new events.
    Idle,
    /// After this time.
    After(Duration),
}

/// An event that has a handler, or how far there is none.
#[derive(Default)]
struct Found {
    event: Option<StoredEvent>,
    looked_at: usize,
    last: u64,
    is_end: bool,
}

impl Worker {
    pub(super) fn new(shared: &Arc<Shared>, store: StoreId) -> Self {
        Self { shared: Arc::clone(shared), store, done: 0, seen: None }
    }

    /// Handles the events of the store, as far as there are any.
    pub(super) async fn run(&mut self) -> Next {
        match self.work().await {
            Ok(next) => next,
            Err(error) => {
                let (store, effects) = (&self.store, &self.shared.effects.name);
                tracing::warn!(%store, effects, %error, "side effects wait for the storage");
                Next::After(PAUSE)
            }
        }
    }

    async fn work(&mut self) -> Result<Next, StoreError> {
        let shared = Arc::clone(&self.shared);
        let storage = &shared.storage;
        let room = enter(&shared.hub, &self.store).await?;
        let id = journal_id(&shared.effects.name, room.backend_id())?;
        let mut journal = Journal::load(storage, id).await?;
        if room.is_shared() && !journal.is_of(&shared.owner) {
            if let Some(wait) = self.wait_for_others(&journal) {
                return Ok(Next::After(wait));
            }
            let claimed = journal.note(&shared, Note::Claimed).await;
            if let Err(StoreError::Behind { .. }) = claimed {
                return Ok(Next::After(LOOK_AGAIN));
            }
            claimed?;
        }
        self.done = self.done.max(journal.summary.cursor);
        loop {
            let found = self.find().await?;
            let Some(event) = found.event else {
                self.done = self.done.max(found.last);
                self.note_skipped(&mut journal).await?;
                if found.is_end {
                    return self.release(&mut journal, &room).await;
                }
                continue;
            };
            if let Some(next) = self.handle(&mut journal, &room, event).await? {
                return Ok(next);
            }
        }
    }

    /// Returns how long to wait before another server's work is taken over, if it has to be waited for.
    fn wait_for_others(&mut self, journal: &Journal) -> Option<Duration> {
        if journal.summary.owner.is_empty() {
            return None;
        }
        let now = Instant::now();
        let since = match self.seen {
            Some((head, since)) if head == journal.head => since,
            _ => self.seen.insert((journal.head, now)).1,
        };
        let left = self.shared.effects.settings.lease().checked_sub(now - since)?;
        (!left.is_zero()).then(|| left.min(LOOK_AGAIN))
    }

    /// Finds the next event that has a handler.
    async fn find(&self) -> Result<Found, StoreError> {
        let effects = Arc::clone(&self.shared.effects);
        let find = move |found: &mut Found, stored: StoredEvent| {
            found.last = stored.event().seq;
            found.looked_at += 1;
            found.is_end = false;
            if effects.handlers.contains_key(&stored.event().name) {
                found.event = Some(stored);
                return ControlFlow::Break(());
            }
            // Unless another one follows, that was the end.
            found.is_end = found.looked_at < LOOK;
            if found.is_end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let mut found: Found = self.shared.storage.read(&self.store, self.done, find).await?;
        found.is_end |= found.looked_at == 0;
        Ok(found)
    }

    async fn note_skipped(&self, journal: &mut Journal) -> Result<(), StoreError> {
        if self.done - journal.summary.cursor < NOTED_AFTER {
            return Ok(());
        }
        let summary = Summary { cursor: self.done, failing: None, ..journal.summary.clone() };
        let note = Note::Skipped { seq: self.done };
        ignore_others(journal.append(&self.shared.storage, note, summary).await)
    }

    /// Lets other servers go on at once, once everything is handled.
    async fn release(&self, journal: &mut Journal, room: &Room) -> Result<Next, StoreError> {
        if room.is_shared() && journal.is_of(&self.shared.owner) {
            let summary = Summary { owner: String::new(), ..journal.summary.clone() };
            let released = journal.append(&self.shared.storage, Note::Released, summary);
            ignore_others(released.await)?;
        }
        Ok(Next::Idle)
    }

    /// Makes one attempt at an event. Returns when to go on, if that is not now.
    async fn handle(
        &mut self,
        journal: &mut Journal,
        room: &Room,
        stored: StoredEvent,
    ) -> Result<Option<Next>, StoreError> {
        let shared = Arc::clone(&self.shared);
        let (seq, name) = (stored.event().seq, stored.event().name.clone());
        let Some(handler) = shared.effects.handlers.get(&name) else { return Ok(None) };
        let waited = Instant::now();
        // The semaphore is never closed.
        let turn = shared.turns.acquire().await.map_err(|_| StoreError::Closed)?;
        if *shared.stopping.borrow() {
            return self.release(journal, room).await.map(Some);
        }
        if room.is_shared() && waited.elapsed() > shared.effects.settings.time / 2 {
            // Others may have thought that this server is gone.
            if let Err(StoreError::Behind { .. }) = journal.note(&shared, Note::Claimed).await {
                return Ok(Some(Next::After(LOOK_AGAIN)));
            }
        }
        let attempts = journal.summary.failures(seq).saturating_add(1);
        let delivery = Delivery::new(&self.store, room.backend_id(), stored, attempts);
        let outcome = attempt(handler, delivery, shared.effects.settings.time).await;
        drop(turn);
        let (note, next) = self.judge(outcome, seq, name, attempts);
        let summary = match &note {
            Note::Failed { .. } => {
                Summary { failing: Some((seq, attempts)), ..journal.summary.clone() }
            }
            _ => Summary { cursor: seq, failing: None, ..journal.summary.clone() },
        };
        if !self.persist(journal, note, summary).await {
            return Ok(Some(Next::After(LOOK_AGAIN)));
        }
        self.done = self.done.max(journal.summary.cursor);
        Ok(next)
    }

    /// Returns what an attempt means for the journal, and when to go on if that is not now.
    fn judge(
        &self,
        outcome: Result<(), DeliveryError>,
        seq: u64,
        name: String,
        attempts: u32,
    ) -> (Note, Option<Next>) {
        let (metrics, settings) = (&self.shared.metrics.schema, &self.shared.effects.settings);
        let (store, effects) = (&self.store, &self.shared.effects.name);
        match outcome {
            Ok(()) => {
                metrics.side_effects_total.add(1);
                (Note::Handled { seq }, None)
            }
            Err(DeliveryError::Retry(error)) if attempts < settings.attempts => {
                metrics.side_effects_failed_total.add(1);
                tracing::warn!(%store, effects, seq, attempts, error, "a side effect failed");
                let next = Next::After(settings.delay(attempts));
                (Note::Failed { seq, error: shortened(error) }, Some(next))
            }
            Err(DeliveryError::Retry(error) | DeliveryError::GiveUp(error)) => {
                metrics.side_effects_failed_total.add(1);
                metrics.side_effects_dead_total.add(1);
                tracing::error!(%store, effects, seq, attempts, error, "a side effect is given up");
                (Note::Dead { seq, name, attempts, error: shortened(error) }, None)
            }
        }
    }

    /// Notes what has happened, however long that takes: a note that is lost is a side effect that happens
    /// again. Returns false if another server has taken over meanwhile.
    async fn persist(&self, journal: &mut Journal, note: Note, mut summary: Summary) -> bool {
        let (storage, owner) = (&self.shared.storage, journal.summary.owner.clone());
        loop {
            let error = match journal.append(storage, note.clone(), summary.clone()).await {
                Ok(()) => return true,
                Err(StoreError::Behind { .. }) => match journal.reload(storage).await {
                    // An append whose answer got lost, or a dead letter that was tried again.
                    Ok(()) if journal.summary == summary => return true,
                    Ok(()) if journal.summary.owner == owner => {
                        summary.owner.clone_from(&owner);
                        continue;
                    }
                    Ok(()) => return false,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let store = &self.store;
            tracing::error!(%store, %error, "a side effect cannot be noted, and is tried again");
            sleep(PAUSE).await;
        }
    }
}

impl Journal {
    fn is_of(&self, owner: &str) -> bool {
        self.summary.owner == owner
    }

    /// Appends a note by which this server has the work.
    async fn note(&mut self, shared: &Shared, note: Note) -> Result<(), StoreError> {
        let summary = Summary { owner: shared.owner.clone(), ..self.summary.clone() };
        self.append(&shared.storage, note, summary).await
    }
}

impl Summary {
    /// The number of failed attempts at an event.
    fn failures(&self, seq: u64) -> u32 {
        self.failing.filter(|(failing, _)| *failing == seq).map_or(0, |(_, attempts)| attempts)
    }
}

/// Runs a handler. One that panics has failed, and so has one that takes longer than it may.
pub(super) async fn attempt(
    handler: &Handler,
    delivery: Delivery,
    time: Duration,
) -> Result<(), DeliveryError> {
    let handler = Arc::clone(handler);
    // Dropped with this future, so that nothing runs on behind a server that has stopped.
    let mut running = JoinSet::new();
    running.spawn(async move { handler(delivery).await });
    match timeout(time, running.join_next()).await {
        Ok(Some(Ok(outcome))) => outcome,
        Ok(Some(Err(_)) | None) => Err(DeliveryError::Retry("the handler panicked".to_owned())),
        Err(_) => Err(DeliveryError::Retry(format!("no answer within {time:?}"))),
    }
}

/// The others' notes are as good.
pub(super) fn ignore_others(result: Result<(), StoreError>) -> Result<(), StoreError> {
    match result {
        Err(StoreError::Behind { .. }) => Ok(()),
        done => done,
    }
}

fn shortened(mut error: String) -> String {
    error.truncate(error.floor_char_boundary(MAX_ERROR_BYTES));
    error
}

async fn enter(hub: &Hub, store: &StoreId) -> Result<Arc<Room>, StoreError> {
    let (reply, answer) = oneshot::channel();
    hub.enter(store, Box::new(move |room| drop(reply.send(room))));
    answer.await.unwrap_or(Err(StoreError::Closed))
}
