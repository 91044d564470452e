//! The floor: what somebody who knows SQLite writes by hand for this one app. It has the store's
//! own tables and data, holds every statement, and checks nothing.

use std::path::Path;

use livestore::prelude::*;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, Statement, params};

use crate::Result;
use crate::app::{App, Created, Todo};

const LOG_DDL: &str = "
    CREATE TABLE eventlog (
      seq INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      client_id TEXT NOT NULL,
      session_id TEXT NOT NULL
    ) STRICT;
";

const INSERT_EVENT: &str = "INSERT INTO eventlog VALUES (?, ?, ?, ?, ?)";

const INSERT_TODO: &str = "INSERT INTO todo VALUES (?, ?, ?, ?, ?)";

/// Empty tables in memory.
pub(crate) fn state() -> Result<Connection> {
    let state = Connection::open_in_memory()?;
    state.execute_batch(App::def().ddl()?)?;
    Ok(state)
}

/// State and log in one database in memory.
pub(crate) fn state_and_log() -> Result<Connection> {
    let both = state()?;
    both.execute_batch(LOG_DDL)?;
    Ok(both)
}

/// A log in a file, that survives a crash of the process. SQLite makes its checkpoints, as it does
/// unless told otherwise: in a commit every thousand pages.
pub(crate) fn log(path: &Path) -> Result<Connection> {
    let log = open_log(path)?;
    log.execute_batch(LOG_DDL)?;
    Ok(log)
}

/// The log, once it is there.
pub(crate) fn open_log(path: &Path) -> Result<Connection> {
    let log = Connection::open(path)?;
    log.pragma_update(None, "journal_mode", "WAL")?;
    log.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(log)
}

/// Commits events, a transaction for each call.
pub(crate) struct Commits<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    insert_event: Statement<'c>,
    todos: Todos<'c>,
    /// Kept, so that it is not allocated for each event.
    args: Vec<u8>,
}

impl<'c> Commits<'c> {
    /// `log` may be `state`; if not, its insert is a transaction of its own.
    pub(crate) fn new(state: &'c Connection, log: &'c Connection) -> Result<Self> {
        Ok(Self {
            begin: state.prepare("BEGIN")?,
            commit: state.prepare("COMMIT")?,
            insert_event: log.prepare(INSERT_EVENT)?,
            todos: Todos::new(state)?,
            args: Vec::new(),
        })
    }

    pub(crate) fn commit(&mut self, events: &[Created]) -> Result<()> {
        self.begin.raw_execute()?;
        for event in events {
            self.log(event)?;
            self.todos.insert(event)?;
        }
        self.commit.raw_execute()?;
        Ok(())
    }

    fn log(&mut self, event: &Created) -> Result<()> {
        self.args.clear();
        serde_json::to_writer(&mut self.args, event)?;
        let args = ToSqlOutput::Borrowed(ValueRef::Text(&self.args));
        // SQLite numbers the rows.
        self.insert_event.execute(params![
            None::<i64>,
            "v1.TodoCreated",
            args,
            "client",
            "static"
        ])?;
        Ok(())
    }
}

/// Inserts rows.
pub(crate) struct Todos<'c>(Statement<'c>);

impl<'c> Todos<'c> {
    pub(crate) fn new(state: &'c Connection) -> Result<Self> {
        Ok(Self(state.prepare(INSERT_TODO)?))
    }

    pub(crate) fn insert(&mut self, created: &Created) -> Result<()> {
        let Created { id, text, created_at } = created;
        self.0.execute(params![id, text, false, created_at.as_millis(), None::<i64>])?;
        Ok(())
    }
}

/// Columns in the table's order.
pub(crate) fn todo(row: &Row<'_>) -> rusqlite::Result<Todo> {
    Ok(Todo {
        id: row.get(0)?,
        text: row.get(1)?,
        completed: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
        deleted_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::TodoEvent;

    /// Otherwise the two sides do not do the same work.
    #[test]
    fn the_floor_logs_and_stores_what_the_store_does() -> Result<()> {
        let floor = state_and_log()?;
        Commits::new(&floor, &floor)?.commit(&[Created::nth(0), Created::nth(1)])?;
        let ours = Store::<App>::builder("ours").open()?;
        ours.commit([0, 1].map(|n| TodoEvent::from(Created::nth(n))))?;

        let mut statement = floor.prepare("SELECT name, args FROM eventlog ORDER BY seq")?;
        let logged = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let logged: Vec<(String, String)> = logged.collect::<rusqlite::Result<_>>()?;
        let events: Vec<_> = ours.events().into_iter().collect::<Result<_, _>>()?;
        let events = events.into_iter().map(|event| (event.name.into_owned(), event.args));
        assert_eq!(logged, events.collect::<Vec<_>>());

        let mut statement = floor.prepare("SELECT * FROM todo")?;
        let todos: Vec<_> = statement.query_map([], todo)?.collect::<rusqlite::Result<_>>()?;
        assert_eq!(todos, ours.query(Todo::all())?);
        Ok(())
    }
}
