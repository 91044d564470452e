//! The events before those that a store was opened with, fetched when the app wants them.

use std::sync::Arc;
use std::time::Duration;

use super::Store;
use crate::edge::{Mail, Mailbox};
use crate::error::{Unavailable, unavailable_becomes};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Base, Eventlog, EventlogError};
use crate::schema::Schema;
use crate::sync::payload::Payload;
use crate::sync::{
    BackendMessage, ConnectRequest, Connection, Cursor, MessageSender, PayloadError,
    PayloadRequest, Secret, SyncBackend,
};

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

/// What happens while the history is fetched.
enum Input {
    Payload(Result<Secret, PayloadError>),
    Backend(BackendMessage),
}

impl<S: Schema> Store<S> {
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
        let (log, follows) =
            self.inner.with_core(|core| (core.log.clone(), core.order.follows()))?;
        if follows {
            // Only its leader writes the log.
            return match log.read(SeqNum::ROOT, 1) {
                Ok(_) => Ok(()),
                Err(_) => Err(LoadHistoryError::OtherSession),
            };
        }
        let Some(base) = log.base()? else { return Ok(()) };
        let backend_id = log.upstream()?.and_then(|upstream| upstream.backend_id);
        let sync = self.inner.sync.as_ref().ok_or(LoadHistoryError::NoBackend)?;
        if let Some(reason) = sync.blocked_by_waiting() {
            return Err(LoadHistoryError::WouldBlock { reason });
        }
        let mut history = History {
            log,
            base,
            backend_id: backend_id.unwrap_or_default(),
            backend: &*sync.backend,
            payload: &sync.payload,
            store_id: self.store_id(),
            mailbox: Arc::new(Mailbox::new()),
            timeout,
        };
        history.fetch()?;
        history.complete()
    }
}

/// The history before a log's base, on its way.
struct History<'a> {
    log: Eventlog,
    base: Base,
    backend_id: String,
    backend: &'a dyn SyncBackend,
    payload: &'a Payload,
    store_id: &'a str,
    mailbox: Arc<Mailbox<Input>>,
    timeout: Duration,
}

impl History<'_> {
    fn fetch(&mut self) -> Result<(), LoadHistoryError> {
        let mut head = self.head()?;
        if head == self.base.seq {
            return Ok(());
        }
        let mut connection = self.connect()?;
        loop {
            let page = match self.next()? {
                BackendMessage::Connected => {
                    let backend_id = self.backend_id.clone();
                    connection.pull(Some(Cursor { backend_id, head }));
                    continue;
                }
                BackendMessage::Pulled(page) => page,
                BackendMessage::PullFailed(error) => {
                    return Err(LoadHistoryError::Backend { reason: error.to_string() });
                }
                BackendMessage::Disconnected { reason } => {
                    return Err(LoadHistoryError::Backend { reason });
                }
                _ => continue,
            };
            if page.backend_id != self.backend_id {
                return Err(LoadHistoryError::OtherHistory);
            }
            let wanted = |seq| seq > head && seq <= self.base.seq;
            let events = page.events.into_iter().filter(|event| wanted(event.seq));
            let events: Vec<_> = events.map(EncodedEvent::from).collect();
            head = self.add(head, events)?;
            if head == self.base.seq {
                return Ok(());
            }
        }
    }

    fn head(&self) -> Result<u64, LoadHistoryError> {
        self.log.history_head(self.base)?.ok_or(LoadHistoryError::OtherHistory)
    }

    /// Adds the next events; returns the number of the last one.
    fn add(&self, head: u64, events: Vec<EncodedEvent>) -> Result<u64, LoadHistoryError> {
        let mut next = head;
        for event in &events {
            if event.parent.global != next || event.seq.global != next + 1 {
                let reason = format!("it left out events behind e{next}");
                return Err(LoadHistoryError::Backend { reason });
            }
            next = event.seq.global;
        }
        if !events.is_empty() && !self.log.add_history(self.base, events)? {
            return Err(LoadHistoryError::OtherHistory);
        }
        Ok(next)
    }

    fn complete(&self) -> Result<(), LoadHistoryError> {
        match self.log.complete_history(self.base)? {
            true => Ok(()),
            // Somebody else may have done the same.
            false if self.log.base()?.is_none() => Ok(()),
            false => Err(LoadHistoryError::OtherHistory),
        }
    }

    fn connect(&self) -> Result<Box<dyn Connection>, LoadHistoryError> {
        let payload = match self.payload.get() {
            Ok(payload) => payload,
            Err(provider) => {
                let mailbox = Arc::clone(&self.mailbox);
                let reply = move |answer| mailbox.put(Input::Payload(answer));
                provider.call(PayloadRequest::default(), self.backend, reply);
                match self.take()? {
                    Input::Payload(Ok(payload)) => Some(payload),
                    Input::Payload(Err(error)) => {
                        return Err(LoadHistoryError::Backend { reason: error.into_reason() });
                    }
                    Input::Backend(_) => None,
                }
            }
        };
        let mailbox = Arc::clone(&self.mailbox);
        let messages = MessageSender::new(move |message| mailbox.put(Input::Backend(message)));
        Ok(self.backend.connect(ConnectRequest::new(self.store_id, payload), messages))
    }

    fn next(&self) -> Result<BackendMessage, LoadHistoryError> {
        loop {
            if let Input::Backend(message) = self.take()? {
                return Ok(message);
            }
        }
    }

    fn take(&self) -> Result<Input, LoadHistoryError> {
        let deadline = self.mailbox.now().checked_add(self.timeout);
        let Mail::Message(input) = self.mailbox.take(deadline) else {
            return Err(LoadHistoryError::Backend { reason: "it does not answer".to_owned() });
        };
        Ok(input)
    }
}
