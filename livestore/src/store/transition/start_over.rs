//! Starting over: confirmed events have left the log, because the backend has changed.

use super::END;
use crate::event::SeqNum;
use crate::eventlog::{before, is_after};
use crate::state::{Quarantined, Replay, ReplayError, State};
use crate::store::Core;
use crate::sync::merge::{Merge, Rebase};

impl Core {
    /// Removes the snapshot of the old history, and rebuilds the state.
    pub(super) fn start_over(
        &mut self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.start_over(0)?;
        }
        self.rebuild(merge, rebase)
    }

    /// Rebuilds the state from the whole log. Of the events that the rebase has moved or added,
    /// returns those that could not be applied.
    pub(super) fn rebuild(
        &mut self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        self.rebuild_state(merge.heads.confirmed, END)?;
        let first = merge.new.first().map_or(rebase.from, |new| new.seq.min(rebase.from));
        let mut quarantined = self.state.quarantined()?;
        quarantined.retain(|event| is_after(event.seq, before(first)));
        Ok(quarantined)
    }

    /// Makes the state from the whole log: what comes behind `confirmed`, up to `head`, is pending.
    pub(super) fn rebuild_state(
        &mut self,
        confirmed: SeqNum,
        head: SeqNum,
    ) -> Result<(), ReplayError> {
        self.state = State::empty(self.state.schema())?;
        let mut replay = Replay::new(&self.log).unknown(&self.unknown_events);
        replay.run(&mut self.state, confirmed)?;
        replay.run_pending(&mut self.state, head)?;
        self.state.limit(self.max_state_bytes)?;
        self.restart_live()
    }
}
