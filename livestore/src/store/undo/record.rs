//! Recording: while a commit is applied, what would undo it is asked of its events.

use super::stack::Recorded;
use crate::event::{CommitId, EncodedEvent, EventText, UndoCommit, UndoStep};
use crate::state::{State, UndoFailure};

/// Records what undoes a commit.
pub(in crate::store) struct Recorder<'a> {
    window_id: &'a str,
    /// The step that the commit goes on with.
    joins: Option<&'a UndoStep>,
    /// What undoing that step would overwrite, before the commit. `None` until it is known.
    found: Option<i64>,
    /// What undoes each event so far.
    inverses: Vec<Vec<EventText>>,
}

impl<'a> Recorder<'a> {
    pub(in crate::store) fn new(window_id: &'a str, joins: Option<&'a UndoStep>) -> Self {
        Self { window_id, joins, found: None, inverses: Vec::new() }
    }

    /// Records an event, which is about to be applied to the state.
    pub(in crate::store) fn before(
        &mut self,
        state: &State,
        event: &EncodedEvent,
    ) -> Result<(), UndoFailure> {
        if self.found.is_none() {
            let before = self.joins.into_iter().flat_map(UndoStep::inverse);
            self.found = Some(state.overwrites(before, self.window_id)?);
        }
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
        let Self { window_id, joins, found, .. } = self;
        let inverse = self.inverse();
        if inverse.is_empty() {
            return Ok(None);
        }
        let mut step = joins.cloned().unwrap_or_default();
        let all = inverse.iter().chain(step.inverse());
        let left = state.overwrites(all, window_id)?;
        let (id, found) = (CommitId::of(commit), found.unwrap_or_default());
        step.commits.push(UndoCommit { id, inverse, found, left });
        Ok(Some(Recorded { step, joins: joins.is_some() }))
    }

    /// The events that undo the commit, in the order in which they are to be committed.
    pub(super) fn inverse(self) -> Vec<EventText> {
        self.inverses.into_iter().rev().flatten().collect()
    }
}
