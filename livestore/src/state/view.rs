//! A state of a store whose types need not be known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use rusqlite::{CachedStatement, InterruptHandle};

use super::{Quarantined, State};
use crate::event::SeqNum;
use crate::sqlite::{Access, SqliteError, quote, value_of};
use crate::value::Value;

/// The name that the tables of the library itself begin with.
const OWN: &str = "__livestore";

/// The longest text or blob of a view, in bytes: SQL can make one of any length, such as `zeroblob(1e9)`.
const MAX_VALUE: u32 = 64 << 20;

/// A state in memory, which SQL can read and nothing can change. A text or blob of more than 64 MiB is an
/// error.
#[derive(Debug)]
pub struct StateView {
    state: State,
    schema_hash: Option<i64>,
}

/// A table of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableInfo {
    /// The table's name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<TableColumn>,
    /// The SQL that makes it.
    pub sql: String,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableColumn {
    /// The column's name.
    pub name: String,
    /// The type that it is declared with.
    pub kind: String,
    /// Whether it may be `NULL`.
    pub nullable: bool,
    /// Its place in the primary key, from 1; 0 if it is not part of it.
    pub key: u32,
}

impl StateView {
    pub(crate) fn new(state: State, schema_hash: Option<i64>) -> Self {
        let limited = state.db.limit_values(MAX_VALUE);
        debug_assert!(limited.is_ok(), "it fails for wrong arguments only");
        Self { state, schema_hash }
    }

    /// Returns the bytes of the state as an SQLite file. Besides the app's tables it has some of the
    /// library's own.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn to_bytes(&mut self) -> Result<Vec<u8>, SqliteError> {
        Ok(self.state.bytes()?.unwrap_or_default())
    }

    /// The last event that the state is made of.
    pub fn head(&self) -> SeqNum {
        self.state.head
    }

    /// The hash of the schema whose materializers made it.
    pub fn schema_hash(&self) -> Option<i64> {
        self.schema_hash
    }

    /// Returns the app's tables, by name.
    ///
    /// # Errors
    /// When SQLite cannot read the state.
    pub fn tables(&self) -> Result<Vec<TableInfo>, SqliteError> {
        let select = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = self.state.db.prepare(select)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let tables: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
        let of_app = |name: &str| !name.starts_with(OWN) && !name.starts_with("sqlite_");
        let tables = tables.into_iter().filter(|(name, _)| of_app(name));
        tables
            .map(|(name, sql)| Ok(TableInfo { columns: self.columns(&name)?, name, sql }))
            .collect()
    }

    fn columns(&self, table: &str) -> Result<Vec<TableColumn>, SqliteError> {
        let select = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)";
        let mut statement = self.state.db.prepare(select)?;
        let rows = statement.query_map([table], |row| {
            let (not_null, key): (bool, u32) = (row.get(2)?, row.get(3)?);
            let nullable = !not_null && key == 0;
            Ok(TableColumn { name: row.get(0)?, kind: row.get(1)?, nullable, key })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the number of rows of a table.
    ///
    /// # Errors
    /// When there is no such table, or SQLite cannot read it.
    pub fn count(&self, table: &str) -> Result<u64, SqliteError> {
        let select = format!("SELECT count(*) FROM {}", quote(table));
        let mut statement = self.state.db.prepare_checked(&select, Access::Query)?;
        let count: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// Prepares one statement of SQL, which may only read.
    ///
    /// # Errors
    /// When it is not SQL, writes, or reaches beyond the state.
    pub fn query(&self, sql: &str) -> Result<Query<'_>, SqliteError> {
        self.state.query(sql)
    }

    /// Returns SQLite's plan of a query: one line for each step, indented by what it is a part of.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn explain(&self, sql: &str) -> Result<Vec<String>, SqliteError> {
        drop(self.query(sql)?);
        let mut statement = self.state.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let mut depths = std::collections::HashMap::new();
        let rows = statement.query_map([], |row| {
            let (id, parent, detail): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
            let depth = depths.get(&parent).map_or(0, |depth| depth + 1);
            depths.insert(id, depth);
            Ok(format!("{}{detail}", "  ".repeat(depth)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns what a live query of this SQL would depend on: the tables that it reads, and of each the columns,
    /// or none if every change of a row matters. Such a query runs again when a commit changes that.
    ///
    /// # Errors
    /// As [`query`](Self::query), and when the SQL calls a function of a clock or of chance, which no live query
    /// can.
    pub fn live_reads(&self, sql: &str) -> Result<BTreeMap<String, Vec<String>>, SqliteError> {
        let mut reads = BTreeMap::<String, BTreeSet<String>>::new();
        for (table, column) in self.state.db.reads_of(sql, Access::Live)? {
            reads.entry(table).or_default().insert(column);
        }
        // A count reads no column.
        let all = |columns: &BTreeSet<String>| columns.contains("");
        let columns =
            |columns: BTreeSet<_>| if all(&columns) { Vec::new() } else { Vec::from_iter(columns) };
        Ok(reads.into_iter().map(|(table, found)| (table, columns(found))).collect())
    }

    /// Returns the events that are in the log, but not in this state.
    ///
    /// # Errors
    /// When SQLite cannot read the state.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, SqliteError> {
        self.state.quarantined()
    }

    /// Returns a handle with which another thread ends a query that takes too long.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.state.db.interrupt_handle())
    }
}

impl State {
    /// Prepares one statement of SQL, which may only read.
    pub(crate) fn query(&self, sql: &str) -> Result<Query<'_>, SqliteError> {
        let statement = self.db.prepare_checked(sql, Access::Query)?;
        Ok(Query { statement, params: Vec::new() })
    }

    /// Calls `read`, with [bounds](crate::sqlite::Db::within) for what SQL does meanwhile.
    pub(crate) fn within_bounds<T>(
        &mut self,
        max_value_bytes: u32,
        is_over: impl FnMut() -> bool + Send + 'static,
        sql: &str,
        read: impl FnOnce(Query<'_>) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        self.db.within(max_value_bytes, is_over, |db| {
            let statement = db.prepare_checked(sql, Access::Query)?;
            read(Query { statement, params: Vec::new() })
        })
    }
}

/// A query of a state.
pub struct Query<'a> {
    statement: CachedStatement<'a>,
    params: Vec<Value<'static>>,
}

