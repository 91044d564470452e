//! What the fuzz targets do with their bytes.
//!
//! `fuzz/` has the program that libFuzzer runs; what the targets do is here, so that the test of this
//! crate can do it, without libFuzzer, to everything in `fuzz/seeds`.
//!
//! A target panics if something is not as it must be. Bytes that are no input for it are let pass.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test, not an API")]

mod app;
mod bytes;
mod client_session;
mod event_args;
mod eventlog;
mod home;
mod import;
mod lock;
mod numbers;
mod server_session;
mod snapshot;
mod sql;

pub use client_session::client_session;
pub use event_args::event_args;
pub use eventlog::eventlog;
pub use import::import;
pub use lock::lock;
pub use numbers::numbers;
pub use server_session::server_session;
pub use snapshot::snapshot;
pub use sql::sql;

/// What is done with an input.
pub type Target = fn(&[u8]);

/// All targets, by their names.
pub const TARGETS: [(&str, Target); 9] = [
    ("client_session", client_session),
    ("event_args", event_args),
    ("eventlog", eventlog),
    ("import", import),
    ("lock", lock),
    ("numbers", numbers),
    ("server_session", server_session),
    ("snapshot", snapshot),
    ("sql", sql),
];
