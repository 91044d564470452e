//! The materializers' access to the state.

use std::fmt;

use rusqlite::CachedStatement;

use super::query::QueryError;
use super::{Params, Query, Reader, RowError, RowWriter, Table, TableDef, Write};
use crate::ambient::Impurity;
use crate::event::DecodeError;
use crate::sqlite::{Access, Db, SqliteError};
use crate::value::ValueError;

/// Why a materializer failed. Nothing of its event was applied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MaterializeError {
    /// The event's args are not what its type takes.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// SQLite refused to write a row; see its kind for constraint violations.
    #[error("SQLite refused a write to table `{table}`")]
    Write {
        /// The table.
        table: String,
        /// SQLite's error.
        source: SqliteError,
    },
    /// SQLite refused SQL; see its kind for constraint violations.
    #[error("SQLite refused `{sql}`")]
    Sql {
        /// The SQL.
        sql: String,
        /// SQLite's error.
        source: SqliteError,
    },
    /// A value does not fit its column.
    #[error("a row of table `{table}` cannot be stored")]
    Row {
        /// The table.
        table: &'static str,
        /// The column, and why its value does not fit.
        source: RowError,
    },
    /// A read, or the condition of a write, failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A value that the materializer encoded or decoded itself does not fit.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The materializer used something besides the event and the state.
    #[error("the materializer {0}")]
    Impure(Impurity),
    /// The materializer's SQL ended the commit.
    #[error("the SQL rolled the commit back; leave `OR ROLLBACK` out")]
    RolledBack,
    /// The materializer panicked.
    #[error("the materializer panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// An error with a message of the app.
    #[error("{0}")]
    Custom(String),
}

impl MaterializeError {
    /// Returns an error with a message of your own: the event cannot be applied to this state.
    #[must_use]
    pub fn custom(message: impl std::fmt::Display) -> Self {
        Self::Custom(message.to_string())
    }
}

