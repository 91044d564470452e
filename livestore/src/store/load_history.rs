//! The events before those that a store was opened with, fetched when the app wants them.

mod fetching;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use self::fetching::{Fetching, Input};
use super::Inner;
#[cfg(not(target_family = "wasm"))]
use super::Store;
use crate::edge::primitives::{Mutex, lock};
use crate::edge::{Mailbox, Worker, catch_panic};
use crate::error::{Unavailable, unavailable_becomes};
use crate::eventlog::EventlogError;

/// Why the events before those that a store was opened with could not be fetched. Those that were are not
/// fetched again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadHistoryError {
    /// The store was opened without a backend, which has the events.
    #[error("the store has no sync backend, which has the events: open it with one")]
    NoBackend,
    /// Another session of this client has the log.
    #[error("another session has the log: call `load_history` there")]
    OtherSession,
    /// The session that has the log could not fetch the events.
    #[error("the session that has the log could not load the history: {reason}")]
    Leader {
        /// The reason, for people.
        reason: String,
    },
    /// The backend does not send the events.
    #[error("the sync backend does not send the history: {reason}; try again later")]
    Backend {
        /// The reason.
        reason: String,
    },
    /// The image that the store was opened with was not made of the events that the backend has, or the
    /// backend has been replaced.
    #[error(
        "the image that the store was opened with was not made of the backend's events; once nothing is \
         pending, remove the store's folder and open it without an image"
    )]
    OtherHistory,
    /// Waiting would never end, because it blocks the thread that the connections run on.
    #[error(
        "waiting would block the thread that syncs: {reason}; call `load_history` on a different thread"
    )]
    WouldBlock {
        /// Why it does.
        reason: String,
    },
    /// The eventlog cannot be read or written.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

unavailable_becomes!(LoadHistoryError);

/// Called with the outcome of a load.
pub(super) type OnLoaded = Box<dyn FnOnce(Result<(), LoadHistoryError>) + Send>;

/// The load of the history that is under way, if there is one, and who waits for its end.
#[derive(Default)]
pub(super) struct Loading(Mutex<Load>);

#[derive(Default)]
struct Load {
    worker: Option<Worker<Input>>,
    waiting: Vec<OnLoaded>,
}

#[cfg(not(target_family = "wasm"))]
impl<S: crate::schema::Schema> Store<S> {
    /// Fetches the events before those that the store was opened with, if that was from an
    /// [image](crate::sync::InitialSync::Image): from then on, the log has all of them. Does nothing
    /// if it has them already.
    ///
    /// It has a connection of its own, and blocks the thread until all events are here, or the backend is
    /// silent for `timeout`. Commits, queries and sync go on meanwhile, also in a store that is opened
    /// again after this was cut short: the next call goes on where this one ended.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// use std::time::Duration;
    ///
    /// fn print_all(store: &Store<App>) -> Result<(), Box<dyn std::error::Error>> {
    ///     store.load_history(Duration::from_secs(30))?;
    ///     for event in store.events() {
    ///         println!("{}", event?.name);
    ///     }
    ///     store.verify_replay()?; // the image was what these events make
    ///     Ok(())
    /// }
    /// # let store = Store::<App>::builder("todos").open().unwrap();
    /// # print_all(&store).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`LoadHistoryError`].
    pub fn load_history(&self, timeout: Duration) -> Result<(), LoadHistoryError> {
        use crate::edge::Mail;
        use crate::event::SeqNum;
        let (log, follows) =
            self.inner.with_core(|core| (core.log.clone(), core.order.follows()))?;
        if follows {
            // Only its leader writes the log.
            return match log.read(SeqNum::ROOT, 1) {
                Ok(_) => Ok(()),
                Err(_) => Err(LoadHistoryError::OtherSession),
            };
        }
        if log.base()?.is_some()
            && let Some(sync) = &self.inner.sync
            && let Some(reason) = sync.blocked_by_waiting()
        {
            return Err(LoadHistoryError::WouldBlock { reason });
        }
        let outcome = Arc::new(Mailbox::new());
        let theirs = Arc::clone(&outcome);
        self.inner.load_history(timeout, Box::new(move |loaded| theirs.put(loaded)));
        match outcome.take(None) {
            Mail::Message(loaded) => loaded,
            _ => Err(LoadHistoryError::Closed),
        }
    }
}

impl Inner {
    /// Fetches the events before the log's first one, if they are only at the backend, and calls `then` once
    /// they are here, or cannot be fetched. Several loads at a time are one; the first one's time-out counts.
    /// Call it while no lock is held.
    pub(super) fn load_history(self: &Arc<Self>, timeout: Duration, then: OnLoaded) {
        let fetching = match self.fetching(timeout) {
            Ok(Some(fetching)) => fetching,
            Ok(None) => return then(Ok(())),
            Err(error) => return then(Err(error)),
        };
        let mut load = lock(&self.loading.0);
        load.waiting.push(then);
        if load.worker.is_some() {
            return;
        }
        match self.spawn_fetching(fetching) {
            Ok(worker) => load.worker = Some(worker),
            Err(error) => {
                drop(load);
                self.loading.end(&Err(EventlogError::NoThread(error.into()).into()));
            }
        }
    }

    /// What is left to be fetched, if something is.
    fn fetching(&self, timeout: Duration) -> Result<Option<Fetching>, LoadHistoryError> {
        let log = self.log()?;
        let Some(base) = log.base()? else { return Ok(None) };
        let sync = self.sync.as_ref().ok_or(LoadHistoryError::NoBackend)?;
        let backend_id = log.upstream()?.and_then(|upstream| upstream.backend_id);
        Ok(Some(Fetching {
            log,
            base,
            head: 0,
            backend_id: backend_id.unwrap_or_default(),
            backend: Arc::clone(&sync.backend),
            payload: sync.payload.clone(),
            store_id: self.store_id.clone(),
            mailbox: Arc::new(Mailbox::new()),
            connection: None,
            timeout,
        }))
    }

    fn spawn_fetching(self: &Arc<Self>, mut fetching: Fetching) -> std::io::Result<Worker<Input>> {
        let (mailbox, inner) = (Arc::clone(&fetching.mailbox), Arc::downgrade(self));
        let turn = move |input| {
            // A backend that somebody else has written may panic.
            let turn = catch_panic(|| fetching.turn(input));
            let panicked = || LoadHistoryError::Backend { reason: "it panicked".to_owned() };
            match turn.unwrap_or_else(|_| ControlFlow::Break(Err(panicked()))) {
                ControlFlow::Continue(deadline) => ControlFlow::Continue(deadline),
                ControlFlow::Break(loaded) => {
                    fetching.connection = None;
                    if let Some(inner) = inner.upgrade() {
                        inner.loading.end(&loaded);
                    }
                    ControlFlow::Break(())
                }
            }
        };
        mailbox.put(Input::Start);
        Worker::spawn("livestore-history", mailbox, turn)
    }
}

impl Loading {
    /// Ends the load that is under way.
    pub(super) fn close(&self) {
        self.end(&Err(LoadHistoryError::Closed));
    }

    fn end(&self, loaded: &Result<(), LoadHistoryError>) {
        let Load { worker, waiting } = std::mem::take(&mut *lock(&self.0));
        drop(worker);
        waiting.into_iter().for_each(|then| then(loaded.clone()));
    }
}
