//! The files that opening a store opens.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{EVENTLOG, Ids, SNAPSHOT};
use crate::ambient::new_id;
use crate::edge::{DirectoryLock, LockError, ReadFile, files};
use crate::eventlog::{Durability, Eventlog, FileLog, MemoryLog};
use crate::schema::SchemaDef;
use crate::state::Snapshot;
use crate::store::builder::Options;
use crate::store::image::NewStore;
use crate::store::session::{GATHERS, Hub};
use crate::store::{OpenError, folder};

/// A store's files, opened and owned; or, in memory, what stands for them.
#[derive(Clone)]
pub(super) struct Files {
    pub(super) lock: Option<Arc<DirectoryLock>>,
    pub(super) log: Eventlog,
    pub(super) snapshot: Option<Snapshot>,
    /// The snapshot's file as the leader has sent it, for a session without files.
    pub(super) received: Option<Arc<ReadFile>>,
    pub(super) client_id: String,
    pub(super) hub: Option<Arc<Hub>>,
}

impl Files {
    pub(super) fn open(options: &Options) -> Result<Self, OpenError> {
        if options.without_files.is_some() {
            return Err(OpenError::Locked { path: options.folder()? });
        }
        match &options.directory {
            Some(_) => {
                let folder = options.folder()?;
                let files = Self::in_folder(&folder, options)?;
                let hub = if options.single_process { None } else { listen(&folder) };
                Ok(Self { hub, ..files })
            }
            None => Ok(Self {
                lock: None,
                log: Eventlog::new(MemoryLog::default()),
                snapshot: None,
                received: None,
                hub: None,
                client_id: options.client_id.clone().unwrap_or_else(new_id),
            }),
        }
    }

    /// The store, for an image.
    pub(super) fn new_store<'a>(
        &'a self,
        options: &'a Options,
        schema: &'static SchemaDef,
        ids: &Ids,
    ) -> NewStore<'a> {
        NewStore {
            store_id: &options.store_id,
            log: &self.log,
            snapshot: self.snapshot.as_ref(),
            schema,
            schema_hash: ids.schema_hash,
            max_state_bytes: options.max_state_bytes,
        }
    }

    pub(super) fn in_folder(directory: &Path, options: &Options) -> Result<Self, OpenError> {
        let mut lock = DirectoryLock::acquire(directory).map_err(|error| match error {
            LockError::Held => OpenError::Locked { path: directory.to_owned() },
            LockError::Io(error) => folder::unusable(directory, error),
        })?;
        // The WAL of a log that was there before may have its events, and goes with it alone.
        if !files::exists(&directory.join("eventlog.db")) {
            let names = ["eventlog.db-shm", "eventlog.db-wal", "eventlog.db"];
            lock.note_missing(names.map(|name| directory.join(name)));
        }
        Self::in_locked(directory, options, Arc::new(lock))
    }

    fn in_locked(
        directory: &Path,
        options: &Options,
        lock: Arc<DirectoryLock>,
    ) -> Result<Self, OpenError> {
        let path = directory.join(EVENTLOG);
        let durability = if GATHERS && options.durability == Durability::Written {
            // A session is notified of its commit once that is written.
            Durability::Buffered
        } else {
            options.durability
        };
        let opened = FileLog::open(&path, durability, &options.store_id, new_id);
        let log = opened.inspect_err(|_| lock.remove_made())?;
        if log.store_id() != options.store_id {
            let (found, store_id) = (log.store_id().to_owned(), options.store_id.clone());
            return Err(OpenError::OtherStore { path, found, store_id });
        }
        let client_id = options.client_id.clone().unwrap_or_else(|| log.client_id().to_owned());
        let log = Eventlog::new(log);
        let snapshot = Snapshot { path: directory.join(SNAPSHOT), log: log.clone() };
        let lock = Some(lock);
        Ok(Self { lock, log, snapshot: Some(snapshot), received: None, client_id, hub: None })
    }
}

/// Waits for other sessions. A store does without where that is not possible.
fn listen(folder: &Path) -> Option<Arc<Hub>> {
    match Hub::listen(folder) {
        Ok(hub) => Some(hub),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
        Err(error) => {
            tracing::warn!(%error, "no other session can follow this one");
            None
        }
    }
}
