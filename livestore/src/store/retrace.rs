//! Applying the pending events once more, one commit at a time, to see what each does.
//!
//! A rebase applies them all at once, as nearly always nobody asks. Undo does, and who shows which rows are
//! pending.

use super::Core;
use super::undo::Renewal;
use crate::event::{EncodedEvent, SeqNum, commits};
use crate::eventlog::is_after;
use crate::sqlite::Change;
use crate::state::{Replay, ReplayError};

impl Core {
    /// Sees what the pending commits do, if anybody asks: what undoes them, and which rows they change. They lie
    /// above the confirmed state, which is the one behind the event `confirmed`.
    pub(super) fn retrace(
        &mut self,
        pending: &[EncodedEvent],
        confirmed: SeqNum,
    ) -> Result<(), ReplayError> {
        self.pending_rows.clear();
        let mut renewal = self.undo.renewal(pending);
        if !pending.is_empty() && (renewal.is_needed() || self.pending_rows.is_on()) {
            let is_above = pending.first().is_some_and(|it| is_after(it.seq, self.state.base()));
            if !(is_above && self.apply_each(pending, confirmed, &mut renewal)?) {
                renewal.give_up();
                self.pending_rows.clear();
                pending.iter().for_each(|event| self.pending_rows.note_unknown(event.seq));
            }
            self.change_undo(renewal.into_changes());
        }
        self.confirm_pending_rows(confirmed);
        Ok(())
    }

    /// Returns whether that worked. If not, the state is right all the same.
    fn apply_each(
        &mut self,
        pending: &[EncodedEvent],
        confirmed: SeqNum,
        renewal: &mut Renewal,
    ) -> Result<bool, ReplayError> {
        let log = self.log.clone();
        let mut replay = Replay::new(&log);
        let mut changes = self.state.rollback_pending()?;
        let (window_id, rows) = (&*self.window_id, &mut self.pending_rows);
        let is_whole = self.state.within(self.max_state_bytes, |state| {
            // What was confirmed since the savepoint was opened is in the log.
            replay.run(state, confirmed)?;
            changes.extend(state.take_changes());
            state.begin_pending()?;
            for (n, commit) in commits(pending).enumerate() {
                renewal.before(n, state, commit, window_id)?;
                replay.apply(state, commit)?;
                renewal.behind(n, state, commit, window_id);
                let new = state.take_changes();
                if let Some(last) = commit.last() {
                    rows.note(last.seq, &new);
                }
                changes.extend(new);
            }
            Ok::<_, ReplayError>(!replay.is_broken() && !state.savepoint_lost())
        })?;
        if is_whole {
            self.update_live(&Change::net(changes));
        } else {
            changes.extend(self.state.rollback_pending()?);
            self.apply(changes, confirmed, &[], pending)?;
        }
        Ok(is_whole)
    }
}