/// The state, as a materializer sees it: it reads what the events before this one have made, and
/// writes what this one makes. Clocks, randomness and other files are out of reach, in SQL too; an event
/// whose materializer calls [`now`](crate::now) or [`new_id`](crate::new_id), or uses a store or a live
/// value, [fails](MaterializeError::Impure).
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct List { #[column(primary_key)] id: String, items: u32 }
/// # #[table] struct Item { #[column(primary_key)] id: String, list: String, text: String }
/// #[derive(Event)]
/// #[event(name = "v1.ItemMoved")]
/// struct ItemMoved { id: String, to: String }
///
/// impl Materialize for ItemMoved {
///     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
///         let Some(item) = state.query(Item::get(&self.id))? else {
///             return Err(MaterializeError::custom(format_args!("no item {}", self.id)));
///         };
///         state.sql("UPDATE list SET items = items - 1 WHERE id = ?", (item.list.as_str(),))?;
///         state.upsert(&Item { list: self.to.clone(), ..item })?;
///         state.run(List::update().add(List::ITEMS, 1).filter(List::ID.eq(&self.to)))?;
///         Ok(())
///     }
/// }
/// ```
pub struct Writer<'a> {
    db: &'a Db,
    window_id: &'a str,
    /// The statements that have put rows, so that a replay asks the cache once and not for each event.
    puts: Vec<(&'static str, CachedStatement<'a>)>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(db: &'a Db) -> Self {
        Self { db, window_id: "", puts: Vec::new() }
    }

    /// The same, for an event that was committed in this window.
    pub(crate) fn in_window(&mut self, window_id: &'a str) -> &mut Self {
        self.window_id = window_id;
        self
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When a row with its key is there, another constraint fails, or a value does not fit.
    pub fn insert<T: Table>(&mut self, row: &T) -> Result<(), MaterializeError> {
        self.put(&T::def().sql().insert, row).map(|_| ())
    }

    /// Adds a row unless one with its primary key is there; says whether it did.
    ///
    /// # Errors
    /// When another constraint fails or a value does not fit.
    pub fn insert_or_ignore<T: Table>(&mut self, row: &T) -> Result<bool, MaterializeError> {
        self.put(&T::def().sql().insert_or_ignore, row).map(|rows| rows > 0)
    }

    /// Adds a row, or replaces the one with its primary key.
    ///
    /// # Errors
    /// When another constraint fails or a value does not fit.
    pub fn upsert<T: Table>(&mut self, row: &T) -> Result<(), MaterializeError> {
        self.put(&T::def().sql().upsert, row).map(|_| ())
    }

    /// Runs an update or a delete, built or written as [`sql!`](crate::sql).
    ///
    /// # Errors
    /// When a constraint fails or a value does not fit.
    pub fn run(&mut self, write: impl Write) -> Result<(), MaterializeError> {
        self.execute(write).map(|_| ())
    }

    /// Runs an update or a delete and returns the number of rows that it affected.
    ///
    /// # Errors
    /// When a constraint fails or a value does not fit.
    pub fn execute<W: Write>(&mut self, write: W) -> Result<usize, MaterializeError> {
        self.check()?;
        let (sql, binds) = write.to_sql()?;
        let run = || {
            let mut statement = match W::IS_APP_SQL {
                true => self.db.prepare_checked(&sql, Access::Materialize)?,
                false => self.db.prepare(&sql)?,
            };
            Ok(statement.execute(rusqlite::params_from_iter(&binds))?)
        };
        run_write(self.db, run).map_err(|source| sql_error(sql, source))
    }

    /// Runs a query on the state.
    ///
    /// # Errors
    /// When the query fails.
    pub fn query<Q: Query>(&self, query: Q) -> Result<Q::Output, QueryError> {
        let found = query.run(&Reader::new(self.db, Access::Materialize, self.window_id));
        if let Err(QueryError::Sql { source, .. }) = &found {
            self.db.note_fault(source);
        }
        found
    }

    /// Runs an `INSERT`, `UPDATE` or `DELETE` in SQL, with `?` for each of `params`, and returns
    /// the number of rows that it affected.
    ///
    /// # Errors
    /// When SQLite refuses it; also when it calls a function that reads a clock or is random.
    pub fn sql(&mut self, sql: &str, params: impl Params) -> Result<usize, MaterializeError> {
        self.check()?;
        let params = params
            .into_values()
            .map_err(|source| QueryError::Value { column: format!("a `?` of `{sql}`"), source })?;
        let run = || {
            let mut statement = self.db.prepare_checked(sql, Access::Materialize)?;
            Ok(statement.execute(rusqlite::params_from_iter(&params))?)
        };
        run_write(self.db, run)
            .map_err(|source| MaterializeError::Sql { sql: sql.to_owned(), source })
    }

    /// After an `OR ROLLBACK` has ended the commit, a write would stand on its own.
    fn check(&self) -> Result<(), MaterializeError> {
        if self.db.is_in_savepoint() { Ok(()) } else { Err(MaterializeError::RolledBack) }
    }

    /// The window in which the event was committed.
    pub(crate) fn window_id(&self) -> &'a str {
        self.window_id
    }

    pub(crate) fn put_document(
        &mut self,
        table: &TableDef,
        id: &str,
        json: &str,
    ) -> Result<(), MaterializeError> {
        self.check()?;
        let put = || Ok(self.db.prepare(&table.sql().upsert)?.execute([id, json])?);
        run_write(self.db, put).map(|_| ()).map_err(|source| write_error(table.name, source))
    }

    fn put<T: Table>(&mut self, sql: &'static str, row: &T) -> Result<usize, MaterializeError> {
        self.check()?;
        let (db, table) = (self.db, T::def());
        let failed = |source: SqliteError| write_error(table.name, source);
        let prepared = self.take_put(sql).inspect_err(|error| db.note_fault(error));
        let mut statement = prepared.map_err(failed)?;
        row.encode(&mut RowWriter::new(&mut statement, table))
            .map_err(|source| row_error(table, source))?;
        let rows = run_write(db, || Ok(statement.raw_execute()?)).map_err(failed)?;
        self.puts.push((sql, statement));
        Ok(rows)
    }

    fn take_put(&mut self, sql: &'static str) -> Result<CachedStatement<'a>, SqliteError> {
        match self.puts.iter().position(|(of, _)| std::ptr::eq(*of, sql)) {
            Some(at) => Ok(self.puts.swap_remove(at).1),
            None => self.db.prepare(sql),
        }
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("window_id", &self.window_id).finish_non_exhaustive()
    }
}

/// Runs a write. If it fails, the materializer may go on all the same.
fn run_write(
    db: &Db,
    run: impl FnOnce() -> Result<usize, SqliteError>,
) -> Result<usize, SqliteError> {
    let before = db.changes().len();
    run().inspect_err(|error| {
        db.changes().mark_unknown(before);
        db.note_fault(error);
    })
}

fn write_error(table: &str, source: SqliteError) -> MaterializeError {
    not_in_schema(&source)
        .unwrap_or_else(|| MaterializeError::Write { table: table.to_owned(), source })
}

fn sql_error(sql: String, source: SqliteError) -> MaterializeError {
    not_in_schema(&source).unwrap_or(MaterializeError::Sql { sql, source })
}

fn not_in_schema(source: &SqliteError) -> Option<MaterializeError> {
    source.missing_table().map(|table| QueryError::NotInSchema { table }.into())
}

fn row_error(table: &'static TableDef, source: RowError) -> MaterializeError {
    MaterializeError::Row { table: table.name, source }
}
