//! The file and its format.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Durability, OpenStoreError};

/// The format of the file, in its `user_version`.
pub(super) const FORMAT: i64 = 1;

/// A checkpoint moves this many pages (16 MiB) from the write-ahead log at a time.
const CHECKPOINT_PAGES: u32 = 4_096;

/// An event's place is its store's key and its number in one integer, so that a store's events lie
/// side by side in the order of their numbers, without a second index. `total_bytes` is the size of
/// the store up to the event: the last event tells the size of all.
const SCHEMA: &str = "
    CREATE TABLE stores (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        backend_id TEXT NOT NULL
    ) STRICT;
    CREATE TABLE events (
        place INTEGER PRIMARY KEY, -- stores.key << 40 | sequence number
        name TEXT NOT NULL,
        args TEXT NOT NULL,
        client_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        created_at INTEGER NOT NULL, -- milliseconds since 1970
        total_bytes INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT;
    PRAGMA user_version = 1;
";

pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("events.db")
}

/// Opens the file to write; makes it if need be.
pub(super) fn open(path: &Path, durability: Durability) -> Result<Connection, OpenStoreError> {
    let sqlite = |source| OpenStoreError::sqlite(path, source);
    let connection = Connection::open(path).map_err(sqlite)?;
    let found = format(&connection).map_err(sqlite)?;
    let synchronous = match durability {
        Durability::Written => "NORMAL",
        Durability::Synced => "FULL",
    };
    let prepare = || {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        // On macOS, what was synced as elsewhere may still be in the drive's cache.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        match found {
            0 => connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;")),
            _ => Ok(()),
        }
    };
    match found {
        0 | FORMAT => prepare().map(|()| connection).map_err(sqlite),
        found => Err(OpenStoreError::Format { path: path.into(), found }),
    }
}

/// Opens the file to read.
pub(super) fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Whether the file is there, and one of ours.
pub(super) fn check(path: &Path) -> Result<(), OpenStoreError> {
    let sqlite = |source| OpenStoreError::sqlite(path, source);
    match open_read_only(path).and_then(|connection| format(&connection)).map_err(sqlite)? {
        FORMAT => Ok(()),
        found => Err(OpenStoreError::Format { path: path.into(), found }),
    }
}

fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
