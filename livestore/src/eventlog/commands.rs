//! What a log has of commands: those whose events are pending, those that failed later, and by how many events
//! the decisions have changed what sessions had committed.
//!
//! A log of an earlier version has none of these tables. They are made when there is something to store;
//! versions that do not know them leave them alone. Such a version may have moved the events, so a command
//! counts only if the event is there that it was stored with, as its checksum says.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::EventlogError;
use super::connection::{LogConnection, number};
use crate::event::{Conflict, EncodedEvent, PendingCommand, SeqNum, WithdrawnEvent};

const DDL: &str = "
    CREATE TABLE IF NOT EXISTS pending_commands (
      seq_global INTEGER NOT NULL,
      seq_client INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      id TEXT NOT NULL,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS conflicts (
      place INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      command TEXT NOT NULL,
      args TEXT NOT NULL,
      events TEXT NOT NULL,
      error TEXT NOT NULL,
      decided_behind TEXT,
      failed_behind TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS session_surplus (
      session_id TEXT PRIMARY KEY NOT NULL,
      events INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

const INSERT: &str = "INSERT OR REPLACE INTO pending_commands VALUES (?, ?, ?, ?, ?, ?)";

const SELECT: &str = "
    SELECT seq_global, seq_client, id, command.name, command.args
    FROM pending_commands AS command JOIN eventlog USING (seq_global, seq_client, checksum)
    ORDER BY seq_global, seq_client";

const REMOVE: &str = "DELETE FROM pending_commands WHERE (seq_global, seq_client) >= (?, ?)";

const CONFIRM: &str = "DELETE FROM pending_commands WHERE (seq_global, seq_client) <= (?, ?)";

const INSERT_CONFLICT: &str = "INSERT OR REPLACE INTO conflicts (id, command, args, events, error, decided_behind, failed_behind) \
     VALUES (?, ?, ?, ?, ?, ?, ?)";

const ADD_SURPLUS: &str = "INSERT INTO session_surplus VALUES (?1, ?2) ON CONFLICT (session_id) \
                           DO UPDATE SET events = events + ?2";

/// What a change of the log means for its commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandNotes {
    /// Commands that failed.
    pub(crate) conflicts: Vec<Conflict>,
    /// The ids of conflicts that are resolved.
    pub(crate) resolved: Vec<String>,
    /// The number of events that the log has now and that these sessions have not committed, as it is the
    /// commands that decided again; negative if it has fewer.
    pub(crate) surplus: Vec<(Arc<str>, i64)>,
}

impl CommandNotes {
    pub(super) fn is_empty(&self) -> bool {
        self.conflicts.is_empty() && self.resolved.is_empty() && self.surplus.is_empty()
    }
}

impl LogConnection {
    /// Whether there are the tables.
    fn has_commands(&self) -> Result<bool, EventlogError> {
        if !self.has_commands.get() {
            let exists = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'session_surplus'";
            let count: i64 = self.conn.prepare_cached(exists)?.query_row([], |row| row.get(0))?;
            self.has_commands.set(count > 0);
        }
        Ok(self.has_commands.get())
    }

    /// Makes the tables, within the transaction of the caller. If that is rolled back, they are looked for
    /// again.
    fn make_commands(&self) -> Result<(), EventlogError> {
        if !self.has_commands()? {
            self.conn.execute_batch(DDL)?;
        }
        Ok(())
    }

    /// Stores the command of an event, which has this checksum.
    pub(super) fn insert_command(
        &self,
        event: &EncodedEvent,
        checksum: i64,
    ) -> Result<(), EventlogError> {
        let Some(command) = &event.command else { return Ok(()) };
        self.make_commands()?;
        let PendingCommand { id, name, args } = &**command;
        let place = (number(event.seq.global), number(event.seq.client));
        let mut insert = self.conn.prepare_cached(INSERT)?;
        insert.execute(params![place.0, place.1, checksum, id, name, args])?;
        Ok(())
    }

    /// Removes the commands of the events from this one on.
    pub(super) fn remove_commands(&self, from: SeqNum) -> Result<(), EventlogError> {
        self.run_at(REMOVE, from)
    }

    /// Removes the commands of the events up to this one, which are confirmed.
    pub(super) fn confirm_commands(&self, to: SeqNum) -> Result<(), EventlogError> {
        self.run_at(CONFIRM, to)
    }

    fn run_at(&self, sql: &str, seq: SeqNum) -> Result<(), EventlogError> {
        if self.has_commands()? {
            self.conn.prepare_cached(sql)?.execute([number(seq.global), number(seq.client)])?;
        }
        Ok(())
    }

    pub(super) fn note_commands(&self, notes: &CommandNotes) -> Result<(), EventlogError> {
        if notes.is_empty() {
            return Ok(());
        }
        self.make_commands()?;
        for conflict in &notes.conflicts {
            let Conflict { id, command, args, events, error, .. } = conflict;
            let decided_behind = conflict.decided_behind.map(|seq| seq.to_string());
            let places = (decided_behind, conflict.failed_behind.to_string());
            let mut insert = self.conn.prepare_cached(INSERT_CONFLICT)?;
            insert.execute(params![
                id,
                command,
                args,
                text_of(events),
                error,
                places.0,
                places.1
            ])?;
        }
        for id in &notes.resolved {
            self.conn.execute("DELETE FROM conflicts WHERE id = ?", [id])?;
        }
        for (session_id, events) in &notes.surplus {
            self.conn.prepare_cached(ADD_SURPLUS)?.execute(params![session_id, events])?;
        }
        Ok(())
    }

    /// The commands of pending events, in the events' order.
    pub(super) fn commands(&self) -> Result<Vec<(SeqNum, PendingCommand)>, EventlogError> {
        if !self.has_commands()? {
            return Ok(Vec::new());
        }
        let mut statement = self.conn.prepare(SELECT)?;
        let rows = statement.query_map([], |row| {
            let part = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            let seq = SeqNum { global: part(0)?, client: part(1)?, generation: 0 };
            Ok((seq, PendingCommand { id: row.get(2)?, name: row.get(3)?, args: row.get(4)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The commands that failed, and were not resolved, the oldest first.
    pub(super) fn conflicts(&self) -> Result<Vec<Conflict>, EventlogError> {
        if !self.has_commands()? {
            return Ok(Vec::new());
        }
        let select = "SELECT id, command, args, events, error, decided_behind, failed_behind \
                      FROM conflicts ORDER BY place";
        let mut statement = self.conn.prepare(select)?;
        let rows = statement.query_map([], |row| {
            Ok(Conflict {
                id: row.get(0)?,
                command: row.get(1)?,
                args: row.get(2)?,
                events: events_of(row.get_ref(3)?.as_str()?),
                error: row.get(4)?,
                decided_behind: row.get::<_, Option<String>>(5)?.and_then(|seq| seq.parse().ok()),
                failed_behind: row.get::<_, String>(6)?.parse().unwrap_or(SeqNum::ROOT),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The number of events that the log has more of this session than it has committed.
    pub(super) fn surplus(&self, session_id: &str) -> Result<i64, EventlogError> {
        if !self.has_commands()? {
            return Ok(0);
        }
        let select = "SELECT events FROM session_surplus WHERE session_id = ?";
        let found = self.conn.query_row(select, [session_id], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or_default())
    }
}

/// The events as JSON, name and args by turns.
fn text_of(events: &[WithdrawnEvent]) -> String {
    let texts: Vec<_> = events.iter().flat_map(|event| [&event.name, &event.args]).collect();
    serde_json::Value::from_iter(texts.into_iter().cloned()).to_string()
}

fn events_of(text: &str) -> Vec<WithdrawnEvent> {
    let texts: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    let pairs = texts.chunks_exact(2).filter_map(|pair| pair.first().zip(pair.last()));
    pairs.map(|(name, args)| WithdrawnEvent { name: name.clone(), args: args.clone() }).collect()
}
