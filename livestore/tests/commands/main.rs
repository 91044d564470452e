//! Commands: they decide again when others' events come first, and what fails is kept for the app.

#![allow(missing_docs, unreachable_pub, reason = "modules of one test binary, not an API")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests are an edge: they have threads")]

mod app;
mod conflicts;
mod hostile;
mod random_worlds;
mod seats;
mod sessions;
