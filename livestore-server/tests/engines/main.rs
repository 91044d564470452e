//! Engines that several servers share: the real ones, started here. `cargo xtask engines` runs these
//! tests; where an engine is not installed, they are not run.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![allow(clippy::indexing_slicing, reason = "a panic fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests have files, processes and time limits")]
#![cfg(unix)]

mod bad_input;
mod behind_pgbouncer;
mod commands;
mod conformance;
mod full_disk;
mod kit;
mod nats;
mod outages;
mod pgbouncer;
mod postgres;
#[cfg(feature = "schema")]
mod schema;
mod storm;
#[path = "../storm/kit.rs"]
mod storm_kit;
