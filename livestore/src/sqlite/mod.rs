//! SQLite, as the rest of the crate sees it: cached statements, checked access, typed errors.
//!
//! Nothing above this folder and `table/` knows that rusqlite exists.

mod access;
mod error;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

pub(crate) use access::Access;
pub use error::{SqliteError, SqliteErrorKind};

use crate::value::{Value, ValueError};

/// How many prepared statements a connection keeps: more than an app has shapes of queries.
const STATEMENT_CACHE: usize = 512;

/// A connection whose user-written SQL is checked against what it may touch.
#[derive(Debug)]
pub(crate) struct Db {
    conn: Connection,
    access: Arc<AtomicU8>,
}

impl Db {
    pub(crate) fn new(mut conn: Connection) -> Result<Self, SqliteError> {
        let access = Arc::new(AtomicU8::new(Access::Internal as u8));
        let current = Arc::clone(&access);
        conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        conn.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
            access::authorize(current.load(Ordering::Relaxed), &context.action)
        }))?;
        Ok(Self { conn, access })
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
        Ok(prepared?)
    }

    /// Runs one statement of our own making, without binds or rows.
    pub(crate) fn run(&self, sql: &str) -> Result<usize, SqliteError> {
        Ok(self.prepare(sql)?.execute([])?)
    }

    /// Runs several statements of our own making.
    pub(crate) fn run_all(&self, sql: &str) -> Result<(), SqliteError> {
        Ok(self.conn.execute_batch(sql)?)
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

/// What SQLite handed out, as a [`Value`].
pub(crate) fn value_of(value: ValueRef<'_>) -> Result<Value<'_>, ValueError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => Value::text(
            std::str::from_utf8(bytes).map_err(|_| ValueError::custom("text is not UTF-8"))?,
        ),
        ValueRef::Blob(bytes) => Value::blob(bytes),
    })
}
