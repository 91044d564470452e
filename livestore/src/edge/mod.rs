//! The edges: where time, threads and files come from.
//!
//! The rest of the crate has none of them (law 7); clippy holds it to that. A browser build brings
//! other edges.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: what the core may not reach for is reached for here"
)]

mod ahead;
mod background;
mod clock;
pub(crate) mod files;
mod mailbox;

pub(crate) use ahead::read_ahead;
pub(crate) use background::Background;
pub(crate) use clock::Stopwatch;
pub use clock::now;
pub(crate) use files::{DirectoryLock, LockError};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
