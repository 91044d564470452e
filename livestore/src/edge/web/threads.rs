//! The threads that a browser's page does not have.

use std::io;

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
        Err(io::Error::new(io::ErrorKind::Unsupported, "there are no threads on this platform"))
    }

    pub(crate) fn wake(&self) {}
}

/// Calls `work` with what `read` returns, until `read` returns `None` or `work` fails.
pub(crate) fn read_ahead<T: Send, E>(
    read: impl FnMut() -> Option<T> + Send,
    mut work: impl FnMut(&mut T) -> Result<(), E>,
) -> Result<(), E> {
    std::iter::from_fn(read).try_for_each(|mut piece| work(&mut piece))
}
