//! Validation: the app's own rules, which no client can talk its way around.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use livestore::event::{DecodeError, EncodedEvent, Event};
use livestore::replica::{Draft, Replica, ReplicaError, commits};
use livestore::schema::{QueryIn, Schema};
use livestore::table::QueryError;
use livestore_protocol::SyncError;
use tokio::time::timeout;

use super::{ReadError, States};
use crate::auth::Identity;
use crate::server::{Decision, Metrics, OfferedPush};
use crate::store::{StoreId, StoredEvent};

/// The most bytes of a reason: it is in the client's log for good.
const MAX_REASON_BYTES: usize = 4_096;

/// A commit that a client pushes, as a validation sees it.
pub struct Proposal<'a, S: Schema> {
    store: &'a StoreId,
    identity: &'a Identity,
    events: &'a [EncodedEvent],
    state: &'a Draft<'a, S>,
}

/// The reason why a validation does not accept a commit.
///
/// A text is a refusal for good. A failed query is one for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The commit is never accepted. The client takes it back, quarantines it with this reason, which its
    /// user may read, and goes on with what was committed after it.
    Refused(String),
    /// The commit cannot be judged now. The client keeps it, and pushes it again at growing intervals.
    NotNow(String),
}

/// The app's rules.
pub(super) type Rules<S> =
    dyn for<'a> Fn(&Proposal<'a, S>) -> Result<(), Rejection> + Send + Sync + 'static;

/// Asks the app's rules about pushes.
pub(super) struct Validation<S: Schema> {
    pub(super) rules: Arc<Rules<S>>,
    /// The time that the rules have for a push.
    pub(super) limit: Duration,
    pub(super) states: States<S>,
    pub(super) metrics: Arc<Metrics>,
}

impl<'a, S: Schema> Proposal<'a, S> {
    /// Returns the store.
    pub fn store(&self) -> &'a StoreId {
        self.store
    }

    /// Returns who pushes, as far as it is known: see [`Grant::identity`](crate::auth::Grant::identity).
    pub fn identity(&self) -> &'a Identity {
        self.identity
    }

    /// Returns the events of the commit. Their client ids are what the client says.
    pub fn events(&self) -> &'a [EncodedEvent] {
        self.events
    }

    /// Returns the events as Rust values.
    ///
    /// # Errors
    /// When one of them is not an event of `E`, as a newer version of the app may have others, or its
    /// args do not fit.
    pub fn decode<E: Event>(&self) -> Result<Vec<E>, DecodeError> {
        self.events.iter().map(EncodedEvent::decode).collect()
    }

    /// Refuses the commit if one of its events names another author than the one who pushes it: an event that has
    /// the arg `arg`, whose value is not the claim `sub` of the token. Events without this arg are not refused.
    ///
    /// So an author is what the app declares in its events, and this server vouches for it:
    ///
    /// ```
    /// # use livestore_testing::sample::todos::*;
    /// # use std::sync::Arc;
    /// # use livestore_server::Server;
    /// # use livestore_server::store::{MemoryStore, StoreLimits};
    /// let server = Server::builder(Arc::new(MemoryStore::new(StoreLimits::NONE)))
    ///     .schema::<App>()
    ///     .validate(|commit| commit.check_author("by"));
    /// # drop(server);
    /// ```
    ///
    /// # Errors
    /// A refusal for good. Without a signed token, nobody vouches for any author.
    pub fn check_author(&self, arg: &str) -> Result<(), Rejection> {
        let pusher = self.identity.claim::<String>("sub");
        for event in self.events {
            let args = serde_json::from_str::<serde_json::Value>(&event.args).unwrap_or_default();
            let Some(author) = args.get(arg) else { continue };
            if pusher.is_none() || author.as_str() != pusher.as_deref() {
                let pusher = pusher.as_deref().unwrap_or("nobody who has said who it is");
                return Err(Rejection::Refused(format!(
                    "the author (`{arg}`) of `{}` is {author}, but it was pushed by {pusher}",
                    event.name
                )));
            }
        }
        Ok(())
    }

    /// Runs a query on the state before the commit: that of all stored events, and of the commits before
    /// it in the same push.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query<Q: QueryIn<S>>(&self, query: Q) -> Result<Q::Output, QueryError> {
        self.state.query(query)
    }
}

