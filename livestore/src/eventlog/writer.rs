//! The file's format: its tables, and how an event becomes a row and a row an event.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::checksum::checksum;
use super::{Durability, EventlogError, LogChange, Upstream};
use crate::event::{EncodedEvent, SeqNum};

/// `LSev` in ASCII: tells an eventlog from other SQLite files.
const APPLICATION_ID: i64 = 0x4c53_6576;
const FORMAT: i64 = 1;

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
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

const INSERT: &str = "INSERT INTO eventlog VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const SELECT: &str = "SELECT * FROM eventlog WHERE (seq_global, seq_client) > (?, ?) \
                      ORDER BY seq_global, seq_client LIMIT ?";

const SELECT_LAST: &str =
    "SELECT * FROM eventlog ORDER BY seq_global DESC, seq_client DESC LIMIT 1";

const SELECT_BEFORE: &str = "SELECT seq_global, seq_client, seq_generation FROM eventlog \
                             WHERE (seq_global, seq_client) < (?, ?) \
                             ORDER BY seq_global DESC, seq_client DESC LIMIT 1";

const CONFIRM: &str =
    "UPDATE eventlog SET sync_metadata = ? WHERE seq_global = ? AND seq_client = ?";

const REMOVE: &str = "DELETE FROM eventlog WHERE (seq_global, seq_client) >= (?, ?)";

/// Leaves a row that has the value already alone.
const SET_META: &str = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) \
                        DO UPDATE SET value = ?2 WHERE value IS NOT ?2";

/// One connection to the file.
#[derive(Debug)]
pub(super) struct LogConnection {
    pub(super) conn: Connection,
    /// When a transaction counts as done, in SQLite's words.
    synchronous: &'static str,
    /// The last event, once this connection has written.
    last: Cell<Option<SeqNum>>,
}

