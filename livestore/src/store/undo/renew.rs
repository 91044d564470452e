//! After a rebase, pending commits are asked again what undoes them: others' events come before them now.

use super::record::Recorder;
use crate::event::{CommitId, EncodedEvent, EventText, SeqNum, UndoChange, UndoPlace, UndoStep};
use crate::event::{UndoCommit, commits};
use crate::eventlog::is_after;
use crate::sqlite::{Change, SqliteError};
use crate::state::{ApplyError, Replay, ReplayError, State};
use crate::store::Core;

/// A pending commit of a step.
struct Found<'e> {
    /// The number of pending events before it.
    behind: usize,
    commit: &'e [EncodedEvent],
    place: UndoPlace,
    /// Its number among the commits of the step.
    n: usize,
}

/// What undoes a commit in its new place.
enum Inverse {
    Events(Vec<EventText>),
    /// The commit cannot be applied: as long as that is so, nothing undoes it.
    Unchanged,
    Unknown,
}

impl Core {
    /// Asks the pending commits that can be undone again what undoes them. They are applied once more for that,
    /// above the confirmed state, which is the one behind the event `confirmed`.
    pub(in crate::store) fn renew_undo(
        &mut self,
        pending: &[EncodedEvent],
        confirmed: SeqNum,
    ) -> Result<(), ReplayError> {
        let all: Vec<_> = commits(pending).collect();
        let mut found: Vec<_> = self
            .undo
            .pending(all.iter().copied().enumerate())
            .into_iter()
            .filter_map(|(at, place, n)| {
                let behind = all.iter().take(at).map(|commit| commit.len()).sum();
                Some(Found { behind, commit: all.get(at).copied()?, place, n })
            })
            .collect();
        found.reverse();
        let Some(first) = pending.first().filter(|_| !found.is_empty()) else { return Ok(()) };
        let changes = if is_after(first.seq, self.state.base()) {
            self.ask_again(pending, &found, confirmed)?
        } else {
            // The pending events do not lie above a savepoint.
            found.iter().map(|found| UndoChange::Remove(found.place)).collect()
        };
        self.change_undo(changes);
        Ok(())
    }

    fn ask_again(
        &mut self,
        pending: &[EncodedEvent],
        found: &[Found<'_>],
        confirmed: SeqNum,
    ) -> Result<Vec<UndoChange>, ReplayError> {
        let mut steps: Vec<(UndoPlace, Option<UndoStep>)> = Vec::new();
        for Found { place, .. } in found {
            if !steps.iter().any(|(known, _)| known == place) {
                steps.push((*place, self.undo.step(*place).cloned()));
            }
        }
        let log = self.log.clone();
        let mut replay = Replay::new(&log);
        let mut changes = self.state.rollback_pending()?;
        let window_id = &*self.window_id;
        let is_lost = self.state.within(self.max_state_bytes, |state| {
            state.begin_pending()?;
            let mut rest = pending;
            let mut behind = 0;
            for Found { behind: at, commit, place, n } in found {
                let (before, after) = rest.split_at(at - behind);
                replay.apply(state, before)?;
                let inverse = inverse_of(state, commit, window_id)?;
                replay.apply(state, commit)?;
                rest = after.get(commit.len()..).unwrap_or_default();
                behind = at + commit.len();
                if let Some((_, step)) = steps.iter_mut().find(|(known, _)| known == place) {
                    *step = step.take().and_then(|step| {
                        renewed(state, step, *n, CommitId::of(commit), inverse, window_id)
                    });
                }
            }
            replay.apply(state, rest)?;
            changes.extend(state.take_changes());
            Ok::<_, ReplayError>(replay.is_broken() || state.savepoint_lost())
        })?;
        if is_lost {
            changes.extend(self.state.rollback_pending()?);
            self.apply(changes, confirmed, &[], pending)?;
            return Ok(found.iter().map(|found| UndoChange::Remove(found.place)).collect());
        }
        self.update_live(&Change::net(changes));
        Ok(steps
            .into_iter()
            .map(|(place, step)| match step {
                Some(step) => UndoChange::Put(place, step),
                None => UndoChange::Remove(place),
            })
            .collect())
    }
}

/// The step with the new inverse of one of its commits. `None` if there is nothing left to undo.
fn renewed(
    state: &State,
    mut step: UndoStep,
    n: usize,
    id: CommitId,
    inverse: Inverse,
    window_id: &str,
) -> Option<UndoStep> {
    let inverse = match inverse {
        Inverse::Events(inverse) => inverse,
        Inverse::Unchanged => return Some(step),
        Inverse::Unknown => return None,
    };
    if let Some(commit) = step.commits.get_mut(n) {
        *commit = UndoCommit { id, inverse };
    }
    step.overwrites = state.overwrites(step.inverse(), window_id).ok()?;
    let has_inverse = step.inverse().next().is_some();
    has_inverse.then_some(step)
}

/// What undoes a commit, which is about to be applied. The state stays as it is.
fn inverse_of(
    state: &State,
    commit: &[EncodedEvent],
    window_id: &str,
) -> Result<Inverse, SqliteError> {
    let savepoint = state.savepoint()?;
    let (mut writer, mut recorder) = (state.writer(), Recorder::new(window_id, None));
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
