//! Packages that `cargo check` compiles, one change after the other, as a user does: the schema lock,
//! and SQL that is checked again.

#![allow(clippy::disallowed_methods, reason = "the tests write packages and run cargo")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod accept;
mod breaking;
mod example;
mod recheck;
mod scratch;
mod targets;
