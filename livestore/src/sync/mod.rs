//! Sync: several clients, one order.
//!
//! A store commits at once and offline; its events are *pending* until the *sync backend* has given
//! them their place. Others' events may come first: then the pending ones are *rebased*, applied
//! again behind them.
//!
//! Three parts, none of which does I/O: [`merge`] says what news mean for a log, [`engine`] what to
//! do next, and [`SyncBackend`] is the contract with whatever carries events. A store drives them,
//! once [`Builder::sync`](crate::store::Builder) has given it a backend.

mod backend;
pub mod engine;
pub mod merge;
mod options;
mod status;

pub use livestore_protocol::{
    Cursor, MAX_BATCH_BYTES, MAX_EVENTS, More, Page, Secret, SyncError, SyncEvent,
};

pub use backend::{BackendMessage, ConnectRequest, Connection, MessageSender, SyncBackend};
pub use options::{InitialSync, SyncOptions};
pub use status::{NetworkStatus, OnBackendReset, StopReason, SyncStatus};
