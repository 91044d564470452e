//! Messages as text, in both dialects.

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
pub use event::write_pulled_event;
pub use id::{Dialect, RequestId};
pub(crate) use json::{deeper_than, str_size};
pub use query::{ConnectQuery, QueryError, SCHEMA_HASH_HEADER, Transport};
pub use server::{Exit, PageWriter, ServerMessage, write_chunk, write_page};
