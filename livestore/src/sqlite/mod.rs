//! SQLite, as the rest of the crate sees it: cached statements, checked access, typed errors.
//!
//! Nothing above this folder and `table/` knows that rusqlite exists.

mod access;
mod capture;
mod error;
mod order;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};
use xxhash_rust::xxh3::Xxh3;

pub(crate) use access::Access;
pub(crate) use capture::{Change, Changes, Columns, Image, Rows};
pub use error::{SqliteError, SqliteErrorKind};
use order::Order;

use crate::schema::SchemaDef;
use crate::table::TableDef;
use crate::value::{Value, ValueError};

/// How many prepared statements a connection keeps: more than an app has shapes of queries.
const STATEMENT_CACHE: usize = 512;

/// A connection whose user-written SQL is checked against what it may touch.
#[derive(Debug)]
pub(crate) struct Db {
    conn: Connection,
    access: Arc<AtomicU8>,
    changes: Changes,
    watched: RefCell<Watched>,
    /// How often a table came to be watched.
    watches: Cell<u64>,
    /// While SQL is examined: the tables and columns it reads.
    reads: Reads,
    order: Order,
}

/// The tables whose changes are captured, by their positions in the schema.
pub(crate) type Watched = BTreeMap<usize, Watch>;

/// How a table is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watch {
    columns: Columns,
    /// Tells it from how the table was watched before.
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
        let order = Order::default();
        let written = order.written();
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
        let changes = Changes::default();
        changes.install(&conn)?;
        let (watched, watches) = Default::default();
        Ok(Self { conn, access, changes, watched, watches, reads, order })
    }

    /// The statement for SQL of our own making.
    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, SqliteError> {
        Ok(self.conn.prepare_cached(sql)?)
    }

    /// The statement for SQL that a user wrote.
    ///
    /// The mark keeps the cache from handing out a statement that was checked for another access.
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
            self.order.settle(&self.conn)?;
        }
        Ok(prepared)
    }

    /// After a rollback, which may have gone back to before a table's rows had a settled order.
    pub(crate) fn settle_order_again(&self) -> Result<(), SqliteError> {
        self.order.settle_again(&self.conn)
    }

    /// The tables and columns that a user's SQL reads.
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

    /// Runs one statement of our own making, without binds or rows.
    pub(crate) fn run(&self, sql: &str) -> Result<usize, SqliteError> {
        Ok(self.prepare(sql)?.execute([])?)
    }

    /// Runs several statements of our own making.
    pub(crate) fn run_all(&self, sql: &str) -> Result<(), SqliteError> {
        Ok(self.conn.execute_batch(sql)?)
    }

    /// From now on, changes of these columns of the table at this position of the schema are
    /// captured; those of others that were, still are.
    pub(crate) fn watch(
        &self,
        position: usize,
        table: &TableDef,
        columns: Columns,
    ) -> Result<(), SqliteError> {
        let before = self.watched.borrow().get(&position).map(|watch| watch.columns);
        let columns = before.unwrap_or_default().with(columns);
        if before == Some(columns) {
            return Ok(());
        }
        self.unwatch(position)?;
        self.run_all(&capture::watch_ddl(position, table, columns))?;
        let since = self.watches.get() + 1;
        self.watches.set(since);
        self.watched.borrow_mut().insert(position, Watch { columns, since });
        Ok(())
    }

    /// The end of [`watch`](Self::watch).
    pub(crate) fn unwatch(&self, position: usize) -> Result<(), SqliteError> {
        self.run_all(&capture::unwatch_ddl(position))?;
        self.watched.borrow_mut().remove(&position);
        Ok(())
    }

    /// Which tables are watched, and how.
    pub(crate) fn watched(&self) -> Watched {
        self.watched.borrow().clone()
    }

    /// Watches the same tables as before, after a rollback to when it was those of `then`. Says
    /// of which not every change since then was captured.
    pub(crate) fn rewatch(
        &self,
        then: &Watched,
        schema: &SchemaDef,
    ) -> Result<Vec<usize>, SqliteError> {
        let now = self.watched();
        let other = |position: &usize| then.get(position) != now.get(position);
        then.keys().filter(|at| other(at)).try_for_each(|&position| self.unwatch(position))?;
        let mut others = Vec::new();
        for (position, table) in schema.tables().enumerate().filter(|(at, _)| other(at)) {
            if let Some(watch) = now.get(&position) {
                self.watched.borrow_mut().remove(&position);
                self.watch(position, table, watch.columns)?;
                others.push(position);
            }
        }
        Ok(others)
    }

    /// The captured changes of watched tables, so far.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Whether a savepoint is open.
    pub(crate) fn is_in_savepoint(&self) -> bool {
        !self.conn.is_autocommit()
    }

    pub(crate) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }
}

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

/// What SQLite handed out, as a [`Value`].
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
