//! A file that is read again when it changes.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use livestore_protocol::ErrorChain;

/// The parsed content of a file, as of its last change.
#[derive(Debug)]
pub(super) struct Watched<T, E> {
    path: PathBuf,
    parse: fn(&str) -> Result<T, E>,
    last: Mutex<Last<T>>,
}

#[derive(Debug)]
struct Last<T> {
    modified: Modified,
    /// The number of changes so far.
    revision: u64,
    value: Arc<T>,
}

/// The time of the last change, which may be a coarse one, and the length.
type Modified = (Option<SystemTime>, u64);

/// The reason why a file of tokens or keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The content of the file is malformed.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The problem, in words.
        problem: String,
    },
}

impl<T, E: Display> Watched<T, E> {
    pub(super) fn open(
        path: &Path,
        parse: fn(&str) -> Result<T, E>,
    ) -> Result<Self, SecretFileError> {
        let last =
            Last { modified: modified(path)?, revision: 0, value: Arc::new(load(path, parse)?) };
        Ok(Self { path: path.into(), parse, last: Mutex::new(last) })
    }

    /// Returns the current content. While the file cannot be read, that is its last one.
    pub(super) fn get(&self) -> Arc<T> {
        Arc::clone(&self.current().value)
    }

    /// Returns the number of changes so far.
    pub(super) fn revision(&self) -> u64 {
        self.current().revision
    }

    fn current(&self) -> MutexGuard<'_, Last<T>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.refresh(&mut last) {
            let error = ErrorChain::new(&error);
            tracing::error!(%error, "a file cannot be read again; its last content stays in force");
        }
        last
    }

    fn refresh(&self, last: &mut Last<T>) -> Result<(), SecretFileError> {
        let modified = modified(&self.path)?;
        if modified != last.modified {
            last.value = Arc::new(load(&self.path, self.parse)?);
            last.modified = modified;
            last.revision += 1;
        }
        Ok(())
    }
}

fn modified(path: &Path) -> Result<Modified, SecretFileError> {
    fs::metadata(path)
        .map(|metadata| (metadata.modified().ok(), metadata.len()))
        .map_err(|source| SecretFileError::Io { path: path.into(), source })
}

fn load<T, E: Display>(path: &Path, parse: fn(&str) -> Result<T, E>) -> Result<T, SecretFileError> {
    let text = fs::read_to_string(path)
        .map_err(|source| SecretFileError::Io { path: path.into(), source })?;
    parse(&text).map_err(|problem| SecretFileError::Content {
        path: path.into(),
        problem: problem.to_string(),
    })
}
