//! An event as it is stored in the log.

use std::borrow::Cow;
use std::sync::Arc;

use super::command::PendingCommand;
use super::session::window_of;
use super::{DecodeError, Event, SeqNum, decode};

/// The key of the backend's reason in the metadata of an event that it has refused.
const REFUSED: &str = "refused";

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
    /// The sync backend's metadata, as JSON; `None` while the event is pending. On an event that the
    /// backend has refused for good, which is client-only from then on, the reason: `{"refused":"…"}`.
    pub sync_metadata: Option<String>,
    /// Whether the event belongs to the same commit as the event before it in the log.
    ///
    /// `false` for events of other clients: a sync backend does not say.
    pub continues: bool,
    /// On the first event of a commit that is pending, the command that has decided it.
    pub(crate) command: Option<Arc<PendingCommand>>,
}

impl EncodedEvent {
    /// An event for [`append`](crate::Store::append): it is pending, a commit by itself, and its schema
    /// is not known.
    pub fn new(
        seq: SeqNum,
        parent: SeqNum,
        name: impl Into<String>,
        args: impl Into<String>,
        client_id: Arc<str>,
        session_id: Arc<str>,
    ) -> Self {
        Self {
            seq,
            parent,
            name: name.into().into(),
            args: args.into(),
            client_id,
            session_id,
            schema_hash: 0,
            sync_metadata: None,
            continues: false,
            command: None,
        }
    }

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

    /// Notes that the backend refuses the event for good.
    pub(crate) fn refused(self, reason: &str) -> Self {
        let metadata = serde_json::json!({ REFUSED: reason }).to_string();
        Self { sync_metadata: Some(metadata), ..self }
    }

    /// Returns the backend's reason if it has refused the event for good.
    pub fn refusal(&self) -> Option<String> {
        let metadata = self.sync_metadata.as_deref().filter(|_| self.is_client_only())?;
        let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
        metadata.get(REFUSED)?.as_str().map(str::to_owned)
    }

    /// Whether the event stays on its client.
    pub fn is_client_only(&self) -> bool {
        self.seq.client != 0
    }
}
