//! A commit that the backend refuses for good: it makes room for those behind it, and stays in the log.

use super::{Merge, SyncState};
use crate::event::{EncodedEvent, SeqNum};

impl SyncState {
    /// Plans that the first pending commit, `count` events, is never pushed: the backend refuses it for
    /// good. Its events stay in the log as client-only ones that say why, and are not applied.
    pub(crate) fn plan_refusal(&self, count: usize, reason: &str) -> Merge {
        let refused = self.pending.range(..count.min(self.pending.len()));
        let from = self.pending.front().map_or(self.local_head, |event| event.seq);
        let generation = self.local_head.generation + 1;
        let mut head = self.confirmed_head;
        let mut new: Vec<_> = refused
            .map(|event| {
                let (next, parent) = head.next(true);
                head = SeqNum { generation, ..next };
                EncodedEvent { seq: head, parent, ..event.clone() }.refused(reason)
            })
            .collect();
        let left = self.pending.range(new.len()..).collect();
        let rebase = self.make_room(from, left, head, &mut new);
        let confirmed_head = new.last().map_or(head, |event| event.seq);
        let heads = self.heads(self.upstream_head, confirmed_head, Some(&rebase), new.is_empty());
        let (confirmed, rewritten, decisions) = Default::default();
        Merge { confirmed, new, rebase: Some(rebase), rewritten, heads, decisions }
    }

    /// The number of events in the first pending commit, client-only ones included.
    pub(crate) fn first_commit_len(&self) -> usize {
        let behind = self.pending.iter().skip(1);
        let commit = self.pending.iter().zip(behind);
        let continued = commit.take_while(|(before, event)| event.is_of_the_commit_of(before));
        continued.count() + usize::from(!self.pending.is_empty())
    }
}
