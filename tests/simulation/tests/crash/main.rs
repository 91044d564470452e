//! Crash tests: whatever the disk does at whichever point, nothing that was promised is lost, and
//! nothing is there that was not committed.
//!
//! Each scenario runs once without a fault, which counts its I/O points. Then it runs again for every
//! point and every fault that can strike there; after that the files are opened once more, on a disk
//! that works. `CRASH_SEEDS` says how many losses of power are tried at each point (1), and
//! `CRASH_ONLY=scenario/point` runs one.
#![cfg(simulation)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]

mod app;
mod client;
mod enumerate;
mod ledger;
mod machine;
mod migration;
mod server;
mod sync;