impl LogConnection {
    /// Opens the file, and makes it if need be.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, EventlogError> {
        let not_an_eventlog = || EventlogError::NotAnEventlog { path: path.to_owned() };
        let conn = Connection::open(path)?;
        let application_id: i64 =
            match conn.pragma_query_value(None, "application_id", |row| row.get(0)) {
                Err(error) if is_not_a_database(&error) => return Err(not_an_eventlog()),
                other => other?,
            };
        let is_new = application_id == 0 && is_empty(&conn)?;
        if application_id != APPLICATION_ID && !is_new {
            return Err(not_an_eventlog());
        }
        let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > FORMAT {
            return Err(EventlogError::NewerFormat {
                path: path.to_owned(),
                found,
                supported: FORMAT,
            });
        }
        let synchronous = if durability == Durability::Synced { "FULL" } else { "NORMAL" };
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", synchronous)?;
        // A commit never waits for a checkpoint: the background thread makes them.
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        if is_new {
            conn.execute_batch(&format!(
                "BEGIN; {DDL} PRAGMA application_id = {APPLICATION_ID}; \
                 PRAGMA user_version = {FORMAT}; COMMIT;"
            ))?;
        }
        Ok(Self { conn, synchronous, last: Cell::new(None) })
    }

    /// Adds the events in one transaction.
    pub(super) fn append(&self, events: &[EncodedEvent]) -> Result<(), EventlogError> {
        let before = match self.last.get() {
            Some(last) => last,
            None => self.last()?.map_or(SeqNum::ROOT, |event| event.seq),
        };
        match events {
            [] => return Ok(()),
            [event] => self.insert(before, event)?,
            events => self.append_all(before, events)?,
        }
        self.last.set(events.last().map(|event| event.seq));
        Ok(())
    }

    fn append_all(&self, before: SeqNum, events: &[EncodedEvent]) -> Result<(), EventlogError> {
        self.transaction(|| self.insert_all(before, events))
    }

    pub(super) fn transaction(
        &self,
        work: impl FnOnce() -> Result<(), EventlogError>,
    ) -> Result<(), EventlogError> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let worked = work().and_then(|()| Ok(self.conn.execute_batch("COMMIT")?));
        worked.inspect_err(|_| {
            // Some errors have rolled back already.
            let _ = self.conn.execute_batch("ROLLBACK");
        })
    }

    fn insert_all<'e>(
        &self,
        mut before: SeqNum,
        events: impl IntoIterator<Item = &'e EncodedEvent>,
    ) -> Result<(), EventlogError> {
        events.into_iter().try_for_each(|event| {
            self.insert(before, event)?;
            before = event.seq;
            Ok(())
        })
    }

    /// Makes the change, in one transaction.
    ///
    /// What is rebased is pushed with its new numbers: if a power cut brought the old ones back, it
    /// would be pushed once more. So a rebase waits until it is on disk, whatever the durability.
    pub(super) fn change(&self, change: &LogChange<'_>) -> Result<(), EventlogError> {
        match change.remove_from {
            Some(_) => self.synced_to_disk(|| self.write_change(change)),
            None => self.write_change(change),
        }
    }

    /// Does the work, and waits until it is on disk.
    fn synced_to_disk(
        &self,
        work: impl FnOnce() -> Result<(), EventlogError>,
    ) -> Result<(), EventlogError> {
        self.conn.pragma_update(None, "synchronous", "FULL")?;
        let worked = work();
        // If this fails, the log is only slower from now on.
        let _ = self.conn.pragma_update(None, "synchronous", self.synchronous);
        worked
    }

    fn write_change(&self, change: &LogChange<'_>) -> Result<(), EventlogError> {
        let LogChange { confirmed, remove_from, append, upstream, new_history } = change;
        self.last.set(None);
        self.transaction(|| {
            for (seq, sync_metadata) in confirmed {
                let place = (number(seq.global), number(seq.client));
                let mut confirm = self.conn.prepare_cached(CONFIRM)?;
                confirm.execute(params![sync_metadata, place.0, place.1])?;
            }
            if let Some(from) = remove_from {
                let place = [number(from.global), number(from.client)];
                self.conn.prepare_cached(REMOVE)?.execute(place)?;
            }
            if !append.is_empty() {
                let before = self.last()?.map_or(SeqNum::ROOT, |event| event.seq);
                self.insert_all(before, append.iter().copied())?;
            }
            if let Some(history_id) = new_history {
                self.set_meta("log_id", history_id)?;
            }
            self.set_upstream(upstream)
        })
    }

    pub(super) fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        let Some(head) = self.find_meta("upstream_head")? else { return Ok(None) };
        let generation = self.find_meta("rebase_generation")?.unwrap_or_default();
        let parse = |text: String| {
            let damaged = || EventlogError::Corrupt {
                at: None,
                detail: format!("\"{text}\" is not a number in its table meta"),
            };
            text.parse().map_err(|_| damaged())
        };
        Ok(Some(Upstream {
            backend_id: self.find_meta("backend_id")?.filter(|id| !id.is_empty()),
            head: parse(head)?,
            generation: parse(generation)?,
        }))
    }

    fn set_upstream(&self, upstream: &Upstream) -> Result<(), EventlogError> {
        self.set_meta("upstream_head", &upstream.head.to_string())?;
        self.set_meta("rebase_generation", &upstream.generation.to_string())?;
        self.set_meta("backend_id", upstream.backend_id.as_deref().unwrap_or_default())
    }

    fn set_meta(&self, key: &str, value: &str) -> Result<(), EventlogError> {
        self.conn.prepare_cached(SET_META)?.execute([key, value])?;
        Ok(())
    }

    fn insert(&self, before: SeqNum, event: &EncodedEvent) -> Result<(), EventlogError> {
        self.conn.prepare_cached(INSERT)?.execute(params![
            number(event.seq.global),
            number(event.seq.client),
            number(event.seq.generation),
            number(event.parent.global),
            number(event.parent.client),
            number(event.parent.generation),
            event.name,
            event.args,
            event.client_id,
            event.session_id,
            event.schema_hash,
            checksum(before, event),
            event.sync_metadata,
        ])?;
        Ok(())
    }

    pub(super) fn read(
        &self,
        after: SeqNum,
        limit: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        let mut statement = self.conn.prepare_cached(SELECT)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query([number(after.global), number(after.client), limit])?;
        let mut events: Vec<EncodedEvent> = Vec::new();
        while let Some(row) = rows.next()? {
            let before = match events.last() {
                Some(event) => event.seq,
                None => self.before(row)?,
            };
            match event_of(row, before, events.last()) {
                Ok(event) => events.push(event),
                Err(error) if events.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(events)
    }

    pub(super) fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        let mut statement = self.conn.prepare_cached(SELECT_LAST)?;
        let mut rows = statement.query([])?;
        rows.next()?.map(|row| event_of(row, self.before(row)?, None)).transpose()
    }

    /// The place of the event before the one in the row.
    fn before(&self, row: &Row<'_>) -> Result<SeqNum, EventlogError> {
        let seq = seq_at(row, 0)?;
        let mut statement = self.conn.prepare_cached(SELECT_BEFORE)?;
        let place = [number(seq.global), number(seq.client)];
        let found = statement.query_row(place, |row| seq_at(row, 0)).optional()?;
        Ok(found.unwrap_or(SeqNum::ROOT))
    }

    pub(super) fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        let count: i64 = self
            .conn
            .prepare_cached(
                "SELECT COUNT(*) FROM eventlog WHERE (seq_global, seq_client) > (?, ?)",
            )?
            .query_row([number(after.global), number(after.client)], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// The value under `key`, which `make` makes when there is none.
    pub(super) fn meta(
        &self,
        key: &str,
        make: impl FnOnce() -> String,
    ) -> Result<String, EventlogError> {
        match self.find_meta(key)? {
            Some(value) => Ok(value),
            None => {
                let value = make();
                self.conn.execute("INSERT INTO meta VALUES (?, ?)", [key, &value])?;
                Ok(value)
            }
        }
    }

    fn find_meta(&self, key: &str) -> Result<Option<String>, EventlogError> {
        let select = "SELECT value FROM meta WHERE key = ?";
        Ok(self.conn.query_row(select, [key], |row| row.get(0)).optional()?)
    }

    /// Copies what is in the WAL to the file, without waiting for anybody; says how many frames
    /// the WAL has.
    pub(super) fn checkpoint(&self) -> Result<i64, EventlogError> {
        Ok(self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?)
    }
}

fn is_empty(conn: &Connection) -> Result<bool, EventlogError> {
    let objects: i64 =
        conn.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(objects == 0)
}

fn is_not_a_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
}

