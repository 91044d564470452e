//! SQLite, as the rest of the crate sees it: cached statements, checked access, typed errors.
//!
//! Nothing above this folder and `table/` knows that rusqlite exists.

mod access;
mod budget;
mod capture;
mod error;
mod functions;
mod limits;
mod own_functions;
mod quoting;
mod row_order;
mod search;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, FileControl, MAIN_DB, TransactionState};
use xxhash_rust::xxh3::Xxh3;

pub(crate) use access::Access;
use budget::Budget;
pub(crate) use budget::Limits;
pub(crate) use capture::{Change, Changes, ColumnSet, Image, Rows, TableNames};
pub use error::{SqliteError, SqliteErrorKind};
pub(crate) use own_functions::{CONTAINS_TEXT, REAL_OF_BITS, contains_folded, fold};
pub(crate) use quoting::quote;
use row_order::RowOrder;
use search::Search;
pub(crate) use search::{IS_FOUND, SEARCH, Searched, words_of};

use crate::value::{Value, ValueError};

/// The number of prepared statements that a connection keeps: more than an app has shapes of queries.
const STATEMENT_CACHE: usize = 512;

/// The number of SQLite's steps between two looks at whether a query has to end.
const OPS_PER_LOOK: c_int = 1_000;

/// A connection whose user-written SQL is checked against what it may touch.
#[derive(Debug)]
pub(crate) struct Db {
    conn: Connection,
    access: Arc<AtomicU8>,
    changes: Changes,
    watched: RefCell<Watched>,
    /// The number of times that a table was watched.
    watches: Cell<u64>,
    /// While SQL is examined, the tables and columns that it reads.
    reads: Reads,
    row_order: RowOrder,
    search: Search,
    /// How much queries may take.
    budget: Budget,
    /// Set once a materializer's statement has failed because of the machine.
    fault: RefCell<Option<SqliteError>>,
}

/// The tables whose changes are captured, by their positions in the schema.
pub(crate) type Watched = BTreeMap<usize, Watch>;

/// The triggers that watch a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    names: Arc<TableNames>,
    columns: ColumnSet,
    /// Different for triggers that were created at another time.
    since: u64,
}

type Reads = Arc<Mutex<Option<Vec<(String, String)>>>>;

