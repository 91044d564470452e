//! Checks packages with `cargo check`, change by change, as a user does: the schema lock, and SQL that is
//! checked again when a table changes.

#![allow(clippy::disallowed_methods, reason = "the tests write packages and run cargo")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod accept;
mod breaking;
mod example;
mod recheck;
mod scratch;
mod targets;
