//! Rows as files, and edits of files as events, on a real disk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test reads and writes files, and may panic"
)]

mod conflicts;
mod edits;
mod hostile;
mod kills;
mod kit;
mod restarts;
mod speed;