impl Db {
    pub(crate) fn new(mut conn: Connection) -> Result<Self, SqliteError> {
        let access = Arc::new(AtomicU8::new(Access::Internal as u8));
        let current = Arc::clone(&access);
        conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        let reads = Reads::default();
        let noted = Arc::clone(&reads);
        let row_order = RowOrder::default();
        let written = row_order.written_tables();
        conn.authorizer(Some(move |context: AuthContext<'_>| {
            if let AuthAction::Read { table_name, column_name } = context.action
                && let Some(reads) = &mut *lock(&noted)
            {
                reads.push((table_name.to_owned(), column_name.to_owned()));
            }
            let access = current.load(Ordering::Relaxed);
            let authorization = access::authorize(access, &context);
            if access == Access::Materialize as u8 && authorization == Authorization::Allow {
                written.note(&context.action);
            }
            authorization
        }))?;
        let budget = Budget::unlimited();
        budget.count_steps(&mut conn)?;
        let changes = Changes::default();
        changes.install(&conn)?;
        own_functions::install(&conn)?;
        let search = Search::default();
        search.install(&conn)?;
        let (watched, watches, fault) = Default::default();
        Ok(Self {
            conn,
            access,
            changes,
            watched,
            watches,
            reads,
            row_order,
            search,
            budget,
            fault,
        })
    }

    /// Sets the most bytes that the database takes, which is in one block of memory.
    pub(crate) fn limit_file(&self, mut bytes: i64) -> Result<(), SqliteError> {
        Ok(self.conn.file_control(Some(MAIN_DB), FileControl::SizeLimit(&mut bytes))?)
    }

    /// Notes an error that the machine is to blame for. A materializer may hide or ignore it.
    pub(crate) fn note_fault(&self, error: &SqliteError) {
        if error.is_environmental() {
            self.fault.borrow_mut().get_or_insert_with(|| error.clone());
        }
    }

    /// The first error since the last call that the machine is to blame for.
    pub(crate) fn take_fault(&self) -> Option<SqliteError> {
        self.fault.take()
    }

    /// Calls `run` of the command or event `name`, whose queries fail once they are beyond about these limits.
    /// Returns whether they are.
    pub(crate) fn with_budget<R>(
        &self,
        name: &'static str,
        limits: Limits,
        run: impl FnOnce() -> R,
    ) -> (R, bool) {
        self.budget.within(name, limits, run)
    }

    /// Called before a query of the app: fails if it is beyond the limits.
    pub(crate) fn check_budget(&self) -> Result<(), SqliteError> {
        self.budget.check()
    }

    /// Prepares SQL of this crate.
    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, SqliteError> {
        Ok(self.conn.prepare_cached(sql)?)
    }

    /// Prepares SQL that a user wrote, which must be permitted by `access`.
    ///
    /// The mark keeps the cache from returning a statement that was checked for other rights.
    pub(crate) fn prepare_checked(
        &self,
        sql: &str,
        access: Access,
    ) -> Result<CachedStatement<'_>, SqliteError> {
        let marked = format!("{sql}\n--{}", access.mark());
        self.access.store(access as u8, Ordering::Relaxed);
        let prepared = self.conn.prepare_cached(&marked);
        self.access.store(Access::Internal as u8, Ordering::Relaxed);
        let prepared = prepared?;
        if access == Access::Materialize {
            self.row_order.add_triggers(&self.conn)?;
        }
        Ok(prepared)
    }

    /// Opens a savepoint.
    pub(crate) fn open_savepoint(&self, sql: &'static str) -> Result<(), SqliteError> {
        self.search.mark(&self.conn);
        self.run(sql).map(drop)
    }

    /// Restores what a rollback takes with it besides the rows: triggers, and the indexes of searches.
    /// `to_last` says that it went back to the savepoint that was opened last.
    pub(crate) fn rolled_back(&self, to_last: bool) -> Result<(), SqliteError> {
        self.row_order.restore_triggers(&self.conn)?;
        self.search.rolled_back(&self.conn, to_last)
    }

    /// Prepares a table for a search in these columns.
    pub(crate) fn prepare_search(
        &self,
        names: TableNames,
        words: &str,
    ) -> Result<Searched, SqliteError> {
        self.search.prepare(&self.conn, names, words)
    }

    /// Returns the tables and columns that a user's SQL reads.
    pub(crate) fn reads_of(
        &self,
        sql: &str,
        access: Access,
    ) -> Result<Vec<(String, String)>, SqliteError> {
        lock(&self.reads).replace(Vec::new());
        self.access.store(access as u8, Ordering::Relaxed);
        let prepared = self.conn.prepare(sql).map(|_| ());
        self.access.store(Access::Internal as u8, Ordering::Relaxed);
        let reads = lock(&self.reads).take().unwrap_or_default();
        prepared?;
        Ok(reads)
    }

    /// Runs one statement of this crate that has no parameters and returns no rows.
    pub(crate) fn run(&self, sql: &str) -> Result<usize, SqliteError> {
        Ok(self.prepare(sql)?.execute([])?)
    }

    /// Runs several statements of this crate.
    pub(crate) fn run_all(&self, sql: &str) -> Result<(), SqliteError> {
        Ok(self.conn.execute_batch(sql)?)
    }

    /// Compares every index of a search, once it is prepared, with one that is made now. Returns their number.
    #[cfg(test)]
    pub(crate) fn check_searches(&self) -> Result<u64, String> {
        self.search.check(&self.conn)
    }

    /// Captures changes of these columns of a table from now on, and still those of the columns that
    /// were watched before. `position` identifies the table.
    pub(crate) fn watch(
        &self,
        position: usize,
        columns: ColumnSet,
        names: impl FnOnce() -> TableNames,
    ) -> Result<(), SqliteError> {
        let before = self.watched.borrow().get(&position).map(|watch| watch.columns);
        let columns = before.unwrap_or_default().union(columns);
        if before == Some(columns) {
            return Ok(());
        }
        self.create_triggers(position, Arc::new(names()), columns)
    }

    fn create_triggers(
        &self,
        position: usize,
        names: Arc<TableNames>,
        columns: ColumnSet,
    ) -> Result<(), SqliteError> {
        self.unwatch(position)?;
        self.run_all(&capture::watch_ddl(position, &names, columns))?;
        let since = self.watches.get() + 1;
        self.watches.set(since);
        self.watched.borrow_mut().insert(position, Watch { names, columns, since });
        Ok(())
    }

    /// Stops capturing changes of a table.
    pub(crate) fn unwatch(&self, position: usize) -> Result<(), SqliteError> {
        self.run_all(&capture::unwatch_ddl(position))?;
        self.watched.borrow_mut().remove(&position);
        Ok(())
    }

    /// Returns the watched tables, with their triggers.
    pub(crate) fn watched(&self) -> Watched {
        self.watched.borrow().clone()
    }

    /// Watches the same tables as before a rollback, which has brought back the triggers of `then`.
    /// Returns the tables of which some changes since `then` were not captured.
    pub(crate) fn rewatch(&self, then: &Watched) -> Result<Vec<usize>, SqliteError> {
        let now = self.watched();
        let differs = |position: &usize| then.get(position) != now.get(position);
        then.keys().filter(|at| differs(at)).try_for_each(|&position| self.unwatch(position))?;
        let mut rewatched = Vec::new();
        for (&position, watch) in now.iter().filter(|(at, _)| differs(at)) {
            self.watched.borrow_mut().remove(&position);
            self.create_triggers(position, Arc::clone(&watch.names), watch.columns)?;
            rewatched.push(position);
        }
        Ok(rewatched)
    }

    /// The changes of watched tables that were captured so far.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Whether something was changed that a savepoint can undo.
    pub(crate) fn has_changed_in_savepoint(&self) -> Result<bool, SqliteError> {
        Ok(self.conn.transaction_state(Some(MAIN_DB))? == TransactionState::Write)
    }

    /// Whether a savepoint is open.
    pub(crate) fn is_in_savepoint(&self) -> bool {
        !self.conn.is_autocommit()
    }

    /// A handle with which another thread ends a statement.
    pub(crate) fn interrupt_handle(&self) -> rusqlite::InterruptHandle {
        self.conn.get_interrupt_handle()
    }

    /// From now on, no text or blob that SQL makes or reads may be longer.
    pub(crate) fn limit_values(&self, max_value_bytes: u32) -> Result<(), SqliteError> {
        let most = i32::try_from(max_value_bytes).unwrap_or(i32::MAX);
        self.conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, most)?;
        Ok(())
    }

    /// Calls `read`. Until it returns, no text or blob may be longer than `max_value_bytes`, and SQL ends
    /// once `is_over` returns true.
    pub(crate) fn within<T>(
        &mut self,
        max_value_bytes: u32,
        is_over: impl FnMut() -> bool + Send + 'static,
        read: impl FnOnce(&Self) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        let most = i32::try_from(max_value_bytes).unwrap_or(i32::MAX);
        let length = self.conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, most)?;
        let bounded = Bounded { db: self, length };
        bounded.db.conn.progress_handler(OPS_PER_LOOK, Some(is_over))?;
        read(bounded.db)
    }

    pub(crate) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }
}

