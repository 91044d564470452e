//! The edge on an operating system.

mod ahead;
mod background;
mod clock;
mod mailbox;
mod random;

pub(crate) use ahead::read_ahead;
pub(crate) use background::Background;
pub(crate) use clock::{Stopwatch, unix_millis};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub(crate) use random::fill_random;
pub(crate) use std::fs;