impl Query<'_> {
    /// Gives the query the values of its `?`s.
    #[must_use]
    pub fn bind(self, params: Vec<Value<'static>>) -> Self {
        Self { params, ..self }
    }

    /// The names of the result's columns.
    pub fn columns(&self) -> Vec<String> {
        self.statement.column_names().map(str::to_owned).collect()
    }

    /// Calls `visit` with the values of one row after another, until it breaks. No row is kept: the
    /// result may be larger than memory.
    ///
    /// # Errors
    /// When SQLite cannot go on, or was [interrupted](Interrupt).
    pub fn for_each(
        mut self,
        mut visit: impl FnMut(&[Value<'_>]) -> ControlFlow<()>,
    ) -> Result<(), SqliteError> {
        let count = self.statement.column_count();
        let mut rows = self.statement.query(rusqlite::params_from_iter(&self.params))?;
        while let Some(row) = rows.next()? {
            let values = (0..count).map(|n| {
                let value = row.get_ref(n)?;
                // Text that is none is bytes.
                Ok(value_of(value)
                    .unwrap_or_else(|_| value.as_bytes().map_or(Value::Null, Value::blob)))
            });
            let values: Vec<_> = values.collect::<Result<_, rusqlite::Error>>()?;
            if visit(&values).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("columns", &self.columns()).finish_non_exhaustive()
    }
}

/// Ends the query that a [`StateView`] is at, from another thread.
pub struct Interrupt(InterruptHandle);

impl Interrupt {
    /// Ends the query, with an error of the kind [`Interrupted`](crate::SqliteErrorKind::Interrupted).
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}
