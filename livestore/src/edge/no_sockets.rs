//! Stands for the connections between sessions where there are none: nobody listens, and nobody is found.

use std::convert::Infallible;
use std::io;
use std::path::Path;

/// One end of a connection between two sessions. There is none here.
#[derive(Debug, Clone)]
pub(crate) struct Line(Infallible);

impl Line {
    pub(crate) fn send(&self, _: Vec<u8>) {
        match self.0 {}
    }

    pub(crate) fn close(&self) {
        match self.0 {}
    }
}

/// What happens on a line.
#[derive(Debug)]
#[expect(dead_code, reason = "the other edge makes them")]
pub(crate) enum LineEvent {
    Frame(Vec<u8>),
    Closed { reason: String },
}

/// Called with what happens on a line.
pub(crate) type OnLine = Box<dyn FnMut(LineEvent) + Send>;

/// Accepts lines from other sessions. There is none here.
#[derive(Debug)]
pub(crate) struct Listener(Infallible);

/// Refuses.
///
/// # Errors
/// Always.
pub(crate) fn listen(
    _: &Path,
    _: impl FnMut(Line) -> OnLine + Send + 'static,
) -> io::Result<Listener> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Refuses.
///
/// # Errors
/// Always.
pub(crate) fn dial(_: &Path, _: impl FnOnce(Line) -> OnLine) -> io::Result<Line> {
    Err(io::ErrorKind::Unsupported.into())
}
