//! A disk that a browser's page does not have: std answers that it cannot.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What stays the same for as long as a path leads to the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity;

impl FileIdentity {
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|_| Self)
    }

    pub(crate) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|_| Self)
    }
}

/// Lists a directory. No store on this target has one.
pub(crate) fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(directory)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

pub(crate) fn resolve(path: &Path) -> PathBuf {
    path.to_owned()
}

pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    fs::remove_dir(path)
}

pub(crate) fn note_open_files_limit() {}

pub(crate) fn open_files_limit() -> Option<u64> {
    None
}

pub(crate) fn is_out_of_files(_: &io::Error) -> bool {
    false
}
