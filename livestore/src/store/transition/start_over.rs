//! Starting over: confirmed events leave the log, because the backend has changed.

use super::END;
use crate::error::ErrorChain;
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, MemoryLog, before, is_after};
use crate::state::{Quarantined, Replay, ReplayError, State};
use crate::store::order::Order;
use crate::store::{Core, history};
use crate::sync::merge::{Merge, Rebase};

impl Core {
    /// Makes the state of the log that is to be. Once that is written, the old history is gone: so a
    /// state that has no room is found before.
    pub(super) fn plan_start_over(
        &self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<State, ReplayError> {
        let mut events = history::copy(&self.log, before(rebase.from))?;
        events.extend(merge.new.iter().chain(&rebase.pending).cloned());
        let log = Eventlog::new(MemoryLog::with(events));
        self.make_state(&log, merge.heads.confirmed, END)
    }

    /// Goes over to the state of the new log, and removes the snapshot of the old one.
    pub(super) fn start_over(
        &mut self,
        state: State,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        if let Some(snapshots) = &mut self.snapshots
            && let Err(error) = snapshots.start_over(0)
        {
            let error = ErrorChain::new(&error);
            tracing::warn!(%error, "the snapshot of the old history stays, and will not be used");
        }
        self.state = state;
        self.restart_live()?;
        self.quarantined_from(merge, rebase)
    }

    /// Rebuilds the state from the whole log. Of the events that the rebase has moved or added,
    /// returns those that could not be applied.
    pub(in crate::store) fn rebuild(
        &mut self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        self.rebuild_state(merge.heads.confirmed, END)?;
        self.quarantined_from(merge, rebase)
    }

    pub(super) fn quarantined_from(
        &self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Vec<Quarantined>, ReplayError> {
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
        // The old one makes room first.
        self.state = State::empty(self.state.schema())?;
        self.state = self.make_state(&self.log, confirmed, head)?;
        self.restart_live()
    }

    /// Makes the state from the log, as it is.
    pub(in crate::store) fn restore(&mut self) -> Result<(), ReplayError> {
        let head = self.state.head;
        self.rebuild_state(self.confirmed_head(), END)?;
        if let Order::Own = self.order {
            self.state.confirm_pending()?;
        }
        self.state.head = head;
        Ok(())
    }

    pub(super) fn make_state(
        &self,
        log: &Eventlog,
        confirmed: SeqNum,
        head: SeqNum,
    ) -> Result<State, ReplayError> {
        let mut state = State::empty(self.state.schema())?;
        let mut replay = Replay::new(log).unknown(&self.unknown_events);
        replay.run(&mut state, confirmed)?;
        replay.run_pending(&mut state, head)?;
        state.limit(self.max_state_bytes)?;
        Ok(state)
    }
}