/// Takes the bounds of [`Db::within`] away when it is dropped.
struct Bounded<'a> {
    db: &'a mut Db,
    /// The limit of lengths before.
    length: i32,
}

impl Drop for Bounded<'_> {
    fn drop(&mut self) {
        let counted = self.db.budget.count_steps(&mut self.db.conn);
        let length = self.db.conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, self.length);
        debug_assert!(counted.is_ok() && length.is_ok(), "they fail for wrong arguments only");
    }
}

/// For statements within the crate; apps have no use for it.
#[doc(hidden)]
impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hashes all values of a row.
pub(crate) fn hash_row(row: &rusqlite::Row<'_>, hash: &mut Xxh3) {
    let mut column = 0;
    while let Ok(value) = row.get_ref(column) {
        hash_value(value, hash);
        column += 1;
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

/// Converts a value of SQLite's to a [`Value`].
pub(crate) fn value_of(value: ValueRef<'_>) -> Result<Value<'_>, ValueError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => Value::text(text_of(bytes)?),
        ValueRef::Blob(bytes) => Value::blob(bytes),
    })
}

fn text_of(bytes: &[u8]) -> Result<&str, ValueError> {
    std::str::from_utf8(bytes).map_err(|_| ValueError::custom("text is not UTF-8"))
}
