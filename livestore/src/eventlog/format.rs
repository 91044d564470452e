//! The file's format: its tables, and how it is recognized.

use std::path::Path;

use rusqlite::Connection;

use super::EventlogError;

/// `LSev` in ASCII: distinguishes an eventlog from other SQLite files.
const APPLICATION_ID: i64 = 0x4c53_6576;

/// The format that is written.
pub(super) const FORMAT: i64 = 2;

/// The format of a log that does not have its first events, until it has them: the table `meta` says where
/// it begins. Earlier versions cannot read it.
pub(super) const WITH_BASE: i64 = 3;

/// The events before a log's base that are here already, in the columns of `eventlog`.
pub(super) const HISTORY: &str = "
    CREATE TABLE IF NOT EXISTS history (
      seq_global INTEGER NOT NULL,
      seq_client INTEGER NOT NULL,
      seq_generation INTEGER NOT NULL,
      parent_global INTEGER NOT NULL,
      parent_client INTEGER NOT NULL,
      parent_generation INTEGER NOT NULL,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      client_id TEXT NOT NULL,
      session_id TEXT NOT NULL,
      schema_hash INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      sync_metadata TEXT,
      continues INTEGER NOT NULL,
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT, WITHOUT ROWID;
";

/// `continues` stands last, where migrating format 1 puts it.
const DDL: &str = "
    CREATE TABLE eventlog (
      seq_global INTEGER NOT NULL,
      seq_client INTEGER NOT NULL,
      seq_generation INTEGER NOT NULL,
      parent_global INTEGER NOT NULL,
      parent_client INTEGER NOT NULL,
      parent_generation INTEGER NOT NULL,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      client_id TEXT NOT NULL,
      session_id TEXT NOT NULL,
      schema_hash INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      sync_metadata TEXT,
      continues INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// The state of a file before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is empty.
    Empty,
    /// The format before today's.
    Format1,
    /// Today's format.
    Current,
}

/// Determines the format of the file, without changing it.
pub(super) fn recognize(conn: &Connection, path: &Path) -> Result<Found, EventlogError> {
    let not_an_eventlog = || EventlogError::NotAnEventlog { path: path.to_owned() };
    let application_id: i64 =
        match conn.pragma_query_value(None, "application_id", |row| row.get(0)) {
            Err(error) if is_not_a_database(&error) => return Err(not_an_eventlog()),
            other => other?,
        };
    if application_id == 0 && is_empty(conn)? {
        return Ok(Found::Empty);
    }
    if application_id != APPLICATION_ID {
        return Err(not_an_eventlog());
    }
    match conn.pragma_query_value(None, "user_version", |row| row.get(0))? {
        FORMAT | WITH_BASE => Ok(Found::Current),
        1 => Ok(Found::Format1),
        found if found > WITH_BASE => {
            let supported = WITH_BASE;
            Err(EventlogError::NewerFormat { path: path.to_owned(), found, supported })
        }
        _ => Err(not_an_eventlog()),
    }
}

/// Creates the tables of a new log, all or none.
pub(super) fn create(
    conn: &Connection,
    store_id: &str,
    new_id: fn() -> String,
) -> Result<(), EventlogError> {
    let transaction = conn.unchecked_transaction()?;
    transaction.execute_batch(DDL)?;
    let ids = [("store_id", store_id), ("history_id", &new_id()), ("client_id", &new_id())];
    for (key, value) in ids {
        transaction.execute("INSERT INTO meta VALUES (?, ?)", [key, value])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

fn is_empty(conn: &Connection) -> Result<bool, EventlogError> {
    let objects: i64 =
        conn.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(objects == 0)
}

fn is_not_a_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
}
