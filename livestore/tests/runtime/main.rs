//! The runtime with real files and real processes: its laws, what survives a crash, what it does
//! with files that are not as it left them.

#![allow(missing_docs, unreachable_pub, reason = "modules of one test binary, not an API")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests are an edge: they have files, threads and a clock"
)]

mod app;
mod busy;
mod damaged_log;
mod damaged_snapshot;
mod determinism;
mod directories;
mod durability;
mod history;
mod identity;
mod kit;
mod laws;
mod open;
mod paths;
mod purity;
mod quarantine;
mod shapes;
mod state_size;
mod tools;
mod unknown;
mod upcasts;
mod verify;
mod versions;

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod full_disk;
#[cfg(unix)]
mod kills;
#[cfg(unix)]
mod lost_files;
#[cfg(unix)]
mod open_files;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod receipts;
#[cfg(unix)]
mod session_processes;
#[cfg(unix)]
mod session_troubles;
#[cfg(unix)]
mod sessions;
#[cfg(unix)]
mod without_files;
