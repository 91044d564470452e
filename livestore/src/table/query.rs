//! Running queries.

use std::cell::RefCell;
use std::fmt;

use rusqlite::CachedStatement;
use tracing::Span;
use xxhash_rust::xxh3::Xxh3;

use super::{RowError, RowReader, SelectAst, TableDef};
use crate::error::{Unavailable, unavailable_becomes};
use crate::sqlite::{Access, Db, Searched, SqliteError, hash_row};
use crate::value::{Value, ValueError};

/// A question to the state, with a typed answer.
///
/// [`Select`](super::Select), [`GetRow`](super::GetRow), [`raw`](super::raw()) SQL and a client
/// document's `get()` are queries.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a query",
    note = "build one from a table, such as `Todo::all()`, or use `raw` for SQL",
    note = "an `INSERT`, `UPDATE` or `DELETE` is no query: run it in a materializer, with `state.run(sql!(…))`"
)]
pub trait Query {
    /// The type of the result.
    type Output;

    /// Runs it.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn run(&self, reader: &Reader<'_>) -> Result<Self::Output, QueryError>;
}

#[diagnostic::do_not_recommend]
impl<Q: Query + ?Sized> Query for &Q {
    type Output = Q::Output;

    fn run(&self, reader: &Reader<'_>) -> Result<Self::Output, QueryError> {
        Q::run(self, reader)
    }
}

/// Why a query failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// An operand has no SQL form.
    #[error("the query compares {column} with a value that cannot be stored")]
    Value {
        /// The table and column.
        column: String,
        /// The reason.
        source: ValueError,
    },
    /// A value of the result does not fit its Rust type.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The result has no column of this name.
    #[error("the result of `{sql}` has no column `{column}`; it has {found:?}")]
    NoColumn {
        /// The SQL.
        sql: String,
        /// The column that a field of the row is read from.
        column: &'static str,
        /// The columns there are.
        found: Vec<String>,
    },
    /// `one()` found no row.
    #[error("the query found no row; use `optional()` if that may be")]
    NoRow,
    /// `one()` or `optional()` found several rows.
    #[error("the query found several rows; use `first()` if any will do")]
    SeveralRows,
    /// SQLite refused the query.
    #[error("SQLite refused `{sql}`")]
    Sql {
        /// The SQL.
        sql: String,
        /// SQLite's error.
        source: SqliteError,
    },
    /// A live query calls a function whose result may change although no row does.
    #[error(
        "a live query cannot call `{function}`, as nothing says when its result changes: bind the \
         time, as in `WHERE due < ?`, and start the query again with a newer time when it is due; in \
         `{sql}`"
    )]
    Impure {
        /// The SQL.
        sql: String,
        /// The function, such as `unixepoch` or `random`.
        function: String,
    },
    /// The rows of a group may differ in a column that the query returns or orders by.
    #[error(
        "the rows of a group may differ in {column}; group by it, too, or use an aggregate such as `max()`"
    )]
    Ungrouped {
        /// The table and column.
        column: String,
    },
    /// Distinct rows are ordered by something that they do not have.
    #[error("distinct rows are ordered by {column}, which is not selected; select it, too")]
    OrderOfDistinct {
        /// The table and column.
        column: String,
    },
    /// A condition is nested too deeply.
    #[error(
        "a condition is nested more than {max} levels deep; join its parts with `any_of` or `all_of`"
    )]
    TooDeep {
        /// The number of levels that a condition may have.
        max: usize,
    },
    /// More values are compared with than a statement may have.
    #[error(
        "the query compares with {count} values, and SQLite takes {max}; pass a long list to `in_`"
    )]
    TooManyValues {
        /// The number of values.
        count: usize,
        /// The number of values that a statement may have.
        max: usize,
    },
    /// A materializer searches a table. What is found may differ between versions of SQLite, and state must
    /// not.
    #[error(
        "a materializer cannot search table {table}: what is found depends on the version of SQLite; \
         search before the commit, and put the keys of the rows into the event"
    )]
    SearchInMaterializer {
        /// The table.
        table: String,
    },
    /// The store's schema does not list a table that the query reads. A store refuses such queries while
    /// compiling; what a materializer asks, it does not see.
    #[error("table {table} is not in the store's schema; list it in `schema!` under `tables`")]
    NotInSchema {
        /// The table.
        table: String,
    },
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

