//! Events that are in the log but not in the state.
//!
//! The list is part of the state: a rebuild empties it and tries every event again.

use std::fmt;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row, params};

use super::State;
use crate::event::{EncodedEvent, SeqNum};
use crate::sqlite::SqliteError;

pub(super) const DDL: &str = "
    CREATE TABLE __livestore_quarantine (
      seq_global INTEGER NOT NULL,
      seq_client INTEGER NOT NULL,
      seq TEXT NOT NULL,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      reason INTEGER NOT NULL,
      error TEXT NOT NULL,
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT;
";

/// Selects what is equal on all clients. A generation, which is not, counts a client's own rebases, and
/// the words of an error may differ between versions; events that the backend has refused are on
/// their own client only.
pub(super) const SHARED: &str = "SELECT seq_global, seq_client, name, args, reason \
     FROM __livestore_quarantine WHERE reason <> 3";

/// An event that is in the eventlog but could not be applied to the state.
///
/// It is tried again whenever the state is rebuilt: when the schema changes, or by
/// [`Store::reset_state`](crate::Store::reset_state); but not if the backend has
/// [refused](QuarantineReason::Refused) it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// The event's place in the log.
    pub seq: SeqNum,
    /// Its wire name.
    pub name: String,
    /// Its args: a JSON object.
    pub args: String,
    /// Why it was not applied.
    pub reason: QuarantineReason,
}

/// The reason why an event was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuarantineReason {
    /// The schema does not know it: a newer version of the app does.
    Unknown,
    /// Its args do not decode, or its materializer failed, with this error.
    Failed(String),
    /// Another event of the same commit failed, with this error. A commit is applied as a whole or
    /// not at all.
    WithCommit(String),
    /// The sync backend refuses the commit of the event for good, with this reason. No other client
    /// gets it, so it is not applied here either. It stays in the log, as a client-only event.
    ///
    /// To recover it, commit its content again, in a form that the backend accepts: name and args are
    /// in the [`Quarantined`].
    Refused(String),
}

impl fmt::Display for QuarantineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("this version of the app does not know the event"),
            Self::Failed(error) => f.write_str(error),
            Self::WithCommit(error) => {
                write!(f, "another event of the same commit cannot be applied: {error}")
            }
            Self::Refused(reason) => write!(f, "the sync backend refuses it for good: {reason}"),
        }
    }
}

/// The reasons as the table has them.
const FAILED: i64 = 0;
const UNKNOWN: i64 = 1;
const WITH_COMMIT: i64 = 2;
const REFUSED: i64 = 3;

/// The reason that begins at a column.
fn reason_at(row: &Row<'_>, column: usize) -> rusqlite::Result<QuarantineReason> {
    Ok(match row.get(column)? {
        UNKNOWN => QuarantineReason::Unknown,
        WITH_COMMIT => QuarantineReason::WithCommit(row.get(column + 1)?),
        REFUSED => QuarantineReason::Refused(row.get(column + 1)?),
        _ => QuarantineReason::Failed(row.get(column + 1)?),
    })
}

impl Quarantined {
    pub(super) fn new(event: &EncodedEvent, reason: QuarantineReason) -> Self {
        let name = event.name.clone().into_owned();
        Self { seq: event.seq, name, args: event.args.clone(), reason }
    }
}

impl State {
    pub(super) fn quarantine(&self, event: &Quarantined) -> Result<(), SqliteError> {
        let (reason, error) = match &event.reason {
            QuarantineReason::Unknown => (UNKNOWN, ""),
            QuarantineReason::Failed(error) => (FAILED, error.as_str()),
            QuarantineReason::WithCommit(error) => (WITH_COMMIT, error.as_str()),
            QuarantineReason::Refused(error) => (REFUSED, error.as_str()),
        };
        let insert = "INSERT INTO __livestore_quarantine VALUES (?, ?, ?, ?, ?, ?, ?)";
        self.db.prepare(insert)?.execute(params![
            event.seq.global.cast_signed(),
            event.seq.client.cast_signed(),
            event.seq.to_string(),
            event.name,
            event.args,
            reason,
            error
        ])?;
        Ok(())
    }

    /// Whether the event is quarantined.
    pub(super) fn is_quarantined(&self, seq: SeqNum) -> Result<bool, SqliteError> {
        let select = "SELECT 1 FROM __livestore_quarantine WHERE seq_global = ? AND seq_client = ?";
        let place = [seq.global.cast_signed(), seq.client.cast_signed()];
        Ok(self.db.prepare(select)?.exists(place)?)
    }

    /// Why the event was not applied; `None` if it was.
    pub(crate) fn quarantine_reason(
        &self,
        seq: SeqNum,
    ) -> Result<Option<QuarantineReason>, SqliteError> {
        let select = "SELECT reason, error FROM __livestore_quarantine \
                      WHERE seq_global = ? AND seq_client = ?";
        let place = [seq.global.cast_signed(), seq.client.cast_signed()];
        let found = self.db.prepare(select)?.query_row(place, |row| reason_at(row, 0));
        Ok(found.optional()?)
    }

    /// The number of events that the backend has refused for good.
    pub(crate) fn refused(&self) -> Result<usize, SqliteError> {
        let count = "SELECT count(*) FROM __livestore_quarantine WHERE reason = 3";
        let count: i64 = self.db.prepare(count)?.query_row([], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The first event that the schema does not know.
    pub(crate) fn first_unknown(&self) -> Result<Option<Quarantined>, SqliteError> {
        let mut quarantined = self.quarantined()?.into_iter();
        Ok(quarantined.find(|event| event.reason == QuarantineReason::Unknown))
    }

    /// The quarantined events, in order.
    pub(crate) fn quarantined(&self) -> Result<Vec<Quarantined>, SqliteError> {
        let select = "SELECT seq, name, args, reason, error FROM __livestore_quarantine \
                      ORDER BY seq_global, seq_client";
        let mut statement = self.db.prepare(select)?;
        let rows = statement.query_map([], |row| {
            let seq: String = row.get(0)?;
            let reason = reason_at(row, 3)?;
            let seq = SeqNum::from_str(&seq).unwrap_or_default();
            Ok(Quarantined { seq, name: row.get(1)?, args: row.get(2)?, reason })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
