//! Pushing: one batch at a time, and what the backend's answer to it means.
//!
//! | answer | what follows |
//! |---|---|
//! | accepted | the next batch |
//! | others came first | pull, then push again |
//! | refused for now: rights, a quota | push again on a new connection, at growing intervals |
//! | refused for good | push half of it; a single commit is quarantined, and those behind it go on |
//! | failed, or none | connect again; the pull shows what was accepted |

use std::time::Duration;

use livestore_protocol::{MAX_EVENTS, SyncError, transfer_time};

use super::batch::{Batch, next_batch};
use super::{Effect, Engine, Phase, RESPONSE_TIMEOUT, Then, Transition};
use crate::event::SeqNum;
use crate::sync::status::StopReason;

/// After a push that took longer, the next one is smaller; it is larger after one that took less than a
/// quarter of this. So a slow link carries pushes in time, and a loss on it costs little.
const LONG_PUSH: Duration = Duration::from_secs(8);

/// The push of a live connection.
#[derive(Debug)]
pub(super) enum Push {
    Idle,
    /// Waits for an answer.
    InFlight {
        to: SeqNum,
        /// The event that it follows.
        parent: u64,
        /// The number of commits in it.
        commits: usize,
        since: Duration,
        until: Duration,
    },
    /// A push was rejected: pull up to `head` first.
    Fenced {
        head: u64,
        until: Duration,
    },
    /// Pushes were rejected again and again: others go first.
    Backoff {
        until: Duration,
    },
    /// The backend does not accept this client's events for now.
    Barred {
        until: Duration,
    },
}

impl Push {
    /// Until when it waits for something.
    pub(super) fn until(&self) -> Option<Duration> {
        match self {
            Self::Idle => None,
            Self::InFlight { until, .. }
            | Self::Fenced { until, .. }
            | Self::Backoff { until }
            | Self::Barred { until } => Some(*until),
        }
    }
}

impl Engine {
    /// Pushes the next batch, if no push is under way.
    pub(super) fn push(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let Phase::Live { push: Push::Idle, accepted } = self.phase else { return };
        if self.is_pausing {
            return;
        }
        let batch = next_batch(&self.state.pending, accepted, self.max_commits);
        let Some(Batch { events, to, commits, bytes }) = batch else { return };
        let parent = events.first().map_or(0, |first| first.parent);
        let until = now + RESPONSE_TIMEOUT + transfer_time(bytes);
        self.phase = Phase::Live {
            push: Push::InFlight { to, parent, commits, since: now, until },
            accepted,
        };
        effects.push(Effect::Push { events, backend_id: self.backend_id.clone() });
    }

    pub(super) fn pushed(&mut self, now: Duration) {
        self.retry.forget_rejections();
        self.retry.forget_refusals();
        self.barred = None;
        if let Phase::Live { push: push @ Push::InFlight { .. }, accepted } = &mut self.phase {
            if let Push::InFlight { to, since, commits, .. } = *push {
                self.max_commits = match now.saturating_sub(since) {
                    took if took > LONG_PUSH => (commits / 2).max(1),
                    took if took > LONG_PUSH / 4 => self.max_commits,
                    _ => (self.max_commits * 2).min(MAX_EVENTS),
                };
                if to.generation == self.state.local_head.generation {
                    *accepted = to.global.max(*accepted);
                }
            }
            *push = Push::Idle;
        }
    }

    pub(super) fn push_failed(
        &mut self,
        failure: SyncError,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Transition> {
        let upstream = self.state.upstream_head.global;
        let Phase::Live { push, .. } = &mut self.phase else { return None };
        match failure {
            // The backend had the event that the push follows.
            SyncError::ServerAhead { head, parent } if head < parent => {
                let reason = StopReason::BackendLostEvents { head, known: parent };
                return self.stop(reason, now, effects);
            }
            SyncError::ServerAhead { head, .. } => {
                self.retry.rejected();
                if head <= upstream {
                    // What came in between was pulled before the answer came.
                    self.push_again(now);
                } else {
                    *push = Push::Fenced { head, until: now + RESPONSE_TIMEOUT };
                }
            }
            SyncError::BackendIdMismatch { expected, .. } => {
                return self.other_backend(expected, now, effects);
            }
            SyncError::Refused(_) => {
                *push = Push::Barred { until: now + self.retry.refusal_delay() };
                self.barred = Some(failure.to_string());
            }
            SyncError::Invalid(reason) => return self.refused_for_good(&reason, now),
            // It may have been accepted all the same: the next pull shows it.
            _ => self.retry_later(failure.to_string(), now, effects),
        }
        None
    }

    /// Pushes again after a rejection: the events that came in between are there.
    pub(super) fn push_again(&mut self, now: Duration) {
        let next = match self.retry.backoff() {
            Some(backoff) => Push::Backoff { until: now + backoff },
            None => Push::Idle,
        };
        if let Phase::Live { push, .. } = &mut self.phase {
            *push = next;
        }
    }

    /// The backend would not accept the push the next time either. Finds the commit that it refuses,
    /// by smaller and smaller pushes, and plans to quarantine it.
    fn refused_for_good(&mut self, reason: &str, now: Duration) -> Option<Transition> {
        let generation = self.state.local_head.generation;
        let Phase::Live { push: push @ Push::InFlight { .. }, .. } = &mut self.phase else {
            return None;
        };
        let Push::InFlight { to, parent, commits, .. } = std::mem::replace(push, Push::Idle) else {
            return None;
        };
        if to.generation != generation {
            // It was rebased since, and is pushed again under other numbers.
            return None;
        }
        if commits > 1 {
            self.max_commits = commits / 2;
            return None;
        }
        if parent > self.state.upstream_head.global {
            // Those before it are accepted, but not confirmed: it is pushed again once they are.
            *push = Push::Fenced { head: parent, until: now + RESPONSE_TIMEOUT };
            return None;
        }
        let merge = self.state.plan_refusal(self.state.first_commit_len(), reason);
        self.max_commits = MAX_EVENTS;
        Some(Transition { merge, backend_id: self.backend_id.clone(), then: Then::Push })
    }

    /// A push is under way that may have been too large for the network: the next one is smaller.
    pub(super) fn shrink_pushes(&mut self) {
        if let Phase::Live { push: Push::InFlight { commits, .. }, .. } = &self.phase {
            self.max_commits = (commits / 2).max(1);
        }
    }

    /// The reason why the backend accepts no events of this client, as long as there are any.
    pub(super) fn barred(&self) -> Option<&str> {
        self.barred.as_deref().filter(|_| !self.state.pending.is_empty())
    }
}
