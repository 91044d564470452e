//! A state as the bytes of an SQLite database, and back.

use std::io::Read;

use rusqlite::{Connection, MAIN_DB};

use super::{State, StateError};
use crate::event::SeqNum;
use crate::schema::SchemaDef;
use crate::sqlite::SqliteError;

impl State {
    /// Returns the bytes of the state. `None` while pending events have changed it: SQLite does not give
    /// out what a savepoint can undo.
    pub(crate) fn bytes(&mut self) -> Result<Option<Vec<u8>>, SqliteError> {
        if self.db.has_changed_in_savepoint()? {
            return Ok(None);
        }
        Ok(Some(self.db.connection_mut().serialize(MAIN_DB)?.to_vec()))
    }

    /// Returns a copy of the state. `None` while pending events have changed it.
    pub(crate) fn copy(&mut self) -> Result<Option<Self>, StateError> {
        if self.db.has_changed_in_savepoint()? {
            return Ok(None);
        }
        let (schema, head) = (self.schema, self.head);
        let bytes = self.db.connection_mut().serialize(MAIN_DB).map_err(SqliteError::from)?;
        Self::of_bytes(schema, head, &*bytes, bytes.len()).map(Some)
    }

    /// Returns the state, up to `head`, of `length` [bytes](Self::bytes) that are read.
    pub(crate) fn of_bytes(
        schema: &'static SchemaDef,
        head: SeqNum,
        bytes: impl Read,
        length: usize,
    ) -> Result<Self, StateError> {
        let mut conn = Connection::open_in_memory().map_err(SqliteError::from)?;
        conn.deserialize_read_exact(MAIN_DB, bytes, length, false).map_err(SqliteError::from)?;
        Ok(Self { head, ..Self::over(conn, schema)? })
    }
}
