//! Waiting for another program that has the file locked, such as a backup.

use std::time::Duration;

use crate::edge::pause;

/// How long to wait for another program, in all.
pub(super) const MAX_BUSY: Duration = Duration::from_millis(500);

/// The first pause; the next ones are twice as long each, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(1);

const LONGEST: Duration = Duration::from_millis(32);

/// The pauses between attempts, while the file is locked.
#[derive(Debug)]
pub(crate) struct Patience {
    next: Duration,
    left: Duration,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { next: FIRST, left: MAX_BUSY }
    }

    /// Waits before the next attempt; false when it is time to give up. Call it while no lock is held
    /// that a query needs.
    pub(crate) fn wait(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(self.next) else { return false };
        self.left = left;
        let waited = pause(self.next);
        self.next = LONGEST.min(self.next * 2);
        waited
    }
}
