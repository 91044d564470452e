//! The contract between a store and whatever it syncs with.
//!
//! A backend is asked through a [`Link`] and answers through an [`Inbox`], in its own time and from
//! a thread of its own. It keeps no secrets from the store: what it cannot do, it says.

use std::fmt;
use std::sync::Arc;

use super::Secret;
use crate::event::{EncodedEvent, SeqNum};

/// A sync backend: it decides one order of all clients' events.
///
/// `livestore-sync` has backends for WebSocket, HTTP and the same process.
pub trait SyncBackend: fmt::Debug + Send + Sync + 'static {
    /// Sets out to connect, without waiting. Whatever comes of it is told to `inbox`, in order:
    /// first [`Connected`](FromBackend::Connected), and [`Lost`](FromBackend::Lost) at last.
    ///
    /// Dropping the link ends the connection; nothing that is told afterwards is heard.
    fn connect(&self, hello: Hello, inbox: Inbox) -> Box<dyn Link>;
}

/// A connection to a backend. Its methods do not wait.
pub trait Link: Send {
    /// Asks for all events after the cursor (without one: for all) and, once they are told, for
    /// every new one as it comes. At most once on a link.
    fn pull(&mut self, cursor: Option<Cursor>);

    /// Offers events. There is one push at a time: the next comes after
    /// [`Pushed`](FromBackend::Pushed) or [`PushFailed`](FromBackend::PushFailed).
    ///
    /// `backend_id` is the backend that the events are meant for, once it is known.
    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>);
}

/// The most events in a push.
pub const MOST_EVENTS: usize = 100;

/// The most bytes in a push, as [`SyncEvent::wire_size`] counts them.
pub const MOST_BYTES: usize = 900_000;

/// Who connects, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hello {
    /// The store.
    pub store_id: String,
    /// What the app tells the backend of itself, such as a token: any JSON.
    pub payload: Option<Secret>,
}

impl Hello {
    /// To the store `store_id`; `payload` is JSON.
    pub fn new(store_id: impl Into<String>, payload: Option<Secret>) -> Self {
        Self { store_id: store_id.into(), payload }
    }
}

/// How far a client has pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The backend whose order it is.
    pub backend_id: String,
    /// The last event that is known: the upstream head.
    pub head: u64,
}

/// An event as a backend has it. Only synced events get there, so its place is one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncEvent {
    /// Its place in the backend's order.
    pub seq: u64,
    /// The event before it.
    pub parent: u64,
    /// The wire name.
    pub name: String,
    /// The args as JSON.
    pub args: String,
    /// The client that committed it.
    pub client_id: Arc<str>,
    /// The session of that client.
    pub session_id: Arc<str>,
    /// What the backend says about it, as JSON. A client says nothing.
    pub metadata: Option<String>,
}

impl SyncEvent {
    /// How many bytes it takes on the wire, at most.
    pub fn wire_size(&self) -> usize {
        wire_size(&self.args, [&self.name, &self.client_id, &self.session_id])
    }
}

impl EncodedEvent {
    /// How many bytes it takes on the wire, at most.
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

/// As the log has it: confirmed, whatever the backend says of it. The hash of the schema that it
/// was committed under is not known.
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
            continues: false,
        }
    }
}

/// What a backend tells a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FromBackend {
    /// The connection is there.
    Connected,
    /// Events, in order.
    Pulled(Pulled),
    /// The pull cannot be answered; the link is of no more use.
    PullFailed(SyncFailure),
    /// The events of the last push are the next ones in the backend's order.
    ///
    /// They come by the pull as well, and only then count as confirmed.
    Pushed,
    /// The events of the last push were not taken, or that is not known.
    PushFailed(SyncFailure),
    /// The connection is gone, or could not be made. Nothing comes after this.
    Lost {
        /// Why, for people.
        reason: String,
    },
}

/// A piece of the backend's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The events; there may be none.
    pub events: Vec<SyncEvent>,
    /// Whether there are more, as far as the backend knows.
    pub more: More,
    /// The backend's id.
    pub backend_id: String,
}

/// What comes after a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// Nothing, for now.
    No,
    /// So many events.
    Known(u64),
    /// Some events.
    Unknown,
}

/// Why a backend did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncFailure {
    /// The push does not follow the backend's last event: pull first.
    #[error("the backend's last event is e{head}; the push follows e{parent}")]
    ServerAhead {
        /// The backend's last event.
        head: u64,
        /// The parent of the first event that was pushed.
        parent: u64,
    },
    /// The backend is another one than before.
    #[error("the backend is {expected}, and not {received} as before")]
    BackendIdMismatch {
        /// The backend's id.
        expected: String,
        /// The id that the client knows.
        received: String,
    },
    /// The backend does not let this client do this.
    #[error("the backend refuses: {0}")]
    Refused(String),
    /// The backend cannot make sense of it, and would not the next time.
    #[error("the backend does not understand: {0}")]
    Invalid(String),
    /// Something else went wrong; it may go better the next time.
    #[error("the backend failed: {0}")]
    Failed(String),
}

/// Where a link tells its store what comes. It is cheap to clone, and never waits for long.
#[derive(Clone)]
pub struct Inbox(Arc<dyn Fn(FromBackend) + Send + Sync>);

impl Inbox {
    /// An inbox that hands everything to `take`, which must not wait.
    pub fn new(take: impl Fn(FromBackend) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Tells the store.
    pub fn tell(&self, message: FromBackend) {
        (self.0)(message);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}
