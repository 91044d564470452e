//! What is done after a while, unless it is given up before.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::edge::{Mailbox, Worker};

/// Calls `work` after this time, unless what is returned is dropped before.
///
/// # Errors
/// When nothing can wait for that: there is no thread left, or no event loop.
pub(super) fn after(
    time: Duration,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<Worker<()>> {
    let mailbox = Arc::new(Mailbox::new());
    // One that is beyond all time is never due.
    let until = mailbox.now().checked_add(time);
    let mut work = Some(work);
    let turn = move |message: Option<()>| {
        if message.is_some() {
            return ControlFlow::Continue(until);
        }
        if let Some(work) = work.take() {
            work();
        }
        ControlFlow::Break(())
    };
    mailbox.put(());
    Worker::spawn("livestore-timer", mailbox, turn)
}
