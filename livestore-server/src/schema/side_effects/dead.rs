use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use livestore::event::EncodedEvent;

use super::journal::{Journal, Note, Storage, journal_id};
use super::worker::attempt;
use super::{Delivery, DeliveryError, SideEffects};
use crate::server::Metrics;
use crate::store::{EventStore, StoreError, StoreId, StoredEvent};

/// An event whose handler has failed as often as it may. The events behind it were handled meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The name of the side effects.
    pub side_effects: String,
    /// The store.
    pub store: StoreId,
    /// The number of the event.
    pub seq: u64,
    /// Its wire name.
    pub event: String,
    /// The number of attempts.
    pub attempts: u32,
    /// The last error.
    pub error: String,
}

/// The dead letters of a server.
#[derive(Clone)]
pub struct DeadLetters {
    storage: Storage,
    all: Arc<[Arc<SideEffects>]>,
    metrics: Arc<Metrics>,
}

/// The reason why a dead letter was not handled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// It is no dead letter, or not any more.
    #[error("event e{seq} of the store is no dead letter")]
    NotDead {
        /// The number of the event.
        seq: u64,
    },
    /// The server has no handler for it.
    #[error("there is no handler for `{event}` in the side effects `{side_effects}`")]
    NoHandler {
        /// The name of the side effects.
        side_effects: String,
        /// The wire name of the event.
        event: String,
    },
    /// The handler failed again: it stays a dead letter.
    #[error("the handler failed again: {0}")]
    Failed(String),
    /// The storage cannot be used. The handler may have run.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

impl DeadLetters {
    pub(in crate::schema) fn new(
        events: Arc<dyn EventStore>,
        all: Arc<[Arc<SideEffects>]>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { storage: Storage::new(events), all, metrics }
    }

    /// Returns the dead letters of a store, in the order of its events.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub async fn list(&self, store: &StoreId) -> Result<Vec<DeadLetter>, StoreError> {
        let backend_id = self.backend_id(store).await?;
        let mut letters = Vec::new();
        for effects in &*self.all {
            let id = journal_id(&effects.name, &backend_id)?;
            let journal = Journal::load(&self.storage, id).await?;
            let mut dead = BTreeMap::new();
            for note in journal.notes(&self.storage).await? {
                match note {
                    Note::Dead { seq, name, attempts, error } => {
                        dead.insert(seq, (name, attempts, error));
                    }
                    Note::Revived { seq } => drop(dead.remove(&seq)),
                    _ => {}
                }
            }
            letters.extend(dead.into_iter().map(|(seq, (event, attempts, error))| DeadLetter {
                side_effects: effects.name.clone(),
                store: store.clone(),
                seq,
                event,
                attempts,
                error,
            }));
        }
        letters.sort_by_key(|letter| letter.seq);
        Ok(letters)
    }

    /// Has a dead letter handled once more, now. The order among the store's events does not hold for it,
    /// and its idempotency key is that of the earlier attempts.
    ///
    /// # Errors
    /// See [`RetryError`].
    pub async fn retry(&self, letter: &DeadLetter) -> Result<(), RetryError> {
        let DeadLetter { store, seq, .. } = letter;
        let is_it =
            |dead: &DeadLetter| dead.seq == *seq && dead.side_effects == letter.side_effects;
        let current = self.list(store).await?.into_iter().find(is_it);
        let current = current.ok_or(RetryError::NotDead { seq: *seq })?;
        let no_handler = || RetryError::NoHandler {
            side_effects: current.side_effects.clone(),
            event: current.event.clone(),
        };
        let effects = self.all.iter().find(|effects| effects.name == current.side_effects);
        let effects = effects.ok_or_else(no_handler)?;
        let handler = effects.handlers.get(&current.event).ok_or_else(no_handler)?;
        let stored = self.event(store, *seq).await?;
        let backend_id = self.backend_id(store).await?;
        let attempts = current.attempts.saturating_add(1);
        let delivery = Delivery::new(store, &backend_id, stored, attempts);
        let outcome = attempt(handler, delivery, effects.settings.time).await;
        let note = match &outcome {
            Ok(()) => Note::Revived { seq: *seq },
            Err(error) => {
                let error = error.text().to_owned();
                Note::Dead { seq: *seq, name: current.event.clone(), attempts, error }
            }
        };
        self.note(&effects.name, &backend_id, note).await?;
        let metrics = &self.metrics.schema;
        match outcome {
            Ok(()) => {
                metrics.side_effects_total.add(1);
                Ok(())
            }
            Err(error) => {
                metrics.side_effects_failed_total.add(1);
                Err(RetryError::Failed(error.text().to_owned()))
            }
        }
    }

    /// Appends a note that leaves the journal where it stands.
    async fn note(&self, name: &str, backend_id: &str, note: Note) -> Result<(), StoreError> {
        let mut journal = Journal::load(&self.storage, journal_id(name, backend_id)?).await?;
        loop {
            let summary = journal.summary.clone();
            match journal.append(&self.storage, note.clone(), summary).await {
                Err(StoreError::Behind { .. }) => journal.reload(&self.storage).await?,
                done => return done,
            }
        }
    }

    async fn event(&self, store: &StoreId, seq: u64) -> Result<StoredEvent, StoreError> {
        let read =
            self.storage.read(store, seq.saturating_sub(1), |found: &mut Option<_>, stored| {
                *found = Some(stored);
                ControlFlow::Break(())
            });
        read.await?.filter(|stored| stored.event().seq == seq).ok_or(StoreError::Corrupt { seq })
    }

    async fn backend_id(&self, store: &StoreId) -> Result<String, StoreError> {
        // A store that is not there is not made.
        self.storage.read(store, u64::MAX, |(): &mut (), _| ControlFlow::Break(())).await?;
        Ok(self.storage.open(store).await?.backend_id)
    }
}

impl Delivery {
    pub(super) fn new(
        store: &StoreId,
        backend_id: &str,
        stored: StoredEvent,
        attempt: u32,
    ) -> Self {
        let event = stored.event();
        Self {
            store: store.clone(),
            accepted_at: stored.created_at(),
            key: format!("{backend_id}-{}", event.seq),
            event: EncodedEvent::from(event.clone()),
            attempt,
        }
    }
}

impl DeliveryError {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Retry(text) | Self::GiveUp(text) => text,
        }
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("of", &self.all).finish_non_exhaustive()
    }
}
