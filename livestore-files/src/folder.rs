//! The handle of a folder.

#![expect(clippy::disallowed_methods, reason = "a folder is made, and has a thread")]

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use livestore::Store;
use livestore::store::FeedError;

use crate::disk::Disk;
use crate::index::{Index, IndexError};
use crate::mapping::Mapping;
use crate::report::Report;
use crate::target::{Files, WriteError};
use crate::worker::{Message, Worker};

/// A folder whose files are the rows of a table. They are, until it is dropped.
///
/// [The crate](crate) has an example, and says what is promised.
pub struct Folder {
    path: PathBuf,
    report: Arc<Report>,
    to: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

/// Settings of a [`Folder`].
#[derive(Debug, Clone)]
pub struct Builder {
    path: PathBuf,
    is_synced: bool,
}

/// Why a folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be made or read.
    #[error("{} cannot be used as a folder of files", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Its index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// What a process has left that ended while it wrote could not be brought in order.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store cannot be read.
    #[error(transparent)]
    Feed(FeedError<WriteError>),
    /// There can be no thread.
    #[error("the folder's thread cannot be started")]
    Thread(#[source] io::Error),
}

/// Why files and rows do not agree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// Files cannot be written, or rows cannot be read. It is tried again by itself.
    #[error("files and rows differ: {0}")]
    Failed(String),
    /// It takes longer.
    #[error("files and rows do not agree within {0:?}")]
    TimedOut(Duration),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl Folder {
    /// Opens a folder, which is made if it is not there, and brings files and rows into agreement in the
    /// background from now on. Edits from the time when it was closed are passed to the app first.
    ///
    /// It does not keep the store open. One folder is used by one process at a time.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<M: Mapping>(
        path: impl Into<PathBuf>,
        store: &Store<M::Schema>,
        mapping: M,
    ) -> Result<Self, OpenError> {
        Self::builder(path).open(store, mapping)
    }

    /// Returns the settings with which the folder can be opened.
    pub fn builder(path: impl Into<PathBuf>) -> Builder {
        Builder { path: path.into(), is_synced: true }
    }

    /// Returns the folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what is wrong with single files: those that are not read, edits that were rejected, rows whose
    /// files could not be written. One line each, for a user.
    pub fn problems(&self) -> Vec<String> {
        self.report.problems()
    }

    /// Waits until files and rows agree: every row is written, and every edit was passed to the app. It looks at
    /// all files. Those with [problems](Self::problems) are left out.
    ///
    /// # Errors
    /// See [`SyncError`].
    pub fn sync(&self, timeout: Duration) -> Result<(), SyncError> {
        let (answer, answered) = channel();
        self.to.send(Message::Sync(answer)).map_err(|_| SyncError::Closed)?;
        match answered.recv_timeout(timeout) {
            Ok(answer) => answer.map_err(SyncError::Failed),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                Err(self.report.failure().map_or(SyncError::TimedOut(timeout), SyncError::Failed))
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Err(SyncError::Closed),
        }
    }
}

impl Builder {
    /// Sets whether a file is on disk before it gets its name: true if it is not set. Without it, many files are
    /// written faster, and a power cut may leave some of them empty, which looks like an edit.
    #[must_use]
    pub fn synced(mut self, is_synced: bool) -> Self {
        self.is_synced = is_synced;
        self
    }

    /// Opens the folder, as [`Folder::open`] does.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<M: Mapping>(
        self,
        store: &Store<M::Schema>,
        mapping: M,
    ) -> Result<Folder, OpenError> {
        // The paths of events have no symbolic links.
        let made = fs::create_dir_all(&self.path).and_then(|()| fs::canonicalize(&self.path));
        let root = made.map_err(|source| OpenError::Folder { path: self.path, source })?;
        let report = Arc::<Report>::default();
        let mut files = Files {
            mapping: Arc::new(mapping),
            index: Index::open(&root, store.store_id(), self.is_synced)?,
            disk: Disk::new(root.clone(), self.is_synced),
            report: Arc::clone(&report),
            restores: false,
            failed: HashSet::new(),
        };
        files.recover()?;
        let feed = store.feed(files).map_err(OpenError::Feed)?;
        let (to, inbox) = channel();
        let (store, store_id) = (store.downgrade(), store.store_id().to_owned());
        let outbox = to.clone();
        let run = move || Worker::new(store, store_id, feed, inbox, outbox).run();
        let thread = std::thread::Builder::new().name("livestore-files".into()).spawn(run);
        let thread = Some(thread.map_err(OpenError::Thread)?);
        Ok(Folder { path: root, report, to, thread })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It has ended if the store was closed.
        let _ = self.to.send(Message::Stop);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(folder = %self.path.display(), "the thread of a folder has panicked");
        }
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).finish_non_exhaustive()
    }
}
