//! The threads that a browser's page does not have.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::Mailbox;

/// A thread that runs one job each time it is woken. The browser has none: `start` says so.
#[derive(Debug)]
pub(crate) struct Background;

impl Background {
    pub(crate) fn new(_: &'static str, _: impl FnMut() + Send + 'static) -> Self {
        Self
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn start(&self) -> io::Result<()> {
        Err(no_thread())
    }

    pub(crate) fn wake(&self) {}
}

/// A thread with a mailbox. The browser has none.
#[derive(Debug)]
pub(crate) struct Worker<T> {
    _none: Infallible,
    of: PhantomData<fn(T)>,
}

impl<T> Worker<T> {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn spawn(
        _: &str,
        _: Arc<Mailbox<T>>,
        _: impl FnMut(Option<T>) -> ControlFlow<(), Option<Duration>> + Send + 'static,
    ) -> io::Result<Self> {
        Err(no_thread())
    }
}

fn no_thread() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "there are no threads on this platform")
}

/// Calls `work` with what `read` returns, until `read` returns `None` or `work` fails.
pub(crate) fn read_ahead<T: Send, E>(
    read: impl FnMut() -> Option<T> + Send,
    mut work: impl FnMut(&mut T) -> Result<(), E>,
) -> Result<(), E> {
    std::iter::from_fn(read).try_for_each(|mut piece| work(&mut piece))
}
