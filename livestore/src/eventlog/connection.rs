//! One connection to the file: it writes events as rows, and reads them back.

use std::cell::Cell;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::busy::MAX_BUSY;
use super::chain::{Chain, START};
use super::file::ONE_CONNECTION;
use super::format::{self, Found};
use super::migrate::migrate;
use super::{Base, Durability, EventlogError, Fingerprint, LogChange, Upstream, is_after};
use crate::edge::files;
use crate::event::{EncodedEvent, SeqNum, UndoNotes};

const INSERT: &str = "INSERT INTO eventlog VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub(super) const INSERT_HISTORY: &str =
    "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const SELECT: &str = "SELECT * FROM eventlog WHERE (seq_global, seq_client) > (?, ?) \
                      ORDER BY seq_global, seq_client LIMIT ?";

const SELECT_NUMBER: &str = "SELECT seq_global, seq_client, seq_generation FROM eventlog \
                             WHERE (seq_global, seq_client) > (?, ?) \
                             ORDER BY seq_global, seq_client LIMIT 1 OFFSET ?";

const SELECT_NUMBER_BACK: &str = "SELECT seq_global, seq_client, seq_generation FROM eventlog \
                                  WHERE (seq_global, seq_client) <= (?, ?) \
                                  ORDER BY seq_global DESC, seq_client DESC LIMIT 1 OFFSET ?";

const SELECT_LAST: &str =
    "SELECT * FROM eventlog ORDER BY seq_global DESC, seq_client DESC LIMIT 1";

const SELECT_BEFORE: &str = "SELECT checksum FROM eventlog WHERE (seq_global, seq_client) < (?, ?) \
                             ORDER BY seq_global DESC, seq_client DESC LIMIT 1";

const SELECT_CHECKSUM: &str =
    "SELECT checksum FROM eventlog WHERE seq_global = ? AND seq_client = ?";

const CONFIRM: &str =
    "UPDATE eventlog SET sync_metadata = ? WHERE seq_global = ? AND seq_client = ?";

const REMOVE: &str = "DELETE FROM eventlog WHERE (seq_global, seq_client) >= (?, ?)";

/// Does not write a row that already has the value.
const SET_META: &str = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) \
                        DO UPDATE SET value = ?2 WHERE value IS NOT ?2";

/// The files that a connection opens: the log itself, its WAL, and the memory that all share.
const FILES: usize = 3;

/// One connection to the file.
#[derive(Debug)]
pub(super) struct LogConnection {
    pub(super) conn: Connection,
    /// The value of SQLite's `synchronous` pragma, by the log's durability.
    synchronous: &'static str,
    /// The checksum of the last event, once this connection has written.
    last: Cell<Option<i64>>,
    /// Whether the tables of commands are known to be there.
    pub(super) has_commands: Cell<bool>,
    /// Whether the table of what can be undone is known to be there.
    pub(super) has_undo: Cell<bool>,
}

impl LogConnection {
    /// Opens the log of the store `store_id`. Creates the file if there is none, with ids that
    /// `new_id` makes, and migrates an earlier format.
    pub(super) fn open_or_create(
        path: &Path,
        durability: Durability,
        store_id: &str,
        new_id: fn() -> String,
    ) -> Result<Self, EventlogError> {
        let (log, found) = Self::connect(path, durability, OpenFlags::default())?;
        let made = match found {
            Found::Empty => format::create(&log.conn, store_id, new_id),
            Found::Format1 => {
                migrate(&log.conn, store_id).and_then(|()| log.checkpoint()).map(|_| ())
            }
            Found::Current => Ok(()),
        };
        made.map_err(|error| cause_of(error, path))?;
        Ok(log)
    }

