//! The edges: where time, threads, randomness and files come from.
//!
//! The rest of the crate has none of them (law 7); clippy holds it to that. A browser build brings
//! other edges, and so does a simulator, which decides what happens when: `--cfg simulation`.
#![cfg_attr(
    not(simulation),
    expect(
        clippy::disallowed_methods,
        reason = "this is the edge: what the core may not reach for is reached for here"
    )
)]

pub(crate) mod files;
#[cfg(not(simulation))]
mod native;
#[cfg(simulation)]
pub(crate) mod simulated;

#[cfg(not(simulation))]
use native as edge;
#[cfg(simulation)]
use simulated as edge;

pub use edge::now;
pub(crate) use edge::{
    Background, Mail, Mailbox, Stopwatch, Worker, fill, read_ahead, work_behind,
};
pub(crate) use files::{DirectoryLock, LockError};
