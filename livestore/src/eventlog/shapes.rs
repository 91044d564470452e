//! The shapes that the events of a log were written in, by the events' names.
//!
//! A log of an earlier version has no such table. One is made when there is something to record;
//! versions that do not know it leave it alone.

use super::connection::LogConnection;
use super::{EventlogError, VisitArgs};

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
        outdated: &[&str],
    ) -> Result<(), EventlogError> {
        self.transaction(|| {
            self.conn.execute_batch(DDL)?;
            let mut forget = self.conn.prepare("DELETE FROM event_shapes WHERE name = ?")?;
            for name in outdated {
                forget.execute([name])?;
            }
            let mut insert = self.conn.prepare("INSERT INTO event_shapes VALUES (?, ?)")?;
            for (name, shape) in new {
                insert.execute([name, shape])?;
            }
            Ok(())
        })
    }

    pub(super) fn visit_named(
        &self,
        name: &str,
        visit: VisitArgs<'_>,
    ) -> Result<(), EventlogError> {
        let mut statement = self.conn.prepare("SELECT args FROM eventlog WHERE name = ?")?;
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            let args = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if visit(args).is_break() {
                break;
            }
        }
        Ok(())
    }
}
