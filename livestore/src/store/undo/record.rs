//! Recording: while a commit is applied, what would undo it is asked of its events.

use super::stack::Recorded;
use crate::event::{CommitId, EncodedEvent, EventText, UndoCommit, UndoStep};
use crate::state::{State, UndoFailure};

/// Records what undoes a commit.
pub(in crate::store) struct Recorder<'a> {
    window_id: &'a str,
    /// The step that the commit goes on with.
    joins: Option<&'a UndoStep>,
    /// What undoes each event so far.
    inverses: Vec<Vec<EventText>>,
}

impl<'a> Recorder<'a> {
    pub(in crate::store) fn new(window_id: &'a str, joins: Option<&'a UndoStep>) -> Self {
        Self { window_id, joins, inverses: Vec::new() }
    }

    /// Records an event, which is about to be applied to the state.
    pub(in crate::store) fn before(
        &mut self,
        state: &State,
        event: &EncodedEvent,
    ) -> Result<(), UndoFailure> {
        let inverse = state.inverse_of(&event.name, &event.args, self.window_id)?;
        self.inverses.extend(inverse);
        Ok(())
    }

    /// Returns what was recorded, once the commit is applied. `None` if nothing undoes it.
    pub(in crate::store) fn finish(
        self,
        state: &State,
        commit: &[EncodedEvent],
    ) -> Result<Option<Recorded>, UndoFailure> {
        let Self { window_id, joins, .. } = self;
        let inverse = self.inverse();
        if inverse.is_empty() {
            return Ok(None);
        }
        let mut step = joins.cloned().unwrap_or_default();
        step.commits.push(UndoCommit { id: CommitId::of(commit), inverse });
        step.overwrites = state.overwrites(step.inverse(), window_id)?;
        Ok(Some(Recorded { step, joins: joins.is_some() }))
    }

    /// The events that undo the commit, in the order in which they are to be committed.
    pub(super) fn inverse(self) -> Vec<EventText> {
        self.inverses.into_iter().rev().flatten().collect()
    }
}
