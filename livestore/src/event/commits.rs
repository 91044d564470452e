//! Commits in a run of events: which events stand or fall together.

use std::sync::Arc;

use super::EncodedEvent;

impl EncodedEvent {
    /// Whether both events are of one commit, this one directly behind `before`.
    ///
    /// A claim is not enough: an event behind one of another session begins a commit, whatever it
    /// says. The rest of its own was cut off.
    pub(crate) fn is_of_the_commit_of(&self, before: &Self) -> bool {
        let is_same = |left: &Arc<str>, right: &Arc<str>| Arc::ptr_eq(left, right) || left == right;
        self.continues
            && is_same(&self.client_id, &before.client_id)
            && is_same(&self.session_id, &before.session_id)
    }
}

/// The commits that the events are, first to last. The first and the last may be parts of one.
pub(crate) fn commits(events: &[EncodedEvent]) -> impl Iterator<Item = &[EncodedEvent]> {
    events.chunk_by(|before, event| event.is_of_the_commit_of(before))
}

/// Where the last commit begins, which may go on behind these events.
pub(crate) fn last_commit(events: &[EncodedEvent]) -> usize {
    events.len() - commits(events).last().map_or(0, <[_]>::len)
}
