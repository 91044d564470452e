//! Storage in one SQLite file for all stores.
//!
//! One writer, on a thread of its own, appends everything that waits for it in one transaction, so
//! that a thousand stores share one fsync (group commit). Reads have connections of their own.
#![cfg_attr(
    not(simulation),
    expect(clippy::disallowed_methods, reason = "a storage is made of files and threads")
)]

mod file;
mod queue;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod watch;
mod writer;

use std::error::Error;
use std::fs::TryLockError;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::queue::Queue;
use self::reader::Readers;
use self::watch::FileWatch;
use self::writer::{Job, Writer};
use super::{EventStore, Reply, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent};
use crate::edge::fs::{self, File};

/// The time at which a push is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Once the operating system has the events: they survive a crash of the server, but not of the
    /// machine.
    Written,
    /// Once the events are on disk: they survive power loss.
    #[default]
    Synced,
}

/// The reason why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// Another server uses it.
    #[error("{}: another server uses this directory", .0.display())]
    InUse(PathBuf),
    /// It cannot be created or written to.
    #[error("cannot use {}", path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// SQLite cannot open the file.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A different version, or a different program, has written the file.
    #[error("{}: the file has format {found}, but this server reads format {}", path.display(), file::FORMAT)]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
}

impl OpenStoreError {
    fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        Self::Sqlite { path: path.into(), source: source.into() }
    }
}

/// A storage in a directory, which no other process can use until the value is dropped.
#[derive(Debug)]
pub struct SqliteStore {
    queue: Queue,
    readers: Readers,
    /// Dropped last.
    _lock: DirectoryLock,
}

impl SqliteStore {
    /// Opens the directory, and creates it if it is missing.
    ///
    /// # Errors
    /// If the directory cannot be used.
    pub fn open(
        directory: &Path,
        durability: Durability,
        limits: StoreLimits,
    ) -> Result<Self, OpenStoreError> {
        let lock = DirectoryLock::acquire(directory)?;
        let path = file::path(directory);
        let connection = file::open(&path, durability)?;
        let io = |source| OpenStoreError::Io { path: directory.into(), source };
        let files = Arc::new(FileWatch::new(&[path.as_path(), &lock.path]).map_err(io)?);
        let writer = Writer::new(connection, limits, Arc::clone(&files));
        let queue = Queue::start(writer).map_err(io)?;
        Ok(Self { queue, readers: Readers::new(path, Some(files)), _lock: lock })
    }

    /// Opens the directory only for reading, while a server may be using it.
    ///
    /// # Errors
    /// If the directory has no events that this version can read.
    pub fn reader(directory: &Path) -> Result<ReadOnlyStore, OpenStoreError> {
        let path = file::path(directory);
        file::check(&path)?;
        Ok(ReadOnlyStore { readers: Readers::new(path, None) })
    }
}

impl EventStore for SqliteStore {
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>) {
        self.queue.put(Job::Open { store: store.clone(), backend_id: None, reply });
    }

    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>) {
        let backend_id = Some(backend_id.to_owned());
        self.queue.put(Job::Open { store: store.clone(), backend_id, reply });
    }

    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>) {
        self.queue.put(Job::Append { store: store.clone(), events, reply });
    }

    fn check(&self, reply: Reply<()>) {
        self.queue.put(Job::Check { reply });
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.readers.read(store, after, visit)
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.readers.list()
    }
}

/// The events in a directory that a running server may use.
#[derive(Debug)]
pub struct ReadOnlyStore {
    readers: Readers,
}

impl ReadOnlyStore {
    /// Reads events, as [`EventStore::read`] does.
    ///
    /// # Errors
    /// As [`EventStore::read`].
    pub fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.readers.read(store, after, visit)
    }

    /// Returns all stores, as [`EventStore::list`] does.
    ///
    /// # Errors
    /// As [`EventStore::list`].
    pub fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.readers.list()
    }

    /// Copies all stores, as they are at one moment, into a directory that has no events yet. The copy
    /// can be served.
    ///
    /// # Errors
    /// If the directory has events, or cannot be written to.
    pub fn backup(&self, directory: &Path) -> Result<(), OpenStoreError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenStoreError::Io { path, source }
        };
        fs::create_dir_all(directory).map_err(io(directory))?;
        let target = file::path(directory);
        if fs::exists(&target).map_err(io(&target))? {
            return Err(io(&target)(io::ErrorKind::AlreadyExists.into()));
        }
        let partial = target.with_extension("partial");
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(&partial)(error)),
            _ => Ok(()),
        }?;
        self.readers.copy_to(&partial)?;
        File::open(&partial).and_then(|copy| copy.sync_all()).map_err(io(&partial))?;
        fs::rename(&partial, &target).map_err(io(&target))?;
        File::open(directory).and_then(|dir| dir.sync_all()).map_err(io(directory))
    }
}

/// The client has a lock like this one. They have no common home: the server does not depend on
/// `livestore`, and the crate that both stand on, `livestore-protocol`, has no files.
#[derive(Debug)]
struct DirectoryLock {
    path: PathBuf,
    file: File,
}

impl DirectoryLock {
    fn acquire(directory: &Path) -> Result<Self, OpenStoreError> {
        let io = |source| OpenStoreError::Io { path: directory.into(), source };
        fs::create_dir_all(directory).map_err(io)?;
        let mut options = File::options();
        let options = options.create(true).truncate(false).write(true);
        let path = directory.join("lock");
        let file = options.open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(OpenStoreError::InUse(directory.into())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }
}

/// Closing the file is not enough: a process that is just being started has it open, too.
impl Drop for DirectoryLock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}
