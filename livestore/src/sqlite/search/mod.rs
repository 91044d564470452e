//! Full-text search: the rows of a table, by the words of their texts.
//!
//! The words are in an [`Index`], which is made when a table is first searched. It is a database of its
//! own, beside the state's: what is in it depends on the order of all changes, and the state must not. From
//! then on triggers note the rows that change, and no more; the next search has them read again. So being
//! searched costs a commit next to nothing, and an index can never be the reason why an event fails.
//!
//! Where a search finds few rows, a statement goes through these. Where it finds many, such as those with one
//! letter, sorting them would take longer than to go through the table in the order that is asked for.
//!
//! A rollback changes rows back, and fires no triggers. So the rows that have changed stay noted as long as
//! a savepoint is open, and are read once more after a rollback.

mod index;
mod words;

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Null;

use index::{Found, Index};
pub(crate) use words::words_of;

use super::quoting::quote;
use super::{SqliteError, TableNames, lock};

/// `(table, words)`: the row ids of the rows that have these words, as a JSON array. Only the SQL of this
/// crate calls it, and [prepares](Search::prepare) the table before.
pub(crate) const SEARCH: &str = "livestore_search";

/// `(table, words, row id)`: whether the row has these words. NULL if there is no row.
pub(crate) const IS_FOUND: &str = "livestore_is_found";

/// The function that the triggers call.
pub(super) const FUNCTION: &str = "__livestore_touch";

/// How a statement has the rows that a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Searched {
    /// As a [list](SEARCH), which it goes through.
    Listed,
    /// It goes through the table, and asks whether each row was [found](IS_FOUND).
    RowByRow,
}

impl Searched {
    /// The most searches of a statement that may go row by row: what they find is remembered.
    pub(crate) const MOST_ROW_BY_ROW: usize = index::REMEMBERED;
}

/// The most changes that are noted. After more, the whole index is rebuilt: reading that many rows again
/// would take as long.
const MAX_TOUCHED: usize = 65_536;

/// The tables that are searched, with their indexes.
#[derive(Debug, Clone, Default)]
pub(super) struct Search(Arc<Mutex<Vec<SearchedTable>>>);

#[derive(Debug)]
struct SearchedTable {
    /// With the columns that are searched.
    names: TableNames,
    /// `None` until it is made.
    index: Option<Index>,
    /// The row ids of all rows that have changed since the first savepoint was opened, in order, and of
    /// those that the index lacks.
    touched: Vec<i64>,
    /// The number of them that the index has.
    applied: usize,
    /// Their number when the last savepoint was opened.
    marked: usize,
    /// Whether the row ids of some rows were dropped that have changed since then.
    is_incomplete: bool,
}

impl Search {
    /// Registers the functions with the connection.
    pub(super) fn install(&self, conn: &Connection) -> Result<(), SqliteError> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        let search = self.clone();
        conn.create_scalar_function(SEARCH, 2, flags, move |context| {
            let (table, words) = (context.get_raw(0).as_str()?, context.get_raw(1).as_str()?);
            Ok(search.find(table, words)?.to_json())
        })?;
        let search = self.clone();
        conn.create_scalar_function(IS_FOUND, 3, flags, move |context| {
            let Some(rowid) = context.get::<Option<i64>>(2)? else { return Ok(None) };
            // Looked up for the first row of a statement, and there for all others.
            let found = context.get_or_create_aux(1, |words| {
                search.find(context.get_raw(0).as_str()?, words.as_str()?)
            })?;
            Ok(Some(found.contains(rowid)))
        })?;
        let flags = FunctionFlags::SQLITE_UTF8;
        Ok(conn.create_aggregate_function(FUNCTION, 2, flags, self.clone())?)
    }

    /// Has the index of a table agree with its rows, so that it can be searched for these words.
    pub(super) fn prepare(
        &self,
        conn: &Connection,
        names: TableNames,
        words: &str,
    ) -> Result<Searched, SqliteError> {
        let mut tables = lock(&self.0);
        let at = match tables.iter().position(|known| known.names.table == names.table) {
            Some(at) => at,
            None => {
                conn.execute_batch(&trigger_ddl(tables.len(), &names))?;
                tables.push(SearchedTable::new(names));
                tables.len() - 1
            }
        };
        let Some(table) = tables.get_mut(at) else { return Ok(Searched::Listed) };
        let index = table.refresh(conn)?;
        let found = index.find(words)?;
        Ok(if index.is_much(&found) { Searched::RowByRow } else { Searched::Listed })
    }

    fn find(&self, table: &str, words: &str) -> rusqlite::Result<Arc<Found>> {
        let mut tables = lock(&self.0);
        let known = tables.iter_mut().find(|known| known.names.table == table);
        match known.and_then(|known| known.index.as_mut()) {
            Some(index) => index.find(words),
            None => {
                let message = format!("the index of {table} is not made");
                Err(rusqlite::Error::UserFunctionError(message.into()))
            }
        }
    }

    /// A savepoint is about to be opened.
    pub(super) fn mark(&self, conn: &Connection) {
        for table in &mut *lock(&self.0) {
            if conn.is_autocommit() {
                table.forget_applied();
            }
            table.marked = table.touched.len();
        }
    }

    /// Everything was rolled back that has changed since a savepoint was opened: `to_last` if it was the
    /// one that was opened last.
    pub(super) fn rolled_back(&self, conn: &Connection, to_last: bool) -> Result<(), SqliteError> {
        for (position, table) in lock(&self.0).iter_mut().enumerate() {
            let to = if to_last { table.marked } else { 0 };
            table.applied = table.applied.min(to);
            let triggers = "SELECT count(*) FROM temp.sqlite_schema WHERE name = ?1";
            let first = trigger(position, "INSERT");
            let has_triggers = conn.query_row(triggers, [first], |row| row.get::<_, bool>(0))?;
            // Triggers that are younger than the savepoint are gone, and have not seen all that has changed
            // since it was opened.
            if !has_triggers {
                conn.execute_batch(&trigger_ddl(position, &table.names))?;
            }
            if !has_triggers || table.is_incomplete {
                table.index = None;
            }
        }
        Ok(())
    }

    /// Compares every index that is made, once it is prepared, with a new one. Returns their number.
    #[cfg(test)]
    pub(super) fn check(&self, conn: &Connection) -> Result<u64, String> {
        let mut checked = 0;
        for table in lock(&self.0).iter_mut().filter(|table| table.index.is_some()) {
            table.refresh(conn).unwrap();
            let mut new = Index::of(conn, &table.names).unwrap();
            for words in ["a", "b", "apple", "apple b", "ä", "1"] {
                let found = table.index.as_mut().unwrap().find(words).unwrap();
                let expected = new.find(words).unwrap();
                if found != expected {
                    return Err(format!(
                        "{words} in {}: {found:?} and not {expected:?}",
                        table.names.table
                    ));
                }
            }
            checked += 1;
        }
        Ok(checked)
    }

    fn touch(&self, position: usize, rowid: i64) {
        if let Some(table) = lock(&self.0).get_mut(position) {
            table.touch(rowid);
        }
    }
}

