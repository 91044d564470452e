//! This session's commits that are pending, so that each receipt can say what became of its own.
//!
//! Commits stay in their order through every rebase, and the first ones are confirmed first. So a commit
//! needs no id: the events of this session that stop being pending are those of the first commits.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Committed;
use super::error::ConfirmError;
use super::receipt::Outcome;
use crate::event::{EncodedEvent, SeqNum};
use crate::sqlite::SqliteError;
use crate::state::{QuarantineReason, State};
use crate::sync::merge::Merge;

/// This session's commits that are pending, first to last.
#[derive(Debug)]
pub(super) struct OwnCommits {
    session_id: Arc<str>,
    commits: VecDeque<OwnCommit>,
    /// The number of their events that are still pending.
    events: usize,
}

#[derive(Debug)]
struct OwnCommit {
    /// The number of its events that are still pending.
    left: usize,
    /// The numbers of the others.
    ended: Vec<SeqNum>,
    /// Why it is not applied.
    failure: Option<ConfirmError>,
    outcome: Arc<Outcome>,
}

/// An event of this session's that is no longer pending.
struct Ended {
    seq: SeqNum,
    refusal: Option<String>,
}

impl OwnCommits {
    pub(super) fn new(session_id: Arc<str>) -> Self {
        Self { session_id, commits: VecDeque::new(), events: 0 }
    }

    /// Adds a commit of this many events, which is pending, behind all others.
    pub(super) fn add(&mut self, events: usize) -> Arc<Outcome> {
        let outcome = Arc::<Outcome>::default();
        let theirs = Arc::clone(&outcome);
        self.events += events;
        self.commits.push_back(OwnCommit {
            left: events,
            ended: Vec::new(),
            failure: None,
            outcome: theirs,
        });
        outcome
    }

    /// Decides the outcomes that a merge decides. `pending` is what was pending before it; `state` has
    /// the merge.
    pub(super) fn merged<'e>(
        &mut self,
        pending: impl Iterator<Item = &'e EncodedEvent>,
        merge: &Merge,
        state: &State,
    ) -> Result<(), SqliteError> {
        if self.commits.is_empty() {
            return Ok(());
        }
        let in_place = pending.take(merge.confirmed.len()).filter(|event| self.is_own(event));
        let mut ended: Vec<_> =
            in_place.map(|event| Ended { seq: event.seq, refusal: None }).collect();
        if let Some(rebase) = &merge.rebase {
            let still = rebase.pending.iter().filter(|event| self.is_own(event)).count();
            let moved = self.events.saturating_sub(still + ended.len());
            // Those that ended earlier come first.
            let own: Vec<_> = merge.new.iter().filter(|event| self.is_own(event)).collect();
            let moved = own.iter().skip(own.len().saturating_sub(moved));
            ended.extend(moved.map(|event| Ended { seq: event.seq, refusal: event.refusal() }));
        }
        self.end(ended, state)
    }

    /// Decides the outcomes of all commits: there is no backend any more, and these are their events.
    pub(super) fn confirm_all<'e>(
        &mut self,
        events: impl Iterator<Item = &'e EncodedEvent>,
        state: &State,
    ) -> Result<(), SqliteError> {
        self.end(events.map(|event| Ended { seq: event.seq, refusal: None }).collect(), state)
    }

    fn is_own(&self, event: &EncodedEvent) -> bool {
        Arc::ptr_eq(&event.session_id, &self.session_id) || event.session_id == self.session_id
    }

    fn end(&mut self, ended: Vec<Ended>, state: &State) -> Result<(), SqliteError> {
        for Ended { seq, refusal } in ended {
            let Some(first) = self.commits.front_mut() else { return Ok(()) };
            // Nobody asks what became of a commit whose receipt was dropped.
            if Arc::strong_count(&first.outcome) > 1 && first.failure.is_none() {
                first.failure = match refusal {
                    Some(reason) => Some(ConfirmError::Refused { reason }),
                    None => state.quarantine_reason(seq)?.map(ConfirmError::of_quarantine),
                };
            }
            first.ended.push(seq);
            first.left -= 1;
            self.events -= 1;
            if first.left == 0
                && let Some(OwnCommit { ended, failure, outcome, .. }) = self.commits.pop_front()
            {
                outcome.decide(match failure {
                    Some(failure) => Err(failure),
                    None => Ok(Committed::at(ended)),
                });
            }
        }
        Ok(())
    }
}

impl ConfirmError {
    fn of_quarantine(reason: QuarantineReason) -> Self {
        match reason {
            QuarantineReason::Refused(reason) => Self::Refused { reason },
            reason => Self::Quarantined { reason },
        }
    }
}

/// The store is closed: nobody learns any more what becomes of its commits.
impl Drop for OwnCommits {
    fn drop(&mut self) {
        for commit in self.commits.drain(..) {
            commit.outcome.decide(Err(ConfirmError::Closed));
        }
    }
}
