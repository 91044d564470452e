//! Files: a store's directory, and files that are whole or absent.

use std::fs::TryLockError;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::edge::{
    self,
    fs::{self, File},
};

/// A directory that this process owns until the value is dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: File,
}

/// Why a directory could not be made one's own.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process, or another store of this one, has it.
    Held,
    /// The directory cannot be made or written to.
    Io(io::Error),
}

impl DirectoryLock {
    /// Makes the directory if need be, and owns it.
    pub(crate) fn acquire(directory: &Path) -> Result<Self, LockError> {
        fs::create_dir_all(directory).map_err(LockError::Io)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("lock"))
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

/// Closing the file would not do: a process that is just being started has it open, too.
impl Drop for DirectoryLock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Writes a file so that whoever reads `path` sees all of it or what was there before.
pub(crate) fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let temporary = temporary(path);
    let write = || {
        let mut file = File::create(&temporary)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// A file that is only read.
#[derive(Debug)]
pub(crate) struct ReadFile {
    file: File,
    length: u64,
}

impl ReadFile {
    /// Opens the file, if it is there.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => {
                let length = file.metadata()?.len();
                Ok(Some(Self { file, length }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills the buffer with the bytes from `at` on.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        edge::read_at(&self.file, at, buffer)
    }
}

/// Removes the file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names in a directory, as they are spelled; none if it is not there or may not be listed.
pub(crate) fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    edge::names_in(directory)
}

/// Whether there is such a file or directory.
pub(crate) fn exists(path: &Path) -> bool {
    fs::exists(path).unwrap_or(false)
}

/// Renames a directory.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension("tmp")
}
