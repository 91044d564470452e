//! The index of a table: which row has which words.

use std::fmt::Write as _;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Row, Statement};

use super::super::quoting::quote;
use super::super::{SqliteError, TableNames};
use super::words;

/// A table of FTS5 without the texts, in a database of its own. Its rows have the row ids of those that
/// are searched.
#[derive(Debug)]
pub(super) struct Index {
    conn: Connection,
}

impl Index {
    /// Makes the index of a table.
    pub(super) fn of(state: &Connection, names: &TableNames) -> Result<Self, SqliteError> {
        let conn = Connection::open_in_memory()?;
        // An index with which something went wrong is not used any more: nothing is rolled back.
        conn.execute_batch(&format!("PRAGMA journal_mode = OFF; {} BEGIN;", ddl(names)))?;
        let index = Self { conn };
        let mut insert = index.insert(names)?;
        let mut select = state.prepare(&select(names))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            put(&mut insert, row)?;
        }
        drop(insert);
        index.conn.execute_batch("COMMIT")?;
        Ok(index)
    }

    /// Reads these rows again, of which some may be gone.
    pub(super) fn update(
        &mut self,
        state: &Connection,
        names: &TableNames,
        rowids: &[i64],
    ) -> Result<(), SqliteError> {
        let mut rowids = rowids.to_vec();
        rowids.sort_unstable();
        rowids.dedup();
        self.conn.execute_batch("BEGIN")?;
        let mut insert = self.insert(names)?;
        let mut delete = self.conn.prepare_cached("DELETE FROM words WHERE rowid = ?1")?;
        let mut select = state.prepare_cached(&format!("{} WHERE _rowid_ = ?1", select(names)))?;
        for rowid in rowids {
            delete.execute([rowid])?;
            let mut rows = select.query([rowid])?;
            if let Some(row) = rows.next()? {
                put(&mut insert, row)?;
            }
        }
        drop((insert, delete));
        Ok(self.conn.execute_batch("COMMIT")?)
    }

    /// Returns the row ids of the rows that have all of these words, as a JSON array.
    pub(super) fn find(&self, words: &str) -> rusqlite::Result<String> {
        let mut select =
            self.conn.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1")?;
        let mut rows = select.query([words::to_match(words)])?;
        let mut found = String::from("[");
        while let Some(row) = rows.next()? {
            let separator = if found.len() > 1 { "," } else { "" };
            let _ = write!(found, "{separator}{}", row.get::<_, i64>(0)?);
        }
        found.push(']');
        Ok(found)
    }

    fn insert(&self, names: &TableNames) -> Result<CachedStatement<'_>, SqliteError> {
        let columns: String = columns(names).map(|column| format!(", {column}")).collect();
        let binds = ", ?".repeat(names.columns.len());
        let insert = format!("INSERT INTO words (rowid{columns}) VALUES (?{binds})");
        Ok(self.conn.prepare_cached(&insert)?)
    }
}

/// Inserts a row: its row id, then its texts.
fn put(insert: &mut Statement<'_>, row: &Row<'_>) -> rusqlite::Result<()> {
    let width = insert.parameter_count();
    for index in 0..width {
        match row.get_ref(index)? {
            // A materializer's SQL can make text of any bytes.
            ValueRef::Text(text) => {
                insert.raw_bind_parameter(index + 1, String::from_utf8_lossy(text))?;
            }
            other => insert.raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(other))?,
        }
    }
    insert.raw_execute().map(drop)
}

/// The names of the index's columns: FTS5 does not take every name.
fn columns(names: &TableNames) -> impl Iterator<Item = String> {
    (0..names.columns.len()).map(|position| format!("text_{position}"))
}

fn ddl(names: &TableNames) -> String {
    let columns: String = columns(names).map(|column| format!("{column}, ")).collect();
    format!(
        "CREATE VIRTUAL TABLE words USING fts5({columns} content = '', contentless_delete = 1, \
         tokenize = 'unicode61 remove_diacritics 2');"
    )
}

fn select(names: &TableNames) -> String {
    let columns: String =
        names.columns.iter().map(|column| format!(", {}", quote(column))).collect();
    format!("SELECT _rowid_{columns} FROM main.{}", quote(names.table))
}
