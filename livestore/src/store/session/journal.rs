//! Where a session without files keeps its commits until the leader has them.

use crate::session::Recovered;

/// A place that outlives the session, such as a browser's `localStorage`. The session's commits are in it
/// until the leader has acknowledged them: a page may be gone before a message of its is on its way.
pub trait Journal: Send + Sync {
    /// Adds a commit, behind which the session has committed this many events.
    fn add(&self, end: u64, commit: Vec<u8>);

    /// Removes the commits up to the one behind which the session has committed this many events.
    fn remove(&self, end: u64);
}

/// What a session has of its journal.
pub(super) struct Journaling {
    journal: Box<dyn Journal>,
    /// The number of events that the session has committed.
    committed: u64,
    /// The number of those that the leader has acknowledged.
    acknowledged: u64,
}

impl Journaling {
    pub(super) fn new(journal: Box<dyn Journal>) -> Self {
        Self { journal, committed: 0, acknowledged: 0 }
    }

    /// Adds a commit of this many events, as it is sent.
    pub(super) fn commit(&mut self, events: usize, message: &[u8]) {
        let commit = Recovered::encode(self.committed, message);
        self.committed += events as u64;
        self.journal.add(self.committed, commit);
    }

    /// Notes how many of the session's events the leader has not acknowledged.
    pub(super) fn left(&mut self, events: usize) {
        let acknowledged = self.committed - events as u64;
        if acknowledged != self.acknowledged {
            self.acknowledged = acknowledged;
            self.journal.remove(acknowledged);
        }
    }
}

impl std::fmt::Debug for Journaling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journaling").field("committed", &self.committed).finish_non_exhaustive()
    }
}