/// SQLite's integers end where no log ever gets.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The sequence number that begins at a column.
fn seq_at(row: &Row<'_>, column: usize) -> rusqlite::Result<SeqNum> {
    let number = |n: usize| row.get::<_, i64>(column + n).map(i64::cast_unsigned);
    Ok(SeqNum { global: number(0)?, client: number(1)?, generation: number(2)? })
}

/// Reads the row behind `before`; one that is not what was written is [`EventlogError::Corrupt`].
/// What it has in common with `neighbour` is shared.
fn event_of(
    row: &Row<'_>,
    before: SeqNum,
    neighbour: Option<&EncodedEvent>,
) -> Result<EncodedEvent, EventlogError> {
    let seq = seq_at(row, 0)?;
    let read = || -> rusqlite::Result<(EncodedEvent, i64)> {
        let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
        let event = EncodedEvent {
            seq,
            parent: seq_at(row, 3)?,
            name: text(6)?.to_owned().into(),
            args: text(7)?.to_owned(),
            client_id: shared(text(8)?, neighbour.map(|event| &event.client_id)),
            session_id: shared(text(9)?, neighbour.map(|event| &event.session_id)),
            schema_hash: row.get(10)?,
            sync_metadata: row.get(12)?,
            continues: false,
        };
        Ok((event, row.get(11)?))
    };
    let corrupt = |detail: String| EventlogError::Corrupt { at: Some(seq), detail };
    let (event, expected) = read().map_err(|error| corrupt(error.to_string()))?;
    if checksum(before, &event) == expected {
        Ok(event)
    } else {
        Err(corrupt("its checksum does not match".to_owned()))
    }
}

/// Most events of a page have the same client and session: they share the text.
fn shared(text: &str, neighbour: Option<&Arc<str>>) -> Arc<str> {
    match neighbour {
        Some(neighbour) if **neighbour == *text => Arc::clone(neighbour),
        _ => Arc::from(text),
    }
}
