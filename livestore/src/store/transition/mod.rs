//! Transitions: the ways in which a store's log changes, one to a file.
//!
//! Each has three steps, which its file shows from top to bottom:
//!
//! 1. **Plan.** Compute, as a value, how the log has to change. Nothing has happened yet.
//! 2. **Write.** The log takes all of it or nothing. If that fails, there is nothing to undo.
//! 3. **Publish.** Move the engine, the state and the live queries. The log is true by then: if the
//!    state cannot follow it, the store closes, and the next open rebuilds the state.
//!
//! | transition | when |
//! |---|---|
//! | [`commit`] | the app commits events |
//! | [`execute`] | the app executes a command, which decides on the events |
//! | [`pull`] | the backend sends events, and gives pending ones their place |
//! | [`rebase`] | … and others come before pending ones |
//! | [`decide`] | … and commands are among those, which decide again |
//! | [`start_over`] | confirmed events leave the log, because the backend has changed |
//! | [`reset`] | the app asks for the state to be rebuilt; the log does not change |

mod commit;
mod decide;
mod execute;
mod observed;
mod pull;
mod rebase;
mod reset;
mod start_over;

pub use commit::Committed;
pub(super) use commit::check_events;
pub use execute::{ExecuteError, Executed};
pub(super) use pull::{Prepared, Turn};

use super::Core;
use crate::event::{EncodedEvent, SeqNum, commits};
use crate::live::enqueue;
use crate::sqlite::Change;
use crate::state::{Quarantined, Replay, ReplayError};

/// Behind every event.
const END: SeqNum = SeqNum { global: u64::MAX, client: u64::MAX, generation: 0 };

impl Core {
    /// Applies events that are in the log: to the confirmed state those up to `confirmed` and the
    /// `new` ones behind them, and above it the `pending` ones. The live queries see that and the
    /// `earlier` changes as one change. Returns the events that could not be applied.
    pub(in crate::store) fn apply(
        &mut self,
        earlier: Vec<Change>,
        confirmed: SeqNum,
        new: &[EncodedEvent],
        pending: &[EncodedEvent],
    ) -> Result<Vec<Quarantined>, ReplayError> {
        let mut replay = Replay::new(&self.log).unknown(&self.unknown_events);
        let is_net = earlier.is_empty() && pending.is_empty();
        let mut changes = earlier;
        let is_rebuilt = self.state.within(self.max_state_bytes, |state| {
            replay.run(state, confirmed)?;
            replay.apply(state, new)?;
            changes.extend(state.take_changes());
            changes.extend(replay.apply_pending(state, pending)?);
            changes.extend(state.take_changes());
            replay.rebuild_if_broken(state, END)
        })?;
        let quarantined = replay.into_quarantined();
        if is_rebuilt {
            self.restart_live()?;
        } else {
            self.update_live(&if is_net { changes } else { Change::net(changes) });
        }
        Ok(quarantined)
    }

    /// Applies events that are in the log behind all others. Returns those that could not be applied.
    pub(in crate::store) fn append(
        &mut self,
        events: &[EncodedEvent],
    ) -> Result<Vec<Quarantined>, ReplayError> {
        let mut replay = Replay::new(&self.log).unknown(&self.unknown_events);
        let mut changes = Vec::new();
        let (is_tracked, rows) = (self.pending_rows.is_on(), &mut self.pending_rows);
        let is_rebuilt = self.state.within(self.max_state_bytes, |state| {
            let of_each = || commits(events).collect();
            for part in if is_tracked { of_each() } else { vec![events] } {
                replay.apply(state, part)?;
                if let Some(last) = part.last().filter(|_| is_tracked) {
                    let new = state.take_changes();
                    rows.note(last.seq, &new);
                    changes.extend(new);
                }
            }
            replay.rebuild_if_broken(state, END)
        })?;
        if self.state.savepoint_lost() {
            let mut quarantined = self.reapply_pending(events)?;
            self.find_pending_rows()?;
            quarantined.retain(|found| events.iter().any(|event| event.seq == found.seq));
            return Ok(quarantined);
        }
        let quarantined = replay.into_quarantined();
        if is_rebuilt {
            self.restart_live()?;
        } else {
            changes.extend(self.state.take_changes());
            self.update_live(&changes);
            self.state.recycle_changes(changes);
        }
        if is_tracked {
            self.confirm_pending_rows(self.confirmed_head());
        }
        Ok(quarantined)
    }

    /// Brings the live queries up to date with changes to rows. Their subscribers are notified once
    /// no lock is held.
    pub(in crate::store) fn update_live(&mut self, changes: &[Change]) {
        self.log_version.advance();
        if !changes.is_empty() {
            enqueue(self.live.apply(changes, &self.state.reader(&self.window_id)));
        }
    }

    /// Runs every live query again, because the state was rebuilt.
    fn restart_live(&mut self) -> Result<(), ReplayError> {
        self.log_version.advance();
        enqueue(self.live.restart(&self.state.reader(&self.window_id))?);
        Ok(())
    }
}
