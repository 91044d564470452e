//! A rebase: events of others come before pending ones, which are applied again behind them.

use super::END;
use crate::eventlog::{before, is_after};
use crate::sqlite::Change;
use crate::state::{Quarantined, Replay, ReplayError};
use crate::store::Core;
use crate::sync::merge::{Merge, Rebase};

impl Core {
    /// Takes the state back to the confirmed one, applies what came in between, and then the pending
    /// events again.
    pub(super) fn rebase(
        &mut self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        if !is_after(rebase.from, self.state.base()) {
            // Nothing lies above a savepoint.
            return self.rebuild(merge, rebase);
        }
        let mut changes = self.state.rollback_pending()?;
        // Beneath the savepoint, events may be missing that were confirmed since.
        self.replay_confirmed(before(rebase.from))?;
        changes.extend(self.state.take_changes());
        self.apply(changes, &merge.new, &rebase.pending)
    }

    /// A materializer has rolled back what is pending (`OR ROLLBACK`): applies it again.
    pub(super) fn reapply_pending(&mut self) -> Result<(), ReplayError> {
        let (head, confirmed) = (self.state.head, self.confirmed_head());
        let mut changes = self.state.rollback_pending()?;
        self.replay_confirmed(confirmed)?;
        changes.extend(self.state.take_changes());
        self.state.begin_pending()?;
        let mut replay = Replay::new(&self.log);
        replay.run(&mut self.state, head)?;
        changes.extend(self.state.take_changes());
        if replay.rebuild_if_broken(&mut self.state, END)? {
            self.restart_live()?;
        } else {
            self.update_live(&Change::net(changes));
        }
        self.state.head = head;
        Ok(())
    }
}
