//! Which shapes the events of a log were written in, by their names.
//!
//! A log of an earlier version has no such table. One is made when there is something to record;
//! versions that do not know it leave it alone.

use super::EventlogError;
use super::writer::LogConnection;

const DDL: &str = "
    CREATE TABLE IF NOT EXISTS event_shapes (
      name TEXT NOT NULL,
      shape TEXT NOT NULL,
      PRIMARY KEY (name, shape)
    ) STRICT, WITHOUT ROWID;
";

/// The name of an event, and a shape that events of this name may have been written in.
pub(crate) type RecordedShape = (String, String);

impl LogConnection {
    pub(super) fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        let exists = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'event_shapes'";
        let count: i64 = self.conn.query_row(exists, [], |row| row.get(0))?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut statement = self.conn.prepare("SELECT name, shape FROM event_shapes")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn record_shapes(
        &self,
        new: &[RecordedShape],
        unused: &[&str],
    ) -> Result<(), EventlogError> {
        self.transaction(|| {
            self.conn.execute_batch(DDL)?;
            let mut forget = self.conn.prepare("DELETE FROM event_shapes WHERE name = ?")?;
            for name in unused {
                forget.execute([name])?;
            }
            let mut insert = self.conn.prepare("INSERT INTO event_shapes VALUES (?, ?)")?;
            for (name, shape) in new {
                insert.execute([name, shape])?;
            }
            Ok(())
        })
    }

    /// Reads the whole log: only for a log that may not be readable.
    pub(super) fn count_named(&self, name: &str) -> Result<u64, EventlogError> {
        let count = "SELECT COUNT(*) FROM eventlog WHERE name = ?";
        let count: i64 = self.conn.query_row(count, [name], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }
}