unavailable_becomes!(QueryError);

impl QueryError {
    pub(super) fn search_in_materializer(table: &TableDef) -> Self {
        Self::SearchInMaterializer { table: table.name.to_owned() }
    }

    pub(super) fn sql(sql: &str, source: impl Into<SqliteError>) -> Self {
        Self::Sql { sql: sql.to_owned(), source: source.into() }
    }
}

/// The state, to read from. A query gets it; you never make one.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    db: &'a Db,
    access: Access,
    window_id: &'a str,
    /// Hashes every row that is read.
    pub(super) hash: Option<&'a RefCell<Xxh3>>,
    /// Gets the text of the SQL.
    span: Option<&'a Span>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(db: &'a Db, access: Access, window_id: &'a str) -> Self {
        Self { db, access, window_id, hash: None, span: None }
    }

    /// Records the SQL in the span's field `db.query.text`.
    pub(crate) fn traced(self, span: &'a Span) -> Self {
        Self { span: Some(span), ..self }
    }

    pub(crate) fn db(&self) -> &'a Db {
        self.db
    }

    /// Runs a query on the state.
    ///
    /// # Errors
    /// When the query fails.
    pub fn query<Q: Query>(&self, query: Q) -> Result<Q::Output, QueryError> {
        query.run(self)
    }

    /// The window whose client documents are read.
    pub(crate) fn window_id(&self) -> &'a str {
        self.window_id
    }

    /// The JSON of the client document in `table` with this id, if it was ever set.
    pub(crate) fn document(
        &self,
        table: &TableDef,
        id: &str,
    ) -> Result<Option<String>, QueryError> {
        let sql = &table.sql().get;
        let statement = self.prepare(sql)?;
        let ready = Fetch { sql, statement, positions: None, hash: self.hash };
        fetch_first(ready, &[Value::text(id)], |row| row.get(1))
    }

    /// Runs a SELECT.
    pub(crate) fn select<R>(
        &self,
        select: &SelectAst,
        decode: impl FnMut(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Result<Vec<R>, QueryError> {
        self.select_at_most(select, None, decode)
    }

    pub(crate) fn select_at_most<R>(
        &self,
        select: &SelectAst,
        at_most: Option<u64>,
        decode: impl FnMut(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Result<Vec<R>, QueryError> {
        let searched = self.prepare_searches(select)?;
        let (sql, binds) = select.to_sql_of(searched, at_most)?;
        let statement = self.prepare(&sql)?;
        fetch(Fetch { sql: &sql, statement, positions: None, hash: self.hash }, &binds, decode)
    }

    /// Has the indexes of the tables that are searched agree with their rows.
    fn prepare_searches(&self, select: &SelectAst) -> Result<Searched, QueryError> {
        let (mut searches, mut row_by_row) = (0, 0);
        let mut prepared = Ok(());
        select.searches(&mut |table, words| {
            if prepared.is_ok() {
                searches += 1;
                prepared = self.prepare_search(table, words).map(|searched| {
                    row_by_row += usize::from(searched == Searched::RowByRow);
                });
            }
        });
        prepared?;
        let is_row_by_row = row_by_row == searches && searches <= Searched::MOST_ROW_BY_ROW;
        Ok(if is_row_by_row { Searched::RowByRow } else { Searched::Listed })
    }

    fn prepare_search(&self, table: &TableDef, words: &str) -> Result<Searched, QueryError> {
        if self.access == Access::Materialize {
            return Err(QueryError::search_in_materializer(table));
        }
        self.db.prepare_search(table.searched_names(), words).map_err(|source| {
            match source.missing_table() {
                Some(_) => QueryError::NotInSchema { table: table.name.to_owned() },
                None => QueryError::sql(&format!("the index of table {}", table.name), source),
            }
        })
    }

    /// Runs a query, and says the hash of all rows it has read.
    pub(crate) fn hashed<V>(
        &self,
        run: &dyn Fn(&Reader<'_>) -> Result<V, QueryError>,
    ) -> (Result<V, QueryError>, u64) {
        let hash = RefCell::new(Xxh3::new());
        let value = run(&Reader { hash: Some(&hash), ..*self });
        (value, hash.into_inner().digest())
    }

    /// The tables and columns that a user's SQL reads.
    pub(crate) fn reads_of(&self, sql: &str) -> Result<Vec<(String, String)>, QueryError> {
        self.db.reads_of(sql, self.access).map_err(|source| QueryError::sql(sql, source))
    }

    /// The same for a live query, whose SQL may call no function of a clock or of chance.
    pub(crate) fn live_reads_of(&self, sql: &str) -> Result<Vec<(String, String)>, QueryError> {
        self.db.reads_of(sql, Access::Live).map_err(|source| {
            let message = source.to_string();
            let function = message.strip_prefix("not authorized to use function: ");
            match function.and_then(|function| function.split(',').next()) {
                Some(function) if self.db.reads_of(sql, self.access).is_ok() => {
                    QueryError::Impure { sql: sql.to_owned(), function: function.to_owned() }
                }
                _ => QueryError::sql(sql, source),
            }
        })
    }

    pub(super) fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>, QueryError> {
        self.record(sql);
        self.db.check_budget().map_err(|source| QueryError::sql(sql, source))?;
        self.db.prepare(sql).map_err(|source| match source.missing_table() {
            Some(table) => QueryError::NotInSchema { table },
            None => QueryError::sql(sql, source),
        })
    }

    pub(super) fn prepare_raw(&self, sql: &str) -> Result<CachedStatement<'a>, QueryError> {
        self.record(sql);
        let checked = self.db.check_budget();
        checked
            .and_then(|()| self.db.prepare_checked(sql, self.access))
            .map_err(|source| QueryError::sql(sql, source))
    }

    fn record(&self, sql: &str) {
        if let Some(span) = self.span {
            span.record("db.query.text", sql);
        }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("access", &self.access).finish_non_exhaustive()
    }
}

/// Longer SQL is not kept prepared: it would take much memory, and hardly comes again.
const MAX_CACHED_SQL: usize = 16 * 1024;

/// A statement that is ready to run.
pub(super) struct Fetch<'q, 'c> {
    pub(super) sql: &'q str,
    pub(super) statement: CachedStatement<'c>,
    pub(super) positions: Option<&'q [usize]>,
    pub(super) hash: Option<&'q RefCell<Xxh3>>,
}

/// Binds, runs, and reads the first row. What is behind it is not looked at.
pub(super) fn fetch_first<O>(
    fetch: Fetch<'_, '_>,
    binds: &[Value<'_>],
    decode: impl FnOnce(&RowReader<'_>) -> Result<O, RowError>,
) -> Result<Option<O>, QueryError> {
    let Fetch { sql, mut statement, positions, hash } = fetch;
    let failed = |error: rusqlite::Error| QueryError::sql(sql, error);
    let mut rows = statement.query(rusqlite::params_from_iter(binds)).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
    if let Some(hash) = hash {
        hash_row(row, &mut hash.borrow_mut());
    }
    Ok(Some(decode(&RowReader::new(row, positions))?))
}

/// Binds, runs, and reads every row.
pub(super) fn fetch<O>(
    fetch: Fetch<'_, '_>,
    binds: &[Value<'_>],
    mut decode: impl FnMut(&RowReader<'_>) -> Result<O, RowError>,
) -> Result<Vec<O>, QueryError> {
    let Fetch { sql, mut statement, positions, hash } = fetch;
    let failed = |error: rusqlite::Error| QueryError::sql(sql, error);
    let mut found = Vec::new();
    let mut rows = statement.query(rusqlite::params_from_iter(binds)).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        if let Some(hash) = hash {
            hash_row(row, &mut hash.borrow_mut());
        }
        found.push(decode(&RowReader::new(row, positions))?);
    }
    drop(rows);
    if sql.len() > MAX_CACHED_SQL {
        statement.discard();
    }
    Ok(found)
}
