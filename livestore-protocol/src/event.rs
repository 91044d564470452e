//! An event as it goes over a connection.

use std::sync::Arc;

use crate::Identity;

/// An event as it is pushed and pulled. Client-only events never are, so its place is one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncEvent {
    /// The sequence number: its place in the backend's order.
    pub seq: u64,
    /// The sequence number of the event before it.
    pub parent: u64,
    /// The wire name.
    pub name: String,
    /// The args: any JSON value, as its sender wrote it, or an empty text for an event without args.
    ///
    /// LiveStore's client sends none for an event whose schema is `Schema.Void`. To such a client no
    /// args and `null` are two things, and each must come back as it was sent.
    pub args: String,
    /// The client that committed it.
    pub client_id: Arc<str>,
    /// The session of that client.
    pub session_id: Arc<str>,
    /// The backend's metadata, as JSON. There is none while an event is pushed.
    pub metadata: Option<String>,
}

impl SyncEvent {
    /// Returns the parts of the event that tell it from all others.
    pub fn identity(&self) -> Identity<'_> {
        Identity {
            seq: self.seq,
            name: &self.name,
            args: &self.args,
            client_id: &self.client_id,
            session_id: &self.session_id,
        }
    }

    /// Returns the number of bytes that the event takes on the wire, at most. See
    /// [`Identity::wire_size`].
    pub fn wire_size(&self) -> usize {
        self.identity().wire_size_with(self.metadata.as_deref())
    }
}
