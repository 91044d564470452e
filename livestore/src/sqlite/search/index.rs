//! The index of a table: which row has which words.

use std::fmt::Write as _;
use std::sync::Arc;

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
    /// The number of rows.
    rows: i64,
    /// What the last searches have found, the last one first, since a row has changed.
    remembered: Vec<(String, Arc<Found>)>,
}

/// The number of searches whose results an index remembers: a list and its length are two queries with one
/// search, and a screen has few searches.
pub(super) const REMEMBERED: usize = 4;

/// The row ids that a search has found, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found(Vec<i64>);

impl Found {
    /// Whether the row was found.
    pub(super) fn contains(&self, rowid: i64) -> bool {
        self.0.binary_search(&rowid).is_ok()
    }

    /// The row ids as a JSON array.
    pub(super) fn to_json(&self) -> String {
        let mut json = String::from("[");
        for rowid in &self.0 {
            let separator = if json.len() > 1 { "," } else { "" };
            let _ = write!(json, "{separator}{rowid}");
        }
        json.push(']');
        json
    }
}

impl Index {
    /// Makes the index of a table.
    pub(super) fn of(state: &Connection, names: &TableNames) -> Result<Self, SqliteError> {
        let conn = Connection::open_in_memory()?;
        // An index with which something went wrong is not used any more: nothing is rolled back.
        conn.execute_batch(&format!("PRAGMA journal_mode = OFF; {} BEGIN;", ddl(names)))?;
        let mut index = Self { conn, rows: 0, remembered: Vec::new() };
        let mut insert = index.insert(names)?;
        let mut select = state.prepare(&select(names))?;
        let mut rows = select.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            put(&mut insert, row)?;
            count += 1;
        }
        drop(insert);
        index.conn.execute_batch("COMMIT")?;
        index.rows = count;
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
        self.remembered.clear();
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
        self.conn.execute_batch("COMMIT")?;
        let count = "SELECT COUNT(*) FROM words_docsize";
        self.rows = self.conn.prepare_cached(count)?.query_row([], |row| row.get(0))?;
        Ok(())
    }

    /// Finds the rows that have all of these words.
    pub(super) fn find(&mut self, words: &str) -> rusqlite::Result<Arc<Found>> {
        let known = self.remembered.iter().position(|(known, _)| known == words);
        if let Some((_, found)) = known.and_then(|at| self.remembered.get(at)) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(self.look_up(words)?);
        self.remembered.truncate(REMEMBERED - 1);
        self.remembered.insert(0, (words.to_owned(), Arc::clone(&found)));
        Ok(found)
    }

    /// Whether an eighth of the rows was found, or more. Then it is faster to look at each row of the table, in the
    /// order that is asked for, than to sort those that were found.
    pub(super) fn is_much(&self, found: &Found) -> bool {
        i64::try_from(found.0.len()).is_ok_and(|found| found >= self.rows / 8)
    }

    fn look_up(&self, words: &str) -> rusqlite::Result<Found> {
        let mut select =
            self.conn.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1")?;
        let mut rows = select.query([words::to_match(words)])?;
        let mut rowids = Vec::new();
        while let Some(row) = rows.next()? {
            rowids.push(row.get(0)?);
        }
        rowids.sort_unstable();
        Ok(Found(rowids))
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
