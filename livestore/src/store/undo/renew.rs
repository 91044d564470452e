//! After a rebase, pending commits are asked again what undoes them: others' events come before them now.

use super::record::Recorder;
use super::stack::UndoStack;
use crate::event::{
    CommitId, EncodedEvent, EventText, UndoChange, UndoCommit, UndoPlace, UndoStep, commits,
};
use crate::sqlite::SqliteError;
use crate::state::{ApplyError, State};

/// The steps that have pending commits.
pub(in crate::store) struct Renewal {
    /// `None` for those that are of no use any more.
    steps: Vec<(UndoPlace, Option<UndoStep>)>,
    /// The pending commits that are of a step, first to last: the number among the pending ones, the step's
    /// position in `steps`, and the number in the step.
    places: Vec<(usize, usize, usize)>,
    /// What undoes the commit that is being applied.
    inverse: Inverse,
}

/// What undoes a commit in its new place.
enum Inverse {
    Events(Vec<EventText>),
    /// The commit cannot be applied: as long as that is so, nothing undoes it.
    Unchanged,
    Unknown,
}

impl UndoStack {
    /// The steps that have some of these commits, which are pending.
    pub(in crate::store) fn renewal(&self, pending: &[EncodedEvent]) -> Renewal {
        let mut renewal =
            Renewal { steps: Vec::new(), places: Vec::new(), inverse: Inverse::Unchanged };
        if self.is_empty() {
            return renewal;
        }
        let all: Vec<_> = commits(pending).collect();
        for (at, place, n) in self.pending(all.iter().copied().enumerate()) {
            let known = renewal.steps.iter().position(|(known, _)| *known == place);
            let step = known.unwrap_or_else(|| {
                renewal.steps.push((place, self.step(place).cloned()));
                renewal.steps.len() - 1
            });
            renewal.places.push((at, step, n));
        }
        renewal.places.reverse();
        renewal
    }
}

impl Renewal {
    pub(in crate::store) fn is_needed(&self) -> bool {
        !self.places.is_empty()
    }

    fn find(&self, at: usize) -> Option<(usize, usize)> {
        let index = self.places.binary_search_by_key(&at, |(at, _, _)| *at).ok()?;
        self.places.get(index).map(|&(_, step, n)| (step, n))
    }

    /// Asks the pending commit with this number, which is about to be applied.
    pub(in crate::store) fn before(
        &mut self,
        at: usize,
        state: &State,
        commit: &[EncodedEvent],
        window_id: &str,
    ) -> Result<(), SqliteError> {
        if self.find(at).is_some() {
            self.inverse = inverse_of(state, commit, window_id)?;
        }
        Ok(())
    }

    /// Notes what undoes the commit, which is applied now.
    pub(in crate::store) fn behind(
        &mut self,
        at: usize,
        state: &State,
        commit: &[EncodedEvent],
        window_id: &str,
    ) {
        let Some((step, n)) = self.find(at) else { return };
        let inverse = std::mem::replace(&mut self.inverse, Inverse::Unchanged);
        if let Some((_, step)) = self.steps.get_mut(step) {
            let renewed = step.take().and_then(|mut step| {
                let inverse = match inverse {
                    Inverse::Events(inverse) => inverse,
                    Inverse::Unchanged => return Some(step),
                    Inverse::Unknown => return None,
                };
                let left = state.overwrites(&inverse, window_id).ok()?.hash;
                *step.commits.get_mut(n)? = UndoCommit { id: CommitId::of(commit), inverse, left };
                let has_inverse = step.inverse().next().is_some();
                has_inverse.then_some(step)
            });
            *step = renewed;
        }
    }

    /// The commits could not be asked.
    pub(in crate::store) fn give_up(&mut self) {
        self.steps.iter_mut().for_each(|(_, step)| *step = None);
    }

    pub(in crate::store) fn into_changes(self) -> Vec<UndoChange> {
        let changes = self.steps.into_iter().map(|(place, step)| match step {
            Some(step) => UndoChange::Put(place, step),
            None => UndoChange::Remove(place),
        });
        changes.collect()
    }
}

/// What undoes a commit, which is about to be applied. The state stays as it is.
fn inverse_of(
    state: &State,
    commit: &[EncodedEvent],
    window_id: &str,
) -> Result<Inverse, SqliteError> {
    let savepoint = state.savepoint()?;
    let (mut writer, mut recorder) = (state.writer(), Recorder::new(window_id));
    let mut failed = None;
    for event in commit {
        let set = state.schema().event_set(&event.name);
        if let Err(failure) = recorder.before(state, event) {
            tracing::warn!(event = failure.event, failure.reason, "cannot be undone any more");
            failed = Some(Inverse::Unknown);
            break;
        }
        match set.map_or(Ok(()), |set| state.apply(event, set, &mut writer)) {
            Ok(()) => {}
            Err(ApplyError::Event(_)) => {
                failed = Some(Inverse::Unchanged);
                break;
            }
            Err(ApplyError::State(error)) => return Err(error),
        }
    }
    drop(writer);
    savepoint.rollback()?;
    Ok(failed.unwrap_or_else(|| Inverse::Events(recorder.inverse())))
}
