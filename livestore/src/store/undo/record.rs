//! Recording: while a commit is applied, what would undo it is asked of its events.

use std::cell::Cell;

use super::stack::Recorded;
use crate::event::{CommitId, EncodedEvent, EventText, UndoCommit, UndoStep, Way};
use crate::state::{Overwritten, State, UndoFailure};

/// Records what undoes a commit.
pub(in crate::store) struct Recorder<'a> {
    window_id: &'a str,
    /// The step that the commit goes on with.
    joins: Option<&'a UndoStep>,
    /// The step that the commit undoes, or does again.
    checks: Option<Check<'a>>,
    /// What undoes each event so far.
    inverses: Vec<Vec<EventText>>,
}

/// That the next step is undone, or done again.
#[derive(Debug)]
pub(in crate::store) struct StepBack {
    pub(in crate::store) way: Way,
    /// Whether it turned out that what it would overwrite has changed.
    pub(super) is_changed: Cell<bool>,
}

/// The look at whether a step still is what it was, commit by commit: the last one before any of the events is
/// applied that undo the step, the one before it once those are applied that undo the last one, and so on. So
/// each commit is asked in the state that it has left, if nobody has changed that.
struct Check<'a> {
    back: &'a StepBack,
    /// The commits that are still to be looked at, the first ones of the step.
    commits: std::slice::Iter<'a, UndoCommit>,
    /// The number of events still to come that undo the commit that was looked at last.
    events: usize,
}

impl StepBack {
    pub(super) fn new(way: Way) -> Self {
        Self { way, is_changed: Cell::new(false) }
    }
}

impl<'a> Recorder<'a> {
    pub(in crate::store) fn new(window_id: &'a str) -> Self {
        Self { window_id, joins: None, checks: None, inverses: Vec::new() }
    }

    /// Records a commit that goes on with this step, if there is one.
    pub(super) fn joining(self, joins: Option<&'a UndoStep>) -> Self {
        Self { joins, ..self }
    }

    /// Records a commit whose events are those that undo the step.
    pub(super) fn checking(self, back: &'a StepBack, step: &'a UndoStep) -> Self {
        let checks = Some(Check { back, commits: step.commits.iter(), events: 0 });
        Self { checks, ..self }
    }

    /// Records an event, which is about to be applied to the state.
    pub(in crate::store) fn before(
        &mut self,
        state: &State,
        event: &EncodedEvent,
    ) -> Result<(), UndoFailure> {
        let known = match &mut self.checks {
            Some(check) => check.before(state, self.window_id)?,
            None => None,
        };
        let inverse = match known {
            Some(inverse) => Some(inverse),
            None => state.inverse_of(&event.name, &event.args, self.window_id)?,
        };
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
        let left = state.overwrites(&inverse, window_id)?.hash;
        step.commits.push(UndoCommit { id: CommitId::of(commit), inverse, left });
        Ok(Some(Recorded { step, joins: joins.is_some() }))
    }

    /// The events that undo the commit, in the order in which they are to be committed.
    pub(super) fn inverse(self) -> Vec<EventText> {
        self.inverses.into_iter().rev().flatten().collect()
    }
}

impl Check<'_> {
    /// Looks at a commit of the step before the first of the events that undo it. Returns what undoes that event,
    /// which it had to ask for.
    fn before(
        &mut self,
        state: &State,
        window_id: &str,
    ) -> Result<Option<Vec<EventText>>, UndoFailure> {
        if self.events > 0 {
            self.events -= 1;
            return Ok(None);
        }
        let Some(commit) = self.commits.rfind(|commit| !commit.inverse.is_empty()) else {
            return Ok(None);
        };
        let Overwritten { hash, first } = state.overwrites(&commit.inverse, window_id)?;
        if hash != commit.left {
            self.back.is_changed.set(true);
            return Err(UndoFailure::changed());
        }
        self.events = commit.inverse.len() - 1;
        Ok(Some(first))
    }
}
