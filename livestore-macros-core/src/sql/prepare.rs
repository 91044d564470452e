//! SQLite's word on a statement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Error};

/// What SQLite found out about a statement.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Checked {
    pub(crate) is_write: bool,
    pub(crate) columns: usize,
    pub(crate) params: usize,
    /// The tables and columns it reads; no column is the table as such.
    pub(crate) reads: Vec<(String, String)>,
    /// The functions it calls.
    pub(crate) functions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused {
    pub(crate) message: String,
    /// Where, if SQLite says so.
    pub(crate) offset: Option<usize>,
    /// It is no query and no write of rows.
    pub(crate) other_statement: bool,
}

/// A schema's tables, empty and in memory.
pub(crate) struct Database {
    conn: Connection,
    noted: Arc<Mutex<Noted>>,
}

/// What the authorizer hears while a statement is prepared.
#[derive(Default)]
struct Noted {
    reads: Vec<(String, String)>,
    functions: Vec<String>,
    other_statement: bool,
}

impl Database {
    /// The tables that the DDL makes.
    pub(crate) fn open(ddl: &str) -> Result<Self, Refused> {
        Self::try_open(ddl).map_err(|error| Refused::of(error, false))
    }

    fn try_open(ddl: &str) -> rusqlite::Result<Self> {
        let mut conn = Connection::open_in_memory()?;
        conn.execute_batch(ddl)?;
        // A name in double quotes that is none would pass for a text.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        let noted = Arc::<Mutex<Noted>>::default();
        let notes = Arc::clone(&noted);
        conn.authorizer(Some(move |context: AuthContext<'_>| lock(&notes).hear(&context.action)))?;
        Ok(Self { conn, noted })
    }

    /// Asks SQLite about a statement.
    pub(crate) fn check(&self, sql: &str) -> Result<Checked, Refused> {
        *lock(&self.noted) = Noted::default();
        let prepared = self.conn.prepare(sql);
        let noted = std::mem::take(&mut *lock(&self.noted));
        let statement = prepared.map_err(|error| Refused::of(error, noted.other_statement))?;
        Ok(Checked {
            is_write: !statement.readonly(),
            columns: statement.column_count(),
            params: statement.parameter_count(),
            reads: noted.reads,
            functions: noted.functions,
        })
    }
}

impl Noted {
    fn hear(&mut self, action: &AuthAction<'_>) -> Authorization {
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
                self.other_statement = true;
                return Authorization::Deny;
            }
        }
        Authorization::Allow
    }
}

impl Refused {
    fn of(error: Error, other_statement: bool) -> Self {
        let (message, offset) = match error {
            Error::SqlInputError { msg, offset, .. } => (msg, usize::try_from(offset).ok()),
            Error::SqliteFailure(_, Some(message)) => (message, None),
            other => (other.to_string(), None),
        };
        Self { message, offset, other_statement }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
