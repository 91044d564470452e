//! Reading, on separate connections.

use std::ffi::c_int;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::ffi;
use rusqlite::{Connection, OptionalExtension};

use super::super::{StoreError, StoreId, StoreInfo, StoredEvent};
use super::watch::FileWatch;
use super::{OpenStoreError, file, row};

/// The most connections that stay open for the next reader.
const MAX_IDLE: usize = 8;

/// Connections to read with.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    /// The files of the server that reads.
    files: Option<Arc<FileWatch>>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, files: Option<Arc<FileWatch>>) -> Self {
        Self { path, files, idle: Mutex::default() }
    }

    pub(super) fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.with(|connection| {
            let key = key_of(connection, store)?.ok_or(StoreError::Unknown)?;
            let (first, last) = row::places(key, after).into_inner();
            let mut statement = connection.prepare_cached(row::SELECT).map_err(failed)?;
            let mut rows = statement.query((first, last)).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                if visit(row::read(row).map_err(failed)??).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    pub(super) fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.with(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT id FROM stores ORDER BY id").map_err(failed)?;
            let ids = statement.query_map((), |row| row.get::<_, String>(0)).map_err(failed)?;
            ids.map(|id| {
                let id = StoreId::new(&id.map_err(failed)?)
                    .map_err(|error| StoreError::Failed(error.to_string()))?;
                let tail = tail_of(connection, &id)?.ok_or(StoreError::Unknown)?;
                Ok((id, tail.opened))
            })
            .collect()
        })
    }

    /// Writes a copy of the whole file, as it stands now.
    pub(super) fn copy_to(&self, path: &Path) -> Result<(), OpenStoreError> {
        let sqlite = |source| OpenStoreError::sqlite(path, source);
        let connection = file::open_read_only(&self.path).map_err(sqlite)?;
        connection.execute("VACUUM INTO ?1", (path.to_string_lossy(),)).map(|_| ()).map_err(sqlite)
    }

    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => file::open_read_only(&self.path).map_err(failed)?,
        };
        if let Some(files) = &self.files {
            // What lies there now may be the events of another server.
            files.check()?;
        }
        let answer = read(&connection)?;
        let mut idle = idle();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        Ok(answer)
    }
}

/// A store as the file has it.
pub(super) struct Tail {
    pub(super) key: i64,
    pub(super) opened: StoreInfo,
}

pub(super) fn tail_of(
    connection: &Connection,
    store: &StoreId,
) -> Result<Option<Tail>, StoreError> {
    const STORE: &str = "SELECT key, backend_id FROM stores WHERE id = ?1";
    const LAST: &str = "SELECT place, total_bytes FROM events
                        WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT 1";
    let mut find = connection.prepare_cached(STORE).map_err(failed)?;
    let found = find
        .query_row((store.as_str(),), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(failed)?;
    let Some((key, backend_id)) = found else { return Ok(None) };
    let (first, last) = row::places(key, 0).into_inner();
    let mut last_of = connection.prepare_cached(LAST).map_err(failed)?;
    let (head, bytes) = last_of
        .query_row((first, last), |row| {
            Ok((row::seq_of(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned()))
        })
        .optional()
        .map_err(failed)?
        .unwrap_or((0, 0));
    Ok(Some(Tail { key, opened: StoreInfo { backend_id, head, bytes } }))
}

fn key_of(connection: &Connection, store: &StoreId) -> Result<Option<i64>, StoreError> {
    connection
        .prepare_cached("SELECT key FROM stores WHERE id = ?1")
        .and_then(|mut find| find.query_row((store.as_str(),), |row| row.get(0)).optional())
        .map_err(failed)
}

/// Returns the error of the storage that an error of SQLite means.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{
        DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory, ReadOnly, SystemIoFailure,
    };
    let Some(&code) = error.sqlite_error() else { return StoreError::Failed(error.to_string()) };
    match code.code {
        DiskFull => StoreError::DiskFull,
        DatabaseBusy | DatabaseLocked | OutOfMemory | ReadOnly => {
            StoreError::Unavailable(error.to_string())
        }
        SystemIoFailure if NOTHING_WRITTEN.contains(&code.extended_code) => {
            StoreError::Unavailable(error.to_string())
        }
        _ => StoreError::Failed(error.to_string()),
    }
}

/// The I/O errors after which everything on the disk is as it was: a write that the system refused,
/// as on a disk that became read-only, is rolled back. After a failed fsync nothing is certain.
const NOTHING_WRITTEN: [c_int; 4] = [
    ffi::SQLITE_IOERR_READ,
    ffi::SQLITE_IOERR_WRITE,
    ffi::SQLITE_IOERR_SHMSIZE,
    ffi::SQLITE_IOERR_SHMMAP,
];
