//! Sync: several clients, one order.
//!
//! A store commits at once and offline; its events are *pending* until the *sync backend* has given
//! them their place. Others' events may come first: then the pending ones are *rebased*, applied
//! again behind them.
//!
//! [`SyncBackend`] is the contract with whatever carries events. Inside, and without any I/O, `merge`
//! decides how a store's order has to change to agree with the backend's, and `engine` what to do
//! next. A store drives them, once [`Builder::sync`](crate::store::Builder) has given it a backend.

mod backend;
mod convert;
pub(crate) mod engine;
pub(crate) mod merge;
mod options;
pub(crate) mod payload;
mod restore;
mod status;

pub use livestore_protocol::{
    Cursor, MAX_BATCH_BYTES, MAX_DEPTH, MAX_EVENTS, More, Page, Secret, SyncError, SyncEvent,
};

#[cfg(not(target_family = "wasm"))]
pub use backend::Task;
pub use backend::{
    BackendMessage, ConnectRequest, Connection, ImageReply, ImageRequest, InvalidBackend,
    MessageSender, SyncBackend,
};
pub use options::{InitialSync, SyncOptions};
pub use payload::{InvalidPayload, PayloadError, PayloadRequest};
pub use status::{NetworkStatus, OnBackendReset, StopReason, SyncStatus};
