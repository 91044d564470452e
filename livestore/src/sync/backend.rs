//! The contract between a store and its sync backend.
//!
//! A store makes requests through a [`Connection`]. The connection sends the answers through a
//! [`MessageSender`], at any time and from any thread.

use std::fmt;
#[cfg(not(target_family = "wasm"))]
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use livestore_protocol::{Cursor, Identity, Page, Secret, SyncError, SyncEvent};

use crate::event::EncodedEvent;

/// A sync backend: it gives the events of all clients one order.
///
/// `livestore-sync` has backends for WebSocket, HTTP and the same process.
pub trait SyncBackend: fmt::Debug + Send + Sync + 'static {
    /// Begins to connect, and returns at once. The connection sends its messages to the store in
    /// order: [`Connected`](BackendMessage::Connected) first,
    /// [`Disconnected`](BackendMessage::Disconnected) last.
    ///
    /// Dropping the connection ends it; messages that are sent afterwards are ignored.
    fn connect(&self, request: ConnectRequest, messages: MessageSender) -> Box<dyn Connection>;

    /// Checks the settings of the backend, when a store is opened with it: what can never work, such as
    /// a malformed address, is an error at once. By default, everything is fine.
    ///
    /// # Errors
    /// When no connection could ever be made with these settings.
    fn check(&self) -> Result<(), InvalidBackend> {
        Ok(())
    }

    /// Returns why the calling thread must not wait for this backend, if so: because connections run
    /// on this very thread. Waiting on it is then an error at once, instead of a time-out. By default,
    /// any thread may wait.
    fn blocked_by_waiting(&self) -> Option<String> {
        None
    }

    /// Runs the app's [asynchronous function for the payload](super::SyncOptions::payload_async) where
    /// the connections run, such as on a runtime, and returns at once. By default it returns the task,
    /// which the store then runs on a thread of its own, without a runtime.
    #[cfg(not(target_family = "wasm"))]
    fn spawn(&self, task: Task) -> Option<Task> {
        Some(task)
    }

    /// Requests an [image](super::InitialSync::Image) of a store's state, and returns at once. `reply` is
    /// called with its bytes, or with the reason why there is none. By default there is none.
    fn image(&self, request: ImageRequest, reply: ImageReply) {
        drop(request);
        reply(Err("this backend makes no images".to_owned()));
    }
}

/// A request for an image of a store's state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageRequest {
    /// The store, and who asks.
    pub connect: ConnectRequest,
    /// The hash of the schema that the state has to be made under.
    pub schema_hash: i64,
    /// The most bytes of the image.
    pub max_bytes: u64,
    /// The time that it may take in all.
    pub timeout: Duration,
}

/// Receives an image, or the reason why there is none, for people. See [`SyncBackend::image`].
pub type ImageReply = Box<dyn FnOnce(Result<Vec<u8>, String>) + Send>;

/// A future that a store wants to run: see [`SyncBackend::spawn`].
#[cfg(not(target_family = "wasm"))]
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The reason why a backend cannot work with its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidBackend(pub String);

/// A connection to a backend. Its methods return at once.
pub trait Connection: Send {
    /// Requests all events after the cursor, or all events if there is none, and after them every
    /// new event as it arrives. Called at most once on a connection.
    fn pull(&mut self, cursor: Option<Cursor>);

    /// Pushes events. There is one push at a time: the next one follows after
    /// [`Pushed`](BackendMessage::Pushed) or [`PushFailed`](BackendMessage::PushFailed).
    ///
    /// `backend_id` is the id of the backend that the events are meant for, once it is known.
    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>);

    /// Finds out soon whether the connection is still alive: the app expects a change of the network, or
    /// the machine has slept. By default, nothing happens.
    fn check(&mut self) {}
}

/// A request to connect to a store of the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// The id of the store.
    pub store_id: String,
    /// JSON that the app sends to the backend with every request, such as a token.
    pub payload: Option<Secret>,
}

impl ConnectRequest {
    /// Returns a request to connect to the store `store_id`; `payload` is JSON.
    pub fn new(store_id: impl Into<String>, payload: Option<Secret>) -> Self {
        Self { store_id: store_id.into(), payload }
    }
}

impl EncodedEvent {
    /// Returns the parts of the event that distinguish it from all others.
    pub(crate) fn identity(&self) -> Identity<'_> {
        Identity {
            seq: self.seq.global,
            name: &self.name,
            args: &self.args,
            client_id: &self.client_id,
            session_id: &self.session_id,
        }
    }
}

/// A message from a connection to its store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendMessage {
    /// The connection is established.
    Connected,
    /// Events, in order.
    Pulled(Page),
    /// A part of a long message has arrived: the connection is slow, but alive. Sent now and then until
    /// all of the message is there, so that the store does not give up waiting for it.
    Receiving,
    /// The pull failed; the store ends the connection. [`Refused`](SyncError::Refused) is about the
    /// payload: the store asks the app for another one and connects again, once at once, and then
    /// [slowly](super::NetworkStatus::LoginRequired).
    PullFailed(SyncError),
    /// The backend has accepted the last push: its events come next in the backend's order.
    ///
    /// They arrive through the pull as well, and count as confirmed only then.
    Pushed,
    /// The backend has not accepted the last push, or whether it has is unknown.
    ///
    /// The error decides what follows. [`Refused`](SyncError::Refused) is for now: the events are
    /// pushed again, at growing intervals. [`Invalid`](SyncError::Invalid) is for good: smaller pushes
    /// find the commit that is meant, which is [quarantined](crate::Store::quarantined).
    PushFailed(SyncError),
    /// The backend asks to be left alone for this time, at most 10 minutes.
    /// [`Disconnected`](Self::Disconnected) follows.
    RetryAfter(Duration),
    /// The connection has ended, or could not be made. No message follows.
    Disconnected {
        /// The reason, for people.
        reason: String,
    },
}

/// Sends the messages of a connection to its store. It is cheap to clone, and never blocks for long.
#[derive(Clone)]
pub struct MessageSender(Arc<dyn Fn(BackendMessage) + Send + Sync>);

impl MessageSender {
    /// Returns a sender that passes every message to `receive`, which must not block.
    pub fn new(receive: impl Fn(BackendMessage) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Sends a message to the store.
    pub fn send(&self, message: BackendMessage) {
        (self.0)(message);
    }
}

impl fmt::Debug for MessageSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageSender").finish_non_exhaustive()
    }
}
