//! What commands have decided again, so that whoever counts the events of a commit can follow.

use std::sync::Arc;

use super::{Merge, idle};
use crate::event::{EncodedEvent, SeqNum};

/// How a merge is changed by commands that were executed again. A commit has other events then, or none; it
/// stays in its place among the pending ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Decisions {
    /// The commits that have changed, first to last.
    pub(crate) commits: Vec<Decision>,
    /// The number of events at the end of the merge's new ones that were pending before the decisions, and
    /// wait for nothing now.
    pub(crate) idle: usize,
    /// Some were made while nobody said so: which events are of which commit is not known.
    pub(crate) are_unseen: bool,
}

/// A commit that a command has decided otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The session of the commit.
    pub(crate) session_id: Arc<str>,
    /// The number of pending events of this session that came before the commit, before any was decided.
    pub(crate) behind: usize,
    /// The number of events that the commit had.
    pub(crate) was: usize,
    /// The number of events that it has now.
    pub(crate) now: usize,
    /// Why the command failed, if it did. It has no events then.
    pub(crate) failure: Option<String>,
}

impl Merge {
    /// Replaces the events that are still pending by those that commands have decided now.
    pub(crate) fn decide(&mut self, events: Vec<EncodedEvent>, commits: Vec<Decision>) {
        let Some(rebase) = &mut self.rebase else { return };
        rebase.pending = events;
        let idle = idle(&rebase.pending.iter().collect::<Vec<_>>());
        self.new.extend(rebase.pending.drain(..idle));
        if idle > 0
            && let Some(last) = self.new.last()
        {
            self.heads.confirmed = last.seq;
        }
        let raised = self.heads.local.generation.max(self.heads.confirmed.generation);
        let none_left = SeqNum { generation: raised, ..self.heads.confirmed };
        self.heads.local = rebase.pending.last().map_or(none_left, |last| last.seq);
        self.decisions = Decisions { commits, idle, are_unseen: false };
    }
}

impl Decisions {
    /// The number of events that each session has more than before, if there are any.
    pub(crate) fn all_surplus(&self) -> Vec<(Arc<str>, i64)> {
        let mut all: Vec<(Arc<str>, i64)> = Vec::new();
        for Decision { session_id, .. } in &self.commits {
            if !all.iter().any(|(known, _)| known == session_id) {
                all.push((Arc::clone(session_id), self.surplus(session_id)));
            }
        }
        all.retain(|(_, events)| *events != 0);
        all
    }

    /// The number of events that the session has more than before.
    pub(crate) fn surplus(&self, session_id: &str) -> i64 {
        let own = self.commits.iter().filter(|decision| *decision.session_id == *session_id);
        own.map(|decision| decision.now as i64 - decision.was as i64).sum()
    }
}