impl From<String> for Rejection {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}

impl From<&str> for Rejection {
    fn from(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

impl From<QueryError> for Rejection {
    fn from(error: QueryError) -> Self {
        Self::NotNow(error.to_string())
    }
}

/// The outcome for a push.
enum Outcome {
    Accepted,
    Behind { head: u64 },
    Rejected(Rejection),
    Panicked,
}

impl<S: Schema> Validation<S> {
    /// Decides about a push. Whatever the rules do, there is an answer in time.
    pub(super) async fn check(self: Arc<Self>, push: OfferedPush) -> Decision {
        let metrics = Arc::clone(&self.metrics);
        let store = push.store.clone();
        let for_now = |reason: &str| {
            metrics.schema.validations_failed_total.add(1);
            Decision::Refuse(SyncError::Refused(format!("not now: {reason}")))
        };
        match self.run(push).await {
            Ok(Outcome::Accepted) => Decision::Store,
            Ok(Outcome::Behind { head }) => Decision::Behind { head },
            Ok(Outcome::Rejected(Rejection::Refused(reason))) => {
                metrics.schema.validations_refused_total.add(1);
                Decision::Refuse(SyncError::Invalid(shortened(reason)))
            }
            Ok(Outcome::Rejected(Rejection::NotNow(reason))) => for_now(&shortened(reason)),
            Ok(Outcome::Panicked) => {
                tracing::error!(%store, "the validation of a push panicked");
                for_now("the server cannot validate the push")
            }
            Err(error) => {
                let reason = livestore::ErrorChain::new(&error).to_string();
                tracing::error!(%store, reason, "a push could not be validated");
                for_now("the server cannot validate the push")
            }
        }
    }

    async fn run(self: Arc<Self>, push: OfferedPush) -> Result<Outcome, ReadError> {
        let current = self.states.acquire(&push.store).await?;
        let limit = self.limit;
        // The rules cannot be stopped: those that take longer have this store's state until they return,
        // and the pushes behind them are refused for now.
        let validated =
            tokio::task::spawn_blocking(move || current.run(|state| self.validate(&push, state)));
        match timeout(limit, validated).await {
            Ok(Ok(validated)) => validated?,
            Ok(Err(_)) => Err(ReadError::Panicked),
            Err(_) => Ok(Outcome::Rejected(Rejection::NotNow("validating took too long".into()))),
        }
    }

    /// Asks the rules about one commit after the other.
    ///
    /// Accepted is only what follows the state's last event. If others append to the store meanwhile, the
    /// storage does not accept the push either, since it no longer follows the last event. So what is
    /// stored was validated on the very state that lies before it.
    fn validate(&self, push: &OfferedPush, state: &mut Replica<S>) -> Result<Outcome, ReadError> {
        let head = state.head().global;
        let parent = match push.batch.first() {
            Some(first) => first.event().parent,
            None => return Ok(Outcome::Accepted),
        };
        if parent < head {
            return Ok(Outcome::Behind { head });
        }
        if parent > head {
            // Not as an answer about the order: a replica of the engine may lag behind.
            let reason = format!("the state has events up to e{head}, the push follows e{parent}");
            return Ok(Outcome::Rejected(Rejection::NotNow(reason)));
        }
        let events = push.batch.iter().map(StoredEvent::event).cloned();
        let events: Vec<_> = events.map(EncodedEvent::from).collect();
        let mut draft = state.draft()?;
        for commit in commits(&events) {
            let OfferedPush { store, identity, .. } = push;
            let proposal = Proposal { store, identity, events: commit, state: &draft };
            // The rules only read, so nothing is left half done.
            match catch_unwind(AssertUnwindSafe(|| (self.rules)(&proposal))) {
                Ok(Ok(())) => {}
                Ok(Err(rejection)) => return Ok(Outcome::Rejected(rejection)),
                Err(_) => return Ok(Outcome::Panicked),
            }
            match draft.apply(commit) {
                Ok(_) => {}
                Err(undone @ ReplicaError::Undone { .. }) => {
                    return Ok(Outcome::Rejected(undone.to_string().into()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Outcome::Accepted)
    }
}

fn shortened(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
    reason
}
