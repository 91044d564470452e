//! The server through real sockets.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![allow(clippy::indexing_slicing, reason = "JSON is read by index; a panic fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests have files, processes and time limits")]

mod auth;
mod bad_input;
mod binary;
mod client;
mod http;
mod live;
mod operator;
#[cfg(feature = "schema")]
mod schema;
mod secrets;
mod slow_links;
mod tokens_that_end;
