//! A hash of all rows: two states are the same if theirs are.

use rusqlite::types::ValueRef;
use xxhash_rust::xxh3::Xxh3;

use super::State;
use crate::sqlite::SqliteError;
use crate::table::quote;

impl State {
    /// Over every row of every table, in an order that does not depend on how they got there.
    /// Reads the whole state.
    pub(crate) fn hash(&self) -> Result<u64, SqliteError> {
        let mut hash = Xxh3::new();
        let mut names: Vec<_> = self.schema.tables().map(|table| table.name()).collect();
        names.push("__livestore_quarantine");
        names.sort_unstable();
        for name in names {
            hash.update(name.as_bytes());
            self.hash_table(name, &mut hash)?;
        }
        Ok(hash.digest())
    }

    fn hash_table(&self, name: &str, hash: &mut Xxh3) -> Result<(), SqliteError> {
        let mut statement = self.db.prepare(&format!("SELECT * FROM {}", quote(name)))?;
        let columns = statement.column_count();
        // Rows are hashed one by one and added up: the sum has no order.
        let mut sum = 0u64;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut one = Xxh3::new();
            for column in 0..columns {
                hash_value(row.get_ref(column)?, &mut one);
            }
            sum = sum.wrapping_add(one.digest());
        }
        hash.update(&sum.to_le_bytes());
        Ok(())
    }
}

fn hash_value(value: ValueRef<'_>, hash: &mut Xxh3) {
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(integer) => (1, &integer.to_le_bytes()),
        ValueRef::Real(real) => (2, &real.to_le_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    hash.update(&[kind]);
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}
