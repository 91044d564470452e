//! Sync: several clients, one order.
//!
//! A store commits at once and offline; its events are *pending* until the *sync backend* has given
//! them their place. [`backend`](SyncBackend) is the contract with it.

mod backend;
pub mod merge;

pub use backend::{
    Cursor, FromBackend, Hello, Inbox, Link, More, Pulled, SyncBackend, SyncEvent, SyncFailure,
};
