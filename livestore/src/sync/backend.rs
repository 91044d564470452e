//! The contract between a store and its sync backend.
//!
//! A store makes requests through a [`Connection`], and the connection sends what comes of them
//! through a [`MessageSender`], in its own time and from any thread.

use std::fmt;
use std::sync::Arc;

use super::Secret;
use crate::event::{EncodedEvent, SeqNum};

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
}

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
}

/// The most events in a push.
pub const MAX_EVENTS: usize = 100;

/// The most bytes in a push, as [`SyncEvent::wire_size`] counts them.
pub const MAX_BYTES: usize = 900_000;

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

/// The place in a backend's order up to which a client has pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The id of the backend.
    pub backend_id: String,
    /// The sequence number of the last event that the client has: the upstream head.
    pub head: u64,
}

/// An event as it is pushed and pulled. Client-only events never are, so its place is one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncEvent {
    /// The sequence number: its place in the backend's order.
    pub seq: u64,
    /// The sequence number of the event before it.
    pub parent: u64,
    /// The wire name.
    pub name: String,
    /// The args as JSON.
    pub args: String,
    /// The client that committed it.
    pub client_id: Arc<str>,
    /// The session of that client.
    pub session_id: Arc<str>,
    /// The backend's metadata, as JSON. There is none while an event is pushed.
    pub metadata: Option<String>,
}

impl SyncEvent {
    /// Returns the number of bytes that the event takes on the wire, at most.
    pub fn wire_size(&self) -> usize {
        wire_size(&self.args, [&self.name, &self.client_id, &self.session_id])
    }
}

impl EncodedEvent {
    /// Returns the number of bytes that the event takes on the wire, at most.
    pub(crate) fn wire_size(&self) -> usize {
        wire_size(&self.args, [&self.name, &self.client_id, &self.session_id])
    }
}

fn wire_size(args: &str, texts: [&str; 3]) -> usize {
    FRAME + args.len() + texts.into_iter().map(json_size).sum::<usize>()
}

/// What stands around the parts of an event when it is pulled, which is more than when it is
/// pushed: keys, numbers, punctuation, metadata, and the frame if it is alone in it.
const FRAME: usize = 400;

/// How many bytes a text takes in JSON, at most.
fn json_size(text: &str) -> usize {
    let size = |byte: u8| match byte {
        0..=0x1f => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(size).sum()
}

impl From<&EncodedEvent> for SyncEvent {
    fn from(event: &EncodedEvent) -> Self {
        Self {
            seq: event.seq.global,
            parent: event.parent.global,
            name: event.name.clone().into_owned(),
            args: event.args.clone(),
            client_id: Arc::clone(&event.client_id),
            session_id: Arc::clone(&event.session_id),
            metadata: None,
        }
    }
}

/// A confirmed event of the log. The hash of the schema that it was committed under is unknown.
impl From<SyncEvent> for EncodedEvent {
    fn from(event: SyncEvent) -> Self {
        Self {
            seq: SeqNum::new(event.seq),
            parent: SeqNum::new(event.parent),
            name: event.name.into(),
            args: event.args,
            client_id: event.client_id,
            session_id: event.session_id,
            schema_hash: 0,
            sync_metadata: Some(event.metadata.unwrap_or_else(|| "null".to_owned())),
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
    /// The pull failed; the connection is of no more use.
    PullFailed(SyncError),
    /// The backend has accepted the last push: its events come next in the backend's order.
    ///
    /// They arrive through the pull as well, and count as confirmed only then.
    Pushed,
    /// The backend has not accepted the last push, or whether it has is unknown.
    PushFailed(SyncError),
    /// The connection has ended, or could not be made. No message follows.
    Disconnected {
        /// The reason, for people.
        reason: String,
    },
}

/// Consecutive events of the backend's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events; there may be none.
    pub events: Vec<SyncEvent>,
    /// Whether more events follow, as far as the backend knows.
    pub more: More,
    /// The id of the backend.
    pub backend_id: String,
}

/// Whether events follow a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// None, for now.
    No,
    /// This number of events.
    Known(u64),
    /// An unknown number of events.
    Unknown,
}

/// The reason why a pull or a push failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The push does not follow the backend's last event: pull first.
    #[error("the backend's last event is e{head}, but the push follows e{parent}")]
    ServerAhead {
        /// The sequence number of the backend's last event.
        head: u64,
        /// The parent of the first event of the push.
        parent: u64,
    },
    /// The backend is not the one that the client has synced with.
    #[error("the backend is {expected}, but this client has synced with {received}")]
    BackendIdMismatch {
        /// The backend's id.
        expected: String,
        /// The id that the client sent.
        received: String,
    },
    /// The client has no right to do this, or a limit of the backend is reached.
    #[error("the backend refuses: {0}")]
    Refused(String),
    /// The backend does not accept the request, and would not accept it the next time.
    #[error("the backend does not accept the request: {0}")]
    Invalid(String),
    /// Anything else; the next attempt may succeed.
    #[error("the backend failed: {0}")]
    Failed(String),
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