    /// Opens one more connection to a log that is open. If its file is gone, no new one is made.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, EventlogError> {
        let flags = OpenFlags::default().difference(OpenFlags::SQLITE_OPEN_CREATE);
        Self::connect(path, durability, flags).map(|(log, _)| log)
    }

    fn connect(
        path: &Path,
        durability: Durability,
        flags: OpenFlags,
    ) -> Result<(Self, Found), EventlogError> {
        let opened = Connection::open_with_flags(path, flags);
        let conn = opened.map_err(|error| cause_of(error.into(), path))?;
        let synchronous = if durability == Durability::Synced { "FULL" } else { "NORMAL" };
        // While the connection has the files that it could open.
        let found = set_up(&conn, path, synchronous).map_err(|error| cause_of(error, path))?;
        Ok((Self { synchronous, ..Self::over(conn) }, found))
    }

    /// A log over a connection that is set up.
    pub(super) fn over(conn: Connection) -> Self {
        let no = || Cell::new(false);
        let (has_commands, has_undo) = (no(), no());
        Self { conn, synchronous: "NORMAL", last: Cell::new(None), has_commands, has_undo }
    }

    /// Refuses at once, from now on, while another program has the file locked: the caller decides
    /// how to wait.
    pub(super) fn refuse_when_busy(&self) -> Result<(), EventlogError> {
        Ok(self.conn.busy_timeout(Duration::ZERO)?)
    }

    /// Adds the events in one transaction, and changes what can be undone.
    pub(super) fn append(
        &self,
        events: &[EncodedEvent],
        undo: &[UndoNotes],
    ) -> Result<(), EventlogError> {
        let before = match self.last.get() {
            Some(checksum) => checksum,
            None => self.last_checksum()?,
        };
        let last = match events {
            [] if undo.is_empty() => return Ok(()),
            [event] if event.command.is_none() && undo.is_empty() => {
                self.insert_all(before, [event])?
            }
            events => self.transaction(|| {
                undo.iter().try_for_each(|notes| self.write_undo(notes))?;
                self.insert_all(before, events)
            })?,
        };
        self.last.set(Some(last));
        Ok(())
    }

    pub(super) fn transaction<T>(
        &self,
        work: impl FnOnce() -> Result<T, EventlogError>,
    ) -> Result<T, EventlogError> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let worked = work().and_then(|done| {
            self.conn.execute_batch("COMMIT")?;
            Ok(done)
        });
        worked.inspect_err(|_| {
            self.has_commands.set(false);
            self.has_undo.set(false);
            // Some errors have rolled back already.
            let _ = self.conn.execute_batch("ROLLBACK");
        })
    }

    /// Adds the events behind the one that has the checksum `before`; returns the last one's.
    pub(super) fn insert_all<'e>(
        &self,
        before: i64,
        events: impl IntoIterator<Item = &'e EncodedEvent>,
    ) -> Result<i64, EventlogError> {
        self.insert_chain(INSERT, before, events)
    }

    /// Adds the events with this statement, as [`insert_all`](Self::insert_all) does.
    pub(super) fn insert_chain<'e>(
        &self,
        insert: &str,
        before: i64,
        events: impl IntoIterator<Item = &'e EncodedEvent>,
    ) -> Result<i64, EventlogError> {
        let mut chain = Chain::default();
        events.into_iter().try_fold(before, |before, event| {
            let checksum = chain.next(before, event);
            self.insert(insert, event, checksum)?;
            self.insert_command(event, checksum)?;
            Ok(checksum)
        })
    }

    /// Forgets the last event's checksum: others are about to be written.
    pub(super) fn forget_last(&self) {
        self.last.set(None);
    }

    /// Removes the event at `from` and all behind it.
    pub(super) fn retract(&self, from: SeqNum) -> Result<(), EventlogError> {
        self.last.set(None);
        self.synced_to_disk(|| self.remove_from(from))
    }

    fn remove_from(&self, from: SeqNum) -> Result<(), EventlogError> {
        let place = [number(from.global), number(from.client)];
        self.conn.prepare_cached(REMOVE)?.execute(place)?;
        self.remove_commands(from)
    }

    /// Makes the change, in one transaction.
    ///
    /// Rebased events are pushed with their new numbers: if a power cut brought the old ones back,
    /// they would be pushed once more. So a rebase waits until it is on disk, whatever the
    /// durability.
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
        let LogChange { confirmed, remove_from, append, upstream, new_history, .. } = change;
        self.last.set(None);
        self.transaction(|| {
            for (seq, sync_metadata) in confirmed {
                let place = (number(seq.global), number(seq.client));
                let mut confirm = self.conn.prepare_cached(CONFIRM)?;
                confirm.execute(params![sync_metadata, place.0, place.1])?;
            }
            if let Some(from) = remove_from {
                self.remove_from(*from)?;
                self.forget_base(*from)?;
            }
            if !append.is_empty() {
                self.insert_all(self.last_checksum()?, append.iter().copied())?;
            }
            if let Some(history_id) = new_history {
                self.set_meta("history_id", history_id)?;
            }
            self.confirm_commands(change.confirmed_head)?;
            self.note_commands(&change.commands)?;
            upstream.map_or(Ok(()), |upstream| self.set_upstream(upstream))
        })
    }

    pub(super) fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        let Some(head) = self.find_meta("upstream_head")? else { return Ok(None) };
        let generation = self.find_meta("rebase_generation")?.unwrap_or_default();
        Ok(Some(Upstream {
            backend_id: self.find_meta("backend_id")?.filter(|id| !id.is_empty()),
            head: parse(&head)?,
            generation: parse(&generation)?,
        }))
    }

    pub(super) fn set_upstream(&self, upstream: &Upstream) -> Result<(), EventlogError> {
        self.set_meta("upstream_head", &upstream.head.to_string())?;
        self.set_meta("rebase_generation", &upstream.generation.to_string())?;
        self.set_meta("backend_id", upstream.backend_id.as_deref().unwrap_or_default())
    }

    pub(super) fn set_meta(&self, key: &str, value: &str) -> Result<(), EventlogError> {
        self.conn.prepare_cached(SET_META)?.execute([key, value])?;
        Ok(())
    }

    fn insert(
        &self,
        insert: &str,
        event: &EncodedEvent,
        checksum: i64,
    ) -> Result<(), EventlogError> {
        self.conn.prepare_cached(insert)?.execute(params![
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
            checksum,
            event.sync_metadata,
            event.continues,
        ])?;
        Ok(())
    }

    /// The first events after `after`, at most `limit` of them; it ends once they have `max_bytes` of args.
    pub(super) fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.check_received(after)?;
        let mut bytes = 0;
        let mut statement = self.conn.prepare_cached(SELECT)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query([number(after.global), number(after.client), limit])?;
        let mut events: Vec<EncodedEvent> = Vec::new();
        let (mut chain, mut before) = (Chain::default(), None);
        while bytes < max_bytes {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Err(error) if events.is_empty() => return Err(error.into()),
                // What SQLite cannot read is an error once it is the first, as damage of a row is.
                Ok(None) | Err(_) => break,
            };
            let expected = match before {
                Some(checksum) => checksum,
                None => self.checksum_before(row)?,
            };
            match event_of(row, expected, &mut chain, events.last()) {
                Ok((event, checksum)) => {
                    bytes += event.args.len();
                    events.push(event);
                    before = Some(checksum);
                }
                Err(error) if events.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(events)
    }

    pub(super) fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        Ok(self.last_row()?.map(|(event, _)| event))
    }

    /// The checksum that the next event comes behind.
    fn last_checksum(&self) -> Result<i64, EventlogError> {
        Ok(self.last_row()?.map_or(START, |(_, checksum)| checksum))
    }

    fn last_row(&self) -> Result<Option<(EncodedEvent, i64)>, EventlogError> {
        let mut statement = self.conn.prepare_cached(SELECT_LAST)?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        event_of(row, self.checksum_before(row)?, &mut Chain::default(), None).map(Some)
    }

    /// The checksum of the event before the one in the row.
    fn checksum_before(&self, row: &Row<'_>) -> Result<i64, EventlogError> {
        let seq = seq_at(row, 0)?;
        let mut statement = self.conn.prepare_cached(SELECT_BEFORE)?;
        let place = [number(seq.global), number(seq.client)];
        match statement.query_row(place, |row| row.get(0)).optional()? {
            Some(checksum) => Ok(checksum),
            None => Ok(self.base()?.map_or(START, |base| base.checksum)),
        }
    }

    /// The identity of the history up to the event at `seq`; `None` if there is no such event.
    pub(super) fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        let mut statement = self.conn.prepare_cached(SELECT_CHECKSUM)?;
        let place = [number(seq.global), number(seq.client)];
        let found = statement.query_row(place, |row| row.get(0)).optional()?;
        let checksum = match found {
            Some(checksum) => checksum,
            None => match self.checksum_of_base(seq)? {
                Some(checksum) => checksum,
                None => return Ok(None),
            },
        };
        Ok(Some(Fingerprint {
            store_id: self.store_id()?,
            history_id: self.find_meta("history_id")?.unwrap_or_default(),
            checksum,
        }))
    }

    /// The store that the log belongs to.
    pub(super) fn store_id(&self) -> Result<String, EventlogError> {
        self.find_meta("store_id")?
            .ok_or_else(|| EventlogError::corrupt(None, "its table meta has no store_id"))
    }

    /// The number of the event that comes `count` events after `after`, or of the last one if there are
    /// fewer.
    pub(super) fn skip(
        &self,
        after: SeqNum,
        count: usize,
    ) -> Result<Option<SeqNum>, EventlogError> {
        self.check_received(after)?;
        let mut statement = self.conn.prepare_cached(SELECT_NUMBER)?;
        let offset = i64::try_from(count.saturating_sub(1)).unwrap_or(i64::MAX);
        let mut rows = statement.query([number(after.global), number(after.client), offset])?;
        let found = rows.next()?.map(|row| seq_at(row, 0)).transpose()?;
        Ok(match found {
            Some(seq) => Some(seq),
            None => self.last()?.map(|event| event.seq).filter(|seq| is_after(*seq, after)),
        })
    }

    /// The number of the event behind which the last `count` events up to `up_to` come.
    pub(super) fn skip_back(
        &self,
        up_to: SeqNum,
        count: usize,
    ) -> Result<Option<SeqNum>, EventlogError> {
        let mut statement = self.conn.prepare_cached(SELECT_NUMBER_BACK)?;
        let offset = i64::try_from(count).unwrap_or(i64::MAX);
        let mut rows = statement.query([number(up_to.global), number(up_to.client), offset])?;
        match rows.next()? {
            Some(row) => Ok(Some(seq_at(row, 0)?)),
            None => Ok(self.base()?.map(Base::place)),
        }
    }

    pub(super) fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.check_received(after)?;
        if after == SeqNum::ROOT {
            // SQLite counts a whole table by its pages, in half the time.
            let count: i64 = self
                .conn
                .prepare_cached("SELECT COUNT(*) FROM eventlog")?
                .query_row([], |row| row.get(0))?;
            return Ok(count.cast_unsigned());
        }
        let count: i64 = self
            .conn
            .prepare_cached(
                "SELECT COUNT(*) FROM eventlog WHERE (seq_global, seq_client) > (?, ?)",
            )?
            .query_row([number(after.global), number(after.client)], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// The number of events that this session has committed.
    pub(super) fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        let select = "SELECT COUNT(*) FROM eventlog WHERE session_id = ?";
        let count: i64 = self.conn.query_row(select, [session_id], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// Returns the value under `key`. If there is none, stores the one that `make` returns.
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

    pub(super) fn find_meta(&self, key: &str) -> Result<Option<String>, EventlogError> {
        let select = "SELECT value FROM meta WHERE key = ?";
        Ok(self.conn.query_row(select, [key], |row| row.get(0)).optional()?)
    }

    /// Copies the contents of the WAL to the file, without waiting for anybody. Returns the number
    /// of frames in the WAL.
    pub(super) fn checkpoint(&self) -> Result<i64, EventlogError> {
        Ok(self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?)
    }
}

/// Determines the log's format, and sets how it is written.
fn set_up(conn: &Connection, path: &Path, synchronous: &str) -> Result<Found, EventlogError> {
    conn.busy_timeout(MAX_BUSY)?;
    if ONE_CONNECTION {
        // The WAL's index is in this process's memory then, not in a file that is shared.
        conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    let found = format::recognize(conn, path)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", synchronous)?;
    // On macOS, what was synced as elsewhere may still be in the drive's cache.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    // A commit never waits for a checkpoint: the background thread makes them.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(found)
}

/// The cause of an error, where SQLite says only that it cannot open a file.
fn cause_of(error: EventlogError, path: &Path) -> EventlogError {
    match error {
        EventlogError::Io(_) if files::are_exhausted(path.parent().unwrap_or(path), FILES) => {
            EventlogError::TooManyOpenFiles { limit: files::open_files_limit() }
        }
        error => error,
    }
}

/// A number of the table `meta`.
pub(super) fn parse<T: FromStr>(text: &str) -> Result<T, EventlogError> {
    let detail = || format!("\"{text}\" is not a number in its table meta");
    text.parse().map_err(|_| EventlogError::corrupt(None, detail()))
}

/// The number as SQLite's integer. No log gets to where those end.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The sequence number that begins at a column.
fn seq_at(row: &Row<'_>, column: usize) -> rusqlite::Result<SeqNum> {
    let number = |n: usize| row.get::<_, i64>(column + n).map(i64::cast_unsigned);
    Ok(SeqNum { global: number(0)?, client: number(1)?, generation: number(2)? })
}

/// Reads the row that comes behind the checksum `before`, and its own checksum; a row that is not
/// what was written is [`EventlogError::Corrupt`]. Shares with `neighbour` the text that both have.
fn event_of(
    row: &Row<'_>,
    before: i64,
    chain: &mut Chain,
    neighbour: Option<&EncodedEvent>,
) -> Result<(EncodedEvent, i64), EventlogError> {
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
            continues: row.get(13)?,
            command: None,
        };
        Ok((event, row.get(11)?))
    };
    let (event, checksum) = read().map_err(|error| EventlogError::unreadable(Some(seq), error))?;
    if chain.checksum(before, &(&event).into()) == checksum {
        Ok((event, checksum))
    } else {
        Err(EventlogError::corrupt(Some(seq), "its checksum does not match"))
    }
}

/// Most events of a page have the same client and session: they share the text.
fn shared(text: &str, neighbour: Option<&Arc<str>>) -> Arc<str> {
    match neighbour {
        Some(neighbour) if **neighbour == *text => Arc::clone(neighbour),
        _ => Arc::from(text),
    }
}