impl SearchedTable {
    fn new(names: TableNames) -> Self {
        let (index, touched) = (None, Vec::new());
        Self { names, index, touched, applied: 0, marked: 0, is_incomplete: false }
    }

    fn touch(&mut self, rowid: i64) {
        if self.touched.len() >= MAX_TOUCHED {
            self.index = None;
            (self.touched, self.applied, self.marked) = (Vec::new(), 0, 0);
            self.is_incomplete = true;
        }
        // A row changes several times in a row, so to speak.
        let is_noted = self.touched.len() > self.applied.max(self.marked)
            && self.touched.last() == Some(&rowid);
        if !is_noted {
            self.touched.push(rowid);
        }
    }

    /// Forgets the changes that the index has: no savepoint is open that could be rolled back.
    fn forget_applied(&mut self) {
        if self.index.is_none() {
            // It is made of the rows as they are then.
            self.applied = self.touched.len();
        }
        self.touched.drain(..self.applied);
        (self.applied, self.marked, self.is_incomplete) = (0, 0, false);
    }

    fn refresh(&mut self, conn: &Connection) -> Result<&mut Index, SqliteError> {
        let changed = self.touched.get(self.applied..).unwrap_or_default();
        let refreshed = match self.index.take() {
            Some(index) if changed.is_empty() => index,
            // After a failure, the index is rebuilt.
            Some(mut index) => index.update(conn, &self.names, changed).map(|()| index)?,
            None => Index::of(conn, &self.names)?,
        };
        self.applied = self.touched.len();
        if conn.is_autocommit() {
            self.forget_applied();
        }
        Ok(self.index.insert(refreshed))
    }
}

/// An aggregate over one row, as the one that [captures](super::capture) changes, and for the same reason.
impl Aggregate<(), Null> for Search {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<()> {
        Ok(())
    }

    fn step(&self, context: &mut Context<'_>, (): &mut ()) -> rusqlite::Result<()> {
        let position = usize::try_from(context.get::<i64>(0)?).unwrap_or(usize::MAX);
        self.touch(position, context.get(1)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, _: Option<()>) -> rusqlite::Result<Null> {
        Ok(Null)
    }
}

fn trigger(position: usize, event: &str) -> String {
    format!("__livestore_search_{event}_{position}")
}

/// The triggers that note the rows whose texts change. `position` identifies the table.
fn trigger_ddl(position: usize, names: &TableNames) -> String {
    let touch = |row: &str| format!("SELECT {FUNCTION}({position}, {row}._rowid_);");
    let texts = names.columns.iter().map(|column| quote(column));
    let differs = texts.fold("OLD._rowid_ <> NEW._rowid_".to_owned(), |differs, text| {
        format!("{differs} OR OLD.{text} IS NOT NEW.{text}")
    });
    let of = |event: &str, when: &str, body: &str| {
        format!(
            "CREATE TEMP TRIGGER {} AFTER {event} ON main.{} {when} BEGIN {body} END;",
            quote(&trigger(position, event)),
            quote(names.table),
        )
    };
    [
        of("INSERT", "", &touch("NEW")),
        of("UPDATE", &format!("WHEN {differs}"), &(touch("OLD") + &touch("NEW"))),
        of("DELETE", "", &touch("OLD")),
    ]
    .concat()
}

#[cfg(test)]
mod tests;
