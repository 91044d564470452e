//! Has SQLite prepare a statement, which checks it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::constant::Constant;

/// A statement that SQLite accepts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Prepared {
    pub(crate) is_write: bool,
    /// The number of columns that its rows have.
    pub(crate) columns: usize,
    /// The number of binds that it takes.
    pub(crate) params: usize,
    /// The tables and columns that it reads. An empty column stands for a table that is read, but no
    /// column of it.
    pub(crate) reads: Vec<(String, String)>,
    /// The functions that it calls.
    pub(crate) functions: Vec<String>,
}

/// SQLite's error for a statement that it does not accept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PrepareError {
    pub(crate) message: String,
    /// The position in the SQL, if SQLite gives one.
    pub(crate) offset: Option<usize>,
    /// Whether it is neither a query nor a write of rows.
    pub(crate) is_other_statement: bool,
}

/// A database in memory that has a schema's tables, without rows.
pub(crate) struct Database {
    conn: Connection,
    actions: Arc<Mutex<Actions>>,
}

/// The actions that the authorizer is asked about while a statement is prepared.
#[derive(Default)]
struct Actions {
    reads: Vec<(String, String)>,
    functions: Vec<String>,
    has_other: bool,
}

impl Database {
    /// Opens a database with the tables that the DDL creates.
    pub(crate) fn open(ddl: &str) -> Result<Self, PrepareError> {
        Self::try_open(ddl).map_err(|error| PrepareError::new(error, false))
    }

    fn try_open(ddl: &str) -> rusqlite::Result<Self> {
        let mut conn = Connection::open_in_memory()?;
        conn.execute_batch(ddl)?;
        // Otherwise an unknown name in double quotes would pass for a text.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        let actions = Arc::<Mutex<Actions>>::default();
        let recorder = Arc::clone(&actions);
        conn.authorizer(Some(move |context: AuthContext<'_>| {
            lock(&recorder).record(&context.action)
        }))?;
        Ok(Self { conn, actions })
    }

    /// Computes a constant expression; `None` if that fails.
    pub(crate) fn constant(&self, expr: &str) -> Option<Constant> {
        let sql = format!("SELECT {expr}");
        let constant = |row: &rusqlite::Row<'_>| {
            Ok(match row.get_ref(0)? {
                ValueRef::Null => Some(Constant::Null),
                ValueRef::Integer(integer) => Some(Constant::Integer(integer)),
                ValueRef::Real(real) => Some(Constant::Real(real)),
                ValueRef::Text(text) => {
                    std::str::from_utf8(text).ok().map(|text| Constant::Text(text.to_owned()))
                }
                ValueRef::Blob(_) => None,
            })
        };
        self.conn.query_row(&sql, [], constant).ok().flatten()
    }

    /// Prepares a statement.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Prepared, PrepareError> {
        *lock(&self.actions) = Actions::default();
        let prepared = self.conn.prepare(sql);
        let actions = std::mem::take(&mut *lock(&self.actions));
        let statement = prepared.map_err(|error| PrepareError::new(error, actions.has_other))?;
        Ok(Prepared {
            is_write: !statement.readonly(),
            columns: statement.column_count(),
            params: statement.parameter_count(),
            reads: actions.reads,
            functions: actions.functions,
        })
    }
}

impl Actions {
    /// Records an action, and denies it unless it reads or writes rows.
    fn record(&mut self, action: &AuthAction<'_>) -> Authorization {
        match action {
            AuthAction::Select | AuthAction::Recursive => {}
            AuthAction::Read { table_name, column_name } => {
                let read = ((*table_name).to_owned(), (*column_name).to_owned());
                if !self.reads.contains(&read) {
                    self.reads.push(read);
                }
            }
            AuthAction::Function { function_name } => {
                self.functions.push((*function_name).to_owned());
            }
            AuthAction::Insert { table_name }
            | AuthAction::Delete { table_name }
            | AuthAction::Update { table_name, .. }
                if !table_name.starts_with("sqlite_") => {}
            _ => {
                self.has_other = true;
                return Authorization::Deny;
            }
        }
        Authorization::Allow
    }
}

impl PrepareError {
    fn new(error: Error, is_other_statement: bool) -> Self {
        let (message, offset) = match error {
            Error::SqlInputError { msg, offset, .. } => (msg, usize::try_from(offset).ok()),
            Error::SqliteFailure(_, Some(message)) => (message, None),
            other => (other.to_string(), None),
        };
        Self { message, offset, is_other_statement }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
