//! Queries: every operator and shape of the builder, and raw SQL, on data where it matters.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "a test, not an API")]

mod conditions;
mod joins;
mod library;
mod limits;
mod properties;
mod raw;
mod reach;
mod search;
mod shapes;
