//! A hash of all rows: two states are the same if theirs are.

use xxhash_rust::xxh3::Xxh3;

use super::{State, quarantine};
use crate::sqlite::quote;
use crate::sqlite::{SqliteError, hash_row};

impl State {
    /// Returns the hash of all rows of all tables, whatever their order. Reads the whole state.
    pub(crate) fn hash(&self) -> Result<u64, SqliteError> {
        let mut hash = Xxh3::new();
        let mut names: Vec<_> = self.schema.tables().map(|table| table.name()).collect();
        names.sort_unstable();
        for name in names {
            hash.update(name.as_bytes());
            self.hash_rows(&format!("SELECT * FROM {}", quote(name)), &mut hash)?;
        }
        self.hash_rows(quarantine::SHARED, &mut hash)?;
        Ok(hash.digest())
    }

    fn hash_rows(&self, select: &str, hash: &mut Xxh3) -> Result<(), SqliteError> {
        let mut statement = self.db.prepare(select)?;
        // Rows are hashed one by one and added up: the sum has no order.
        let mut sum = 0u64;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut one = Xxh3::new();
            hash_row(row, &mut one);
            sum = sum.wrapping_add(one.digest());
        }
        hash.update(&sum.to_le_bytes());
        Ok(())
    }
}
