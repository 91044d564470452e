//! This session's commits that are pending, so that each receipt can say what became of its own.
//!
//! Commits stay in their order through every rebase, and the first ones are confirmed first. So a commit
//! needs no id: the events of this session that stop being pending are those of the first commits. Where
//! commands decide again, a commit may have another number of events from then on, which is said with the merge.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Committed;
use super::error::ConfirmError;
use super::receipt::Outcome;
use crate::event::{EncodedEvent, SeqNum, commits};
use crate::sqlite::SqliteError;
use crate::state::{QuarantineReason, State};
use crate::sync::merge::{Decision, Merge};

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
    /// Why its command failed later.
    withdrawn: Option<String>,
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
            withdrawn: None,
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
        if merge.decisions.are_unseen {
            self.forget(merge.rebase.iter().flat_map(|rebase| &rebase.pending));
            return Ok(());
        }
        let in_place = pending.take(merge.confirmed.len()).filter(|event| self.is_own(event));
        let mut ended: Vec<_> =
            in_place.map(|event| Ended { seq: event.seq, refusal: None }).collect();
        let Some(rebase) = &merge.rebase else { return self.end(ended, state) };
        let decisions = &merge.decisions;
        let (new, idle) = merge.new.split_at(merge.new.len().saturating_sub(decisions.idle));
        let idle: Vec<_> = idle.iter().filter(|event| self.is_own(event)).collect();
        // Before commands decided, these were pending.
        let now = rebase.pending.iter().filter(|event| self.is_own(event)).count() + idle.len();
        let still = now.saturating_add_signed(-decisions.surplus(&self.session_id) as isize);
        let moved = self.events.saturating_sub(still + ended.len());
        // Those that ended earlier come first.
        let own: Vec<_> = new.iter().filter(|event| self.is_own(event)).collect();
        let moved = own.iter().skip(own.len().saturating_sub(moved));
        ended.extend(moved.map(|event| Ended { seq: event.seq, refusal: event.refusal() }));
        self.end(ended, state)?;
        self.decide(&decisions.commits, still);
        self.end(idle.iter().map(|event| Ended { seq: event.seq, refusal: None }).collect(), state)
    }

    /// Notes what commands have decided again, of which the decisions count the last `counted` events.
    pub(super) fn decide(&mut self, decisions: &[Decision], counted: usize) {
        let mut before = self.events.saturating_sub(counted);
        let mut commits = self.commits.iter_mut();
        for decision in decisions.iter().filter(|decision| *decision.session_id == *self.session_id)
        {
            let place = self.events.saturating_sub(counted) + decision.behind;
            let found = commits.find(|commit| {
                let is_found = before >= place && commit.left == decision.was;
                before += if is_found { 0 } else { commit.left };
                is_found
            });
            if let Some(commit) = found {
                before += commit.left;
                commit.left = decision.now;
                commit.withdrawn.clone_from(&decision.failure);
            }
        }
        self.end_empty();
        self.events = self.commits.iter().map(|commit| commit.left).sum();
    }

    /// Decides the outcomes of commits that have no events any more.
    fn end_empty(&mut self) {
        self.commits.retain(|commit| {
            if commit.left > 0 {
                return true;
            }
            commit.outcome.decide(match &commit.withdrawn {
                Some(reason) => Err(ConfirmError::Withdrawn { reason: reason.clone() }),
                // It was done by others.
                None => Ok(Committed::at(Vec::new())),
            });
            false
        });
    }

    /// Begins anew with what is pending, as nobody can say which events are of which commit.
    fn forget<'e>(&mut self, pending: impl Iterator<Item = &'e EncodedEvent>) {
        for commit in self.commits.drain(..) {
            commit.outcome.decide(Err(ConfirmError::Unknown));
        }
        let own: Vec<_> = pending.filter(|event| self.is_own(event)).cloned().collect();
        self.events = 0;
        for commit in commits(&own) {
            self.add(commit.len());
        }
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
    pub(super) fn of_quarantine(reason: QuarantineReason) -> Self {
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
