//! A rebase: events of others come before pending ones, which are applied again behind them.

use crate::event::EncodedEvent;
use crate::eventlog::is_after;
use crate::state::{Quarantined, ReplayError};
use crate::store::Core;
use crate::sync::merge::{Merge, Rebase};

impl Core {
    /// Rolls the state back to the confirmed one, applies the events that came in between, and then
    /// the pending ones again.
    pub(super) fn rebase(
        &mut self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        if !is_after(rebase.from, self.state.base()) {
            // The pending events do not lie above a savepoint.
            return self.rebuild(merge, rebase);
        }
        let changes = self.state.rollback_pending()?;
        // Beneath the savepoint, events may be missing that were confirmed since.
        let confirmed = merge.confirmed.last().map_or(self.confirmed_head(), |last| last.seq);
        self.apply(changes, confirmed, &merge.new, &rebase.pending)
    }

    /// Applies the pending events again, and the `new` ones behind them, after a materializer has rolled
    /// them back (`OR ROLLBACK`).
    pub(in crate::store) fn reapply_pending(
        &mut self,
        new: &[EncodedEvent],
    ) -> Result<Vec<Quarantined>, ReplayError> {
        let Some(state) = self.order.state() else { return Ok(Vec::new()) };
        let (head, confirmed) = (self.state.head, state.confirmed_head);
        let pending: Vec<_> = state.pending.iter().chain(new).cloned().collect();
        let changes = self.state.rollback_pending()?;
        let quarantined = self.apply(changes, confirmed, &[], &pending)?;
        self.state.head = new.last().map_or(head, |last| last.seq);
        Ok(quarantined)
    }
}
