//! State: the result of all events so far, in SQLite, in memory.
//!
//! State is a pure function of the eventlog. `replay` makes it from the first event on, or from a
//! `snapshot` and the events after it; a commit adds to it under a `savepoint`, and what is
//! `pending` lies above one. Events that cannot be applied are listed in a `quarantine`, which is
//! itself state.

mod boot;
mod bytes;
mod execute;
mod hash;
mod image;
mod pending;
mod quarantine;
mod replay;
mod savepoint;
mod size;
mod snapshot;
mod timings;
mod trace;
mod undo;
mod verify;
mod view;

use rusqlite::{Connection, OpenFlags};

pub use boot::{Boot, BootStage, UnknownEvents};
pub(crate) use execute::{Again, CommandFault, MAX_INSTRUCTIONS, MAX_TIME, of_command};
pub(crate) use image::{Image, ImageError, Origin};
pub use quarantine::{QuarantineReason, Quarantined};
pub(crate) use replay::{Decided, Replay, ReplayError, events_of};
pub(crate) use size::MAX_STATE_BYTES;
pub(crate) use snapshot::{Snapshot, SnapshotError, StateCopy, Unusable};
pub(crate) use timings::{Timing, Timings};
pub(crate) use trace::{end_of_commit, position_of};
pub(crate) use undo::{Overwritten, UndoFailure};
pub use verify::{Difference, Divergence, DivergenceCause};
pub use view::{Interrupt, Query, StateView, TableColumn, TableInfo};

use crate::ambient::materialize;
use crate::edge::catch_panic;
use crate::error::panic_message;
use crate::event::{EncodedEvent, SeqNum};
use crate::schema::{EventSet, SchemaDef, SchemaError};
use crate::sqlite::{Access, Db, SqliteError};
use crate::table::{MaterializeError, Reader, Writer};

/// Why the state could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The schema cannot be turned into SQL.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// SQLite refused it; the state is probably too large for memory.
    #[error("the state could not be made")]
    Sqlite(#[from] SqliteError),
}

/// Why an event was not applied.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// It cannot be applied to this state, on any client.
    Event(MaterializeError),
    /// There is no room for it, or the machine is at fault. It is no worse an event for that.
    State(SqliteError),
}

impl From<MaterializeError> for ApplyError {
    fn from(error: MaterializeError) -> Self {
        Self::Event(error)
    }
}

/// The state after the event `head`.
#[derive(Debug)]
pub(crate) struct State {
    db: Db,
    schema: &'static SchemaDef,
    pub(crate) head: SeqNum,
    pending: Option<pending::PendingSavepoint>,
    attempt: Option<pending::Attempt>,
    pub(crate) timings: Timings,
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
        // The limits count pages of this size. A browser's SQLite would make larger ones.
        db.run_all("PRAGMA page_size = 4096;")?;
        // Nobody else has the database: no need to look for changes before each commit.
        db.run_all("PRAGMA locking_mode = EXCLUSIVE;")?;
        size::raise_limit(&db)?;
        let (head, timings) = (SeqNum::ROOT, Timings::default());
        Ok(Self { db, schema, head, pending: None, attempt: None, timings })
    }

    pub(crate) fn schema(&self) -> &'static SchemaDef {
        self.schema
    }

    pub(crate) fn reader<'a>(&'a self, window_id: &'a str) -> Reader<'a> {
        Reader::new(&self.db, Access::Query, window_id)
    }

    /// A writer for [`apply`](Self::apply).
    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer::new(&self.db)
    }

    /// Applies one event. If it fails, some of it may have been applied: it needs a savepoint.
    pub(crate) fn apply<'a>(
        &'a self,
        event: &'a EncodedEvent,
        set: &EventSet,
        writer: &mut Writer<'a>,
    ) -> Result<(), ApplyError> {
        let writer = writer.in_window(event.window_id());
        let apply = || self.timings.time(event, || set.apply(&event.name, &event.args, writer));
        // The savepoint makes the state whole again, so nothing broken is seen after a panic.
        let (applied, impurity) = materialize(|| catch_panic(apply));
        let applied = applied.unwrap_or_else(|panic| {
            Err(MaterializeError::Panicked { message: panic_message(&*panic) })
        });
        // Whatever the materializer made of it; and SQLite may have rolled back because of it.
        if let Some(fault) = self.db.take_fault() {
            return Err(ApplyError::State(fault));
        }
        match impurity {
            _ if !self.db.is_in_savepoint() => Err(MaterializeError::RolledBack.into()),
            Some(impurity) => Err(MaterializeError::Impure(impurity).into()),
            None => Ok(applied?),
        }
    }
}

/// An empty database in a block of memory, as a snapshot's is: with `:memory:`, which keeps every
/// page in SQLite's cache, a commit that splits a page looks through all of the cache.
fn open_in_memory() -> Result<Connection, SqliteError> {
    let flags = OpenFlags::default();
    Ok(Connection::open_with_flags_and_vfs("state", flags, c"memdb")?)
}
