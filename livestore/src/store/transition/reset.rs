//! A reset: the app asks for the state to be rebuilt. The log does not change.

use crate::error::Unavailable;
use crate::event::SeqNum;
use crate::live::deliver;
use crate::schema::Schema;
use crate::session::{Command, FromLeader};
use crate::state::{Replay, ReplayError, State};
use crate::store::{Core, HistoryError, Inner, Store};

impl<S: Schema> Store<S> {
    /// Discards the state and rebuilds it from the whole eventlog. Quarantined events are tried
    /// again. Commits and queries wait meanwhile.
    ///
    /// # Errors
    /// See [`HistoryError`]; the old state stays.
    pub fn reset_state(&self) -> Result<(), HistoryError> {
        self.inner.reset()
    }
}

impl Inner {
    /// Resets the state of this session, and has all others reset theirs.
    pub(in crate::store) fn reset(&self) -> Result<(), HistoryError> {
        let mut slot = self.core()?;
        let core = slot.as_mut().ok_or(Unavailable::Closed)?;
        match core.order.follower_mut() {
            // It resets itself, and all sessions with it.
            Some(follower) => {
                follower.command(Command::Reset);
                if follower.log().begins_after() != SeqNum::ROOT {
                    // This one, too: it needs all events for that.
                    return Ok(());
                }
            }
            None => core.broadcast(|| FromLeader::Reset),
        }
        core.reset()?;
        drop(slot);
        deliver();
        Ok(())
    }

    /// Resets the state of this session alone.
    pub(in crate::store) fn reset_here(&self) -> Result<(), HistoryError> {
        let mut slot = self.core()?;
        slot.as_mut().ok_or(Unavailable::Closed)?.reset()?;
        drop(slot);
        deliver();
        Ok(())
    }
}

impl Core {
    fn reset(&mut self) -> Result<(), ReplayError> {
        let head = self.state.head;
        let mut state = State::empty(self.state.schema())?;
        let mut replay = Replay::new(&self.log);
        let replayed = replay.run(&mut state, self.confirmed_head())?;
        if self.order.state().is_some() {
            replay.run_pending(&mut state, head)?;
        }
        state.head = head;
        state.limit(self.max_state_bytes)?;
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.start_over(replayed)?;
        }
        self.state = state;
        self.restart_live()?;
        self.find_pending_rows()
    }
}
