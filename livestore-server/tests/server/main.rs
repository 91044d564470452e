//! The server through real sockets.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![allow(clippy::disallowed_methods, reason = "tests have files, processes and time limits")]

mod auth;
mod bad_input;
mod binary;
mod client;
mod http;
mod live;
