//! The wire protocol of LiveStore's sync backend (`sync-cf`, 0.4): messages as types, and as text.
//!
//! A client sends [`ClientMessage`]s and a backend [`ServerMessage`]s, each one JSON object: a text
//! frame of a WebSocket, or over HTTP the body of a request and an element of the array that
//! answers it. There is no I/O in here; both ends use it.
//!
//! Events carry their args as JSON text that is passed on as it is, never parsed into a tree.

mod client;
mod error;
mod event;
mod failure;
mod id;
mod json;
mod query;
mod server;

pub use client::{Call, ClientMessage, Ping, Pull, Push, Request};
pub use error::WireError;
pub use event::{wire_size, write_pulled_event};
pub use id::{Dialect, RequestId};
pub use query::{ConnectQuery, Transport};
pub use server::{Exit, PageWriter, ServerMessage, write_chunk, write_page};

/// The most events in one push or one page of a pull.
pub const MAX_EVENTS: usize = 100;

/// The most bytes in one push or one page of a pull, as JSON.
pub const MAX_BYTES: usize = 900_000;

/// How much of [`MAX_BYTES`] is kept for what stands around the events: the ids, the payload.
pub const ENVELOPE_BYTES: usize = 8_192;

/// The most bytes that the events of one push may have together, by [`wire_size`].
pub const MAX_BATCH_BYTES: usize = MAX_BYTES - ENVELOPE_BYTES;

/// How deep the args of a pushed event may nest.
pub const MAX_DEPTH: usize = 100;
