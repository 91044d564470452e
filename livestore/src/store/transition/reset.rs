//! A reset: the app asks for the state to be rebuilt. The log does not change.

use crate::error::Unavailable;
use crate::live::deliver;
use crate::schema::Schema;
use crate::state::{Replay, ReplayError, State};
use crate::store::{Core, HistoryError, Store};

impl<S: Schema> Store<S> {
    /// Discards the state and rebuilds it from the whole eventlog. Quarantined events are tried
    /// again. Commits and queries wait meanwhile.
    ///
    /// # Errors
    /// See [`HistoryError`]; the old state stays.
    pub fn reset_state(&self) -> Result<(), HistoryError> {
        let mut slot = self.inner.core()?;
        let core = slot.as_mut().ok_or(Unavailable::Closed)?;
        core.reset()?;
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
        if self.sync.is_some() {
            replay.run_pending(&mut state, head)?;
        }
        state.head = head;
        state.limit(self.max_state_bytes)?;
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.start_over(replayed)?;
        }
        self.state = state;
        self.restart_live()
    }
}
