//! An event as it is stored in the log.

use std::borrow::Cow;
use std::sync::Arc;

use super::session::window_of;
use super::{DecodeError, Event, SeqNum, decode};

/// One event of the eventlog: its place, its name, its args as JSON, and who committed it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodedEvent {
    /// Its place in the log.
    pub seq: SeqNum,
    /// The event before it.
    pub parent: SeqNum,
    /// The wire name.
    pub name: Cow<'static, str>,
    /// The args: JSON, most often an object, or an empty text for an event without args. To a client in
    /// TypeScript that is not the same as `null`.
    pub args: String,
    /// The client that committed it.
    pub client_id: Arc<str>,
    /// The session of that client: one opening of the store.
    pub session_id: Arc<str>,
    /// The hash of the schema it was committed under.
    pub schema_hash: i64,
    /// The sync backend's metadata, as JSON; `None` while the event is pending.
    pub sync_metadata: Option<String>,
    /// Whether the event belongs to the same commit as the event before it in the log.
    ///
    /// `false` for events of other clients: a sync backend does not say.
    pub continues: bool,
}

impl EncodedEvent {
    /// Returns the event as a Rust value.
    ///
    /// # Errors
    /// When it is not one of `E`'s events, or its args do not fit `E`.
    pub fn decode<E: Event>(&self) -> Result<E, DecodeError> {
        decode(&self.name, &self.args)
    }

    /// The window in which it was committed, whose client documents its materializer reads.
    pub(crate) fn window_id(&self) -> &str {
        window_of(&self.session_id)
    }

    /// Whether the event stays on its client.
    pub fn is_client_only(&self) -> bool {
        self.seq.client != 0
    }
}
