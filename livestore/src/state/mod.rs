//! State: what the events so far amount to, in SQLite, in memory.
//!
//! State is a pure function of the eventlog. It is made by `replay` from the first event on, or
//! from a `snapshot` and the events after it; a commit adds to it under a savepoint. Events that
//! cannot be applied are kept apart in a `quarantine`, which is itself state.

mod hash;
mod held;
mod quarantine;
mod replay;
mod snapshot;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, OpenFlags};

pub use quarantine::{QuarantineReason, Quarantined};
pub use replay::{Boot, BootStage, UnknownEvents};
pub(crate) use replay::{Replay, ReplayError};
pub(crate) use snapshot::{Copied, Snapshot, Unusable};

use crate::event::{EncodedEvent, SeqNum};
use crate::schema::{EventSet, SchemaDef, SchemaError};
use crate::sqlite::{Access, Db, SqliteError};
use crate::table::{MaterializeError, Query, QueryError, Reader, Writer};

/// Why the state could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The schema cannot be turned into SQL.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// SQLite refused it; the state is probably too large for memory.
    #[error("the state could not be written: {0}")]
    Sqlite(#[from] SqliteError),
}

/// The state after the event `head`.
#[derive(Debug)]
pub(crate) struct State {
    db: Db,
    schema: &'static SchemaDef,
    pub(crate) head: SeqNum,
    held: Option<held::Held>,
}

impl State {
    /// The state before the first event.
    pub(crate) fn empty(schema: &'static SchemaDef) -> Result<Self, StateError> {
        let state = Self::over(open_in_memory()?, schema)?;
        state.db.run_all(quarantine::DDL)?;
        state.db.run_all(schema.ddl()?)?;
        Ok(state)
    }

    fn over(conn: Connection, schema: &'static SchemaDef) -> Result<Self, StateError> {
        let db = Db::new(conn)?;
        // With recursive triggers, the rows that an `INSERT OR REPLACE` removes are captured, too.
        db.run_all(
            "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY;",
        )?;
        // Nobody else has the database: no need to look for changes before each commit.
        db.run_all("PRAGMA locking_mode = EXCLUSIVE;")?;
        Ok(Self { db, schema, head: SeqNum::ROOT, held: None })
    }

    pub(crate) fn schema(&self) -> &'static SchemaDef {
        self.schema
    }

    pub(crate) fn query<Q: Query>(
        &self,
        query: &Q,
        session_id: &str,
    ) -> Result<Q::Output, QueryError> {
        query.run(&self.reader(session_id))
    }

    pub(crate) fn reader<'a>(&'a self, session_id: &'a str) -> Reader<'a> {
        Reader::new(&self.db, Access::Query, session_id)
    }

    /// Applies one event. If it fails, some of it may have been applied: it needs a savepoint.
    pub(crate) fn apply(
        &self,
        event: &EncodedEvent,
        set: &EventSet,
    ) -> Result<(), MaterializeError> {
        let mut writer = Writer::new(&self.db, &event.session_id);
        let apply = || set.apply(&event.name, &event.args, &mut writer);
        // The savepoint makes the state whole again, so nothing broken is seen after a panic.
        let applied = catch_unwind(AssertUnwindSafe(apply)).unwrap_or_else(|panic| {
            Err(MaterializeError::Panicked { message: panic_message(&*panic) })
        });
        if self.db.is_in_savepoint() { applied } else { Err(MaterializeError::RolledBack) }
    }

    /// Begins something that is done as a whole or not at all.
    pub(crate) fn begin(&self) -> Result<(), SqliteError> {
        self.db.changes().begin();
        self.db.run("SAVEPOINT whole").map(|_| ())
    }

    /// Keeps what was done since [`begin`](Self::begin).
    pub(crate) fn keep(&self) -> Result<(), SqliteError> {
        self.db.run("RELEASE whole").map(|_| ())
    }

    /// Undoes what was done since [`begin`](Self::begin).
    pub(crate) fn undo(&self) -> Result<(), SqliteError> {
        self.db.changes().undo();
        if !self.db.is_in_savepoint() {
            // A materializer's `OR ROLLBACK` has undone it, and with it all that was held.
            return self.db.settle_order_again();
        }
        self.db.run("ROLLBACK TO whole")?;
        self.keep()?;
        self.db.settle_order_again()
    }

    /// Whether a materializer's `OR ROLLBACK` has undone what was held: [`rewind`](Self::rewind),
    /// and apply it again.
    pub(crate) fn is_shaken(&self) -> bool {
        self.held.is_some() && !self.db.is_in_savepoint()
    }
}

/// An empty database in a block of memory, as a snapshot's is: with `:memory:`, which keeps every
/// page in SQLite's cache, a commit that splits a page looks through all of the cache.
fn open_in_memory() -> Result<Connection, SqliteError> {
    let flags = OpenFlags::default();
    Ok(Connection::open_with_flags_and_vfs("state", flags, c"memdb")?)
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "it did not say why".to_owned()
    }
}
