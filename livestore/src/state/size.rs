//! How large a state may become.
//!
//! The database in memory is one block, which SQLite never makes larger than 2 GiB. Commits and pulls
//! are refused earlier, so that making the state again from the log has room to spare: the same rows
//! take a few more pages when they are written in another order.

use super::State;
use crate::sqlite::{Db, SqliteError};

/// The most pages of 4 KiB that fit into the largest block that SQLite allocates.
const MAX_PAGES: u64 = 524_287;

const PAGE_BYTES: u64 = 4_096;

/// The most bytes of a state to which events are added.
pub(crate) const MAX_STATE_BYTES: u64 = 7 * (MAX_PAGES + 1) / 8 * PAGE_BYTES;

/// Lets the database grow as far as it can.
pub(super) fn raise_limit(db: &Db) -> Result<(), SqliteError> {
    db.limit_file((MAX_PAGES * PAGE_BYTES).cast_signed())?;
    db.run_all(&format!("PRAGMA max_page_count = {MAX_PAGES}"))
}

impl State {
    /// Refuses what does not fit into this many bytes, from now on. A state that is larger already may
    /// still be read and made smaller.
    pub(crate) fn limit(&self, bytes: u64) -> Result<(), SqliteError> {
        let pages = pages_in(bytes).max(1);
        self.db.run_all(&format!("PRAGMA max_page_count = {pages}"))
    }

    /// Calls `apply`, which may need more room than is left for its result: pending events that are
    /// applied again may add rows before they delete others.
    ///
    /// Fails if the state is larger then than before, and than `bytes`.
    pub(crate) fn within<T, E: From<SqliteError>>(
        &mut self,
        bytes: u64,
        apply: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let before = self.pages()?;
        raise_limit(&self.db)?;
        let applied = apply(self)?;
        let after = self.pages()?;
        if after > before && after > pages_in(bytes) {
            return Err(SqliteError::full().into());
        }
        self.limit(bytes)?;
        Ok(applied)
    }

    /// The number of bytes that are in use.
    pub(crate) fn size(&self) -> Result<u64, SqliteError> {
        Ok(self.pages()? * PAGE_BYTES)
    }

    /// The number of pages that are in use.
    fn pages(&self) -> Result<u64, SqliteError> {
        let number = |pragma: &str| -> Result<u64, SqliteError> {
            let number: i64 = self.db.prepare(pragma)?.query_row([], |row| row.get(0))?;
            Ok(number.cast_unsigned())
        };
        Ok(number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?))
    }
}

fn pages_in(bytes: u64) -> u64 {
    bytes.min(MAX_STATE_BYTES) / PAGE_BYTES
}
