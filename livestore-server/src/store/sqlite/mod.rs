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
mod writer;

use std::fs::TryLockError;
#[cfg(not(simulation))]
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(simulation)]
use livestore::simulation::fs::{self, File};

use self::queue::Queue;
use self::reader::Readers;
use self::writer::{Job, Writer};
use super::{EventStore, Opened, Reply, StoreError, StoreId, StoreLimits, StoredEvent};

/// When a push is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Once the operating system has it: survives a crash of the server, not one of the machine.
    Written,
    /// Once the disk has it: survives power loss.
    #[default]
    Synced,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// Another process has it.
    #[error("{}: another server uses this directory", .0.display())]
    Held(PathBuf),
    /// It cannot be made, or not be written to.
    #[error("{}: {source}", path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// SQLite cannot open it.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Another version, or another program, wrote it.
    #[error("{}: the file has format {found}, and this server reads format {}", path.display(), file::FORMAT)]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
}

/// Events in a directory, which belongs to this process as long as the value lives.
#[derive(Debug)]
pub struct SqliteStore {
    queue: Queue,
    readers: Readers,
    /// The last to go.
    _lock: DirectoryLock,
}

impl SqliteStore {
    /// Opens the directory; makes it if need be.
    pub fn open(
        directory: &Path,
        durability: Durability,
        limits: StoreLimits,
    ) -> Result<Self, OpenStoreError> {
        let lock = DirectoryLock::acquire(directory)?;
        let path = file::path(directory);
        let connection = file::open(&path, durability)?;
        let queue = Queue::start(Writer::new(connection, limits))
            .map_err(|source| OpenStoreError::Io { path: directory.into(), source })?;
        Ok(Self { queue, readers: Readers::new(path), _lock: lock })
    }

    /// Opens the directory to read it only, beside the server that uses it.
    pub fn reader(directory: &Path) -> Result<ReadOnlyStore, OpenStoreError> {
        let path = file::path(directory);
        file::check(&path)?;
        Ok(ReadOnlyStore { readers: Readers::new(path) })
    }
}

impl EventStore for SqliteStore {
    fn open(&self, store: &StoreId, reply: Reply<Opened>) {
        self.queue.put(Job::Open { store: store.clone(), reply });
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

    fn list(&self) -> Result<Vec<(StoreId, Opened)>, StoreError> {
        self.readers.list()
    }
}

/// The events in a directory that may belong to a running server.
#[derive(Debug)]
pub struct ReadOnlyStore {
    readers: Readers,
}

impl ReadOnlyStore {
    /// As [`EventStore::read`].
    pub fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.readers.read(store, after, visit)
    }

    /// As [`EventStore::list`].
    pub fn list(&self) -> Result<Vec<(StoreId, Opened)>, StoreError> {
        self.readers.list()
    }

    /// Copies everything, as it stands at one moment, into another directory, which must hold no
    /// events yet and can then be served.
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

#[derive(Debug)]
struct DirectoryLock(File);

impl DirectoryLock {
    fn acquire(directory: &Path) -> Result<Self, OpenStoreError> {
        let io = |source| OpenStoreError::Io { path: directory.into(), source };
        fs::create_dir_all(directory).map_err(io)?;
        let mut options = File::options();
        let options = options.create(true).truncate(false).write(true);
        let file = options.open(directory.join("lock")).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenStoreError::Held(directory.into())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }
}

/// Closing the file would not do: a process that is just being started has it open, too.
impl Drop for DirectoryLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
