//! What a log has of undo: the steps that a window can undo or redo.
//!
//! A log of an earlier version has no such table. It is made when there is something to store.

use rusqlite::params;

use super::EventlogError;
use super::connection::{LogConnection, number};
use crate::event::{UndoChange, UndoNotes, UndoPlace, UndoStep, Way};

const DDL: &str = "
    CREATE TABLE IF NOT EXISTS undo_steps (
      window_id TEXT NOT NULL,
      is_redo INTEGER NOT NULL,
      place INTEGER NOT NULL,
      step TEXT NOT NULL,
      PRIMARY KEY (window_id, is_redo, place)
    ) STRICT, WITHOUT ROWID;
";

const PUT: &str = "INSERT OR REPLACE INTO undo_steps VALUES (?, ?, ?, ?)";

const REMOVE: &str = "DELETE FROM undo_steps WHERE window_id = ? AND is_redo = ? AND place = ?";

const CLEAR: &str = "DELETE FROM undo_steps WHERE window_id = ? AND is_redo = ?";

const SELECT: &str = "SELECT is_redo, place, step FROM undo_steps WHERE window_id = ?";

impl LogConnection {
    /// Whether there is the table.
    fn has_undo(&self) -> Result<bool, EventlogError> {
        if !self.has_undo.get() {
            let exists = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'undo_steps'";
            let count: i64 = self.conn.prepare_cached(exists)?.query_row([], |row| row.get(0))?;
            self.has_undo.set(count > 0);
        }
        Ok(self.has_undo.get())
    }

    /// Changes the steps of a window, in one transaction.
    pub(super) fn note_undo(&self, notes: &UndoNotes) -> Result<(), EventlogError> {
        self.transaction(|| self.write_undo(notes))
    }

    /// Changes the steps of a window, within the transaction of the caller. If that is rolled back, the table
    /// is looked for again.
    pub(super) fn write_undo(&self, notes: &UndoNotes) -> Result<(), EventlogError> {
        if !self.has_undo()? {
            self.conn.execute_batch(DDL)?;
        }
        let UndoNotes { window_id, changes } = notes;
        for change in changes {
            match change {
                UndoChange::Put(UndoPlace { way, number: place }, step) => {
                    let row = params![window_id, is_redo(*way), number(*place), step.to_text()];
                    self.conn.prepare_cached(PUT)?.execute(row)?;
                }
                UndoChange::Remove(UndoPlace { way, number: place }) => {
                    let row = params![window_id, is_redo(*way), number(*place)];
                    self.conn.prepare_cached(REMOVE)?.execute(row)?;
                }
                UndoChange::Clear(way) => {
                    self.conn.prepare_cached(CLEAR)?.execute(params![window_id, is_redo(*way)])?;
                }
            }
        }
        Ok(())
    }

    /// The steps of a window, as the changes that make them.
    pub(super) fn undo_steps(&self, window_id: &str) -> Result<Vec<UndoChange>, EventlogError> {
        if !self.has_undo()? {
            return Ok(Vec::new());
        }
        let mut statement = self.conn.prepare(SELECT)?;
        let rows = statement.query_map([window_id], |row| {
            let way = if row.get(0)? { Way::Redo } else { Way::Undo };
            let place = UndoPlace { way, number: row.get::<_, i64>(1)?.cast_unsigned() };
            Ok((place, UndoStep::of_text(row.get_ref(2)?.as_str()?)))
        })?;
        let mut steps = Vec::new();
        for row in rows {
            match row? {
                (place, Some(step)) => steps.push(UndoChange::Put(place, step)),
                (place, None) => {
                    tracing::warn!(?place, "a step to undo or redo is damaged, and left out");
                }
            }
        }
        Ok(steps)
    }
}

fn is_redo(way: Way) -> bool {
    way == Way::Redo
}
