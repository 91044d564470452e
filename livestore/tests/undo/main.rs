//! Undo and redo: of one's own commits, decided on the state as it is.

#![allow(missing_docs, unreachable_pub, reason = "modules of one test binary, not an API")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests are an edge: they have threads")]

mod app;
mod hostile;
mod others;
mod random;
mod restarts;
mod sessions;
mod steps;
