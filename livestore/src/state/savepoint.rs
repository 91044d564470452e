//! Changes that are kept or undone as a whole.

use super::State;
use crate::sqlite::SqliteError;

/// An open savepoint: what is applied from here on is kept by [`release`](Self::release) and undone
/// by [`rollback`](Self::rollback). One that is dropped is rolled back.
#[must_use = "a savepoint that is dropped is rolled back"]
#[derive(Debug)]
pub(crate) struct Savepoint<'s> {
    state: &'s State,
    is_open: bool,
}

impl State {
    /// Opens a savepoint.
    pub(crate) fn savepoint(&self) -> Result<Savepoint<'_>, SqliteError> {
        self.db.changes().begin();
        self.db.open_savepoint("SAVEPOINT whole")?;
        Ok(Savepoint { state: self, is_open: true })
    }
}

impl Savepoint<'_> {
    /// Keeps what was applied. If there is no memory for it, it is undone.
    pub(crate) fn release(mut self) -> Result<(), SqliteError> {
        self.is_open = false;
        match self.state.db.run("RELEASE whole") {
            Ok(_) => Ok(()),
            Err(error) => {
                self.undo()?;
                Err(error)
            }
        }
    }

    /// Undoes what was applied. A materializer's `OR ROLLBACK` may have done so already, and undone
    /// what is pending, too: see [`State::savepoint_lost`].
    pub(crate) fn rollback(mut self) -> Result<(), SqliteError> {
        self.is_open = false;
        self.undo()
    }

    fn undo(&self) -> Result<(), SqliteError> {
        let db = &self.state.db;
        db.changes().undo();
        let is_there = db.is_in_savepoint();
        if is_there {
            db.run("ROLLBACK TO whole")?;
            db.run("RELEASE whole")?;
        }
        db.rolled_back(is_there)
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        if self.is_open
            && let Err(error) = self.undo()
        {
            tracing::error!(%error, "changes to the state could not be rolled back");
        }
    }
}
