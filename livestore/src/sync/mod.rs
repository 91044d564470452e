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
mod secret;
mod status;

pub use backend::{
    BackendMessage, ConnectRequest, Connection, Cursor, MAX_BYTES, MAX_EVENTS, MessageSender, More,
    Page, SyncBackend, SyncError, SyncEvent,
};
pub use options::{InitialSync, SyncOptions};
pub use secret::Secret;
pub use status::{NetworkStatus, OnBackendReset, StopReason, SyncStatus};
