//! Pieces of a backend's order, and places in it.

use crate::SyncEvent;

/// The place in a backend's order up to which a client has pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The id of the backend.
    pub backend_id: String,
    /// The sequence number of the last event that the client has: the upstream head.
    pub head: u64,
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
