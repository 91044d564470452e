//! The facts of LiveStore's sync protocol (`sync-cf`, 0.4), which clients and backends share.
//!
//! | part | what it defines |
//! |---|---|
//! | [`SyncEvent`], [`Page`], [`Cursor`], [`SyncError`] | what goes over a connection |
//! | [`ClientMessage`], [`ServerMessage`], [`ConnectQuery`] | how that is written as text, in both [dialects](Dialect) |
//! | [`Identity`] | when two events are the same |
//! | [`CommitTrace`] | the trace of a commit, which is the same wherever it goes |
//! | [`MAX_EVENTS`], [`MAX_EVENT_BYTES`], [`check_push`] | what a backend accepts |
//! | [`StoreId`], [`id_from_random`] | ids |
//! | [`printable`], [`ErrorChain`] | text for people: from outside, and about errors |
//!
//! A client sends [`ClientMessage`]s and a backend [`ServerMessage`]s, each one JSON object: a text
//! frame of a WebSocket, or over HTTP the body of a request and an element of the array that
//! answers it. Args are JSON text that is passed on as it is, never parsed into a tree.
//!
//! There is no I/O, no runtime and no database in here, and it builds for
//! `wasm32-unknown-unknown`. An app does not need this crate: `livestore::sync` re-exports the types
//! that an app, or an implementation of a sync backend, works with.
//!
//! ```
//! use livestore_protocol::{ClientMessage, RequestId, Transport};
//!
//! let message = ClientMessage::Ack(RequestId::nth(0));
//! let mut frame = String::new();
//! message.encode(Transport::WebSocket, &mut frame);
//! assert_eq!(frame, r#"{"_tag":"Ack","requestId":"0"}"#);
//! assert_eq!(ClientMessage::decode(&frame)?, message);
//! # Ok::<(), livestore_protocol::WireError>(())
//! ```

mod chain;
mod error;
mod event;
mod id;
mod identity;
mod limits;
mod page;
mod secret;
mod text;
mod timestamp;
mod trace;
mod wire;

pub use chain::ErrorChain;
pub use error::SyncError;
pub use event::SyncEvent;
pub use id::{ID_LENGTH, StoreId, StoreIdError, id_from_random};
pub use identity::Identity;
pub use limits::{
    ENVELOPE_BYTES, InvalidPush, MAX_BATCH_BYTES, MAX_BYTES, MAX_DEPTH, MAX_EVENT_BYTES,
    MAX_EVENTS, check_chain, check_push, is_too_deep, transfer_time,
};
pub use page::{Cursor, More, Page};
pub use secret::Secret;
pub use text::printable;
pub use timestamp::{ParseTimestampError, Timestamp};
pub use trace::CommitTrace;
pub use wire::{
    Call, ClientMessage, ConnectQuery, Dialect, Exit, PageWriter, Ping, Pull, Push, QueryError,
    Request, RequestId, SCHEMA_HASH_HEADER, ServerMessage, Transport, WireError, write_chunk,
    write_page, write_pulled_event,
};
