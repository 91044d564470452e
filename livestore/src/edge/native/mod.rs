//! What an operating system gives.

mod ahead;
mod background;
mod clock;
mod mailbox;
mod random;

pub(crate) use ahead::{read_ahead, work_behind};
pub(crate) use background::Background;
pub(crate) use clock::Stopwatch;
pub use clock::now;
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub(crate) use random::fill;
pub(crate) use std::fs;
