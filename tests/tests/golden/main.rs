//! Files of every format that was released, in `tests/golden`: what was written stays readable.
//!
//! A change of what these tests say of a file is a promise broken, whatever else passes. A format
//! that changes gets a folder of its own, written once by [`write`], and the old folder stays.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

mod app;
mod client;
mod server;
mod text;
mod write;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The folder of the files that were written at first. Of those that are not in a later folder, the
/// format is still the same.
const FIRST: &str = "0.1";

/// The folder of the client's files as they are written now.
const CLIENT: &str = "0.2";

/// Where the files of a format are.
fn golden(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format)
}

/// A directory with a copy of a file: what opens it may write to it.
fn copy(format: &str, file: &str, to: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    add(&directory, format, file, to);
    directory
}

fn add(directory: &TempDir, format: &str, file: &str, to: &str) {
    let to = directory.path().join(to);
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(golden(format).join(file), to).unwrap();
}
