//! The schema lock, as a user meets it: packages that `cargo check` compiles, one change after the
//! other.

#![allow(clippy::disallowed_methods, reason = "the tests write packages and run cargo")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod accept;
mod breaking;
mod example;
mod scratch;
mod targets;
