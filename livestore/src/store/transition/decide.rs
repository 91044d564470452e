//! Commands on a new base: they decide again, before the log is written.
//!
//! A [rebase](super::rebase) of events alone is written first, and then replayed. What a command decides
//! depends on the state, and what is written depends on the command: so the state goes ahead, above a savepoint,
//! and comes back if the log cannot be written.
//!
//! # Who decides
//!
//! The session that owns the log decides, and it alone. When a commit of another session arrives, the leader
//! executes its command behind everything that the log has by then: the other session may have decided before it
//! knew of that. When the backend's order comes first, the leader decides again for all sessions. It sends what was
//! decided, not the reasons for it; the session, which has its own decision in its state until then, takes it
//! over. So there is one decision for each commit and each base, made where the order is known, whatever the
//! others would have found; and a session that goes leaves nothing undecided behind.

use super::pull::{PlanError, Prepared};
use crate::event::EncodedEvent;
use crate::eventlog::{CommandNotes, Eventlog, MemoryLog, before, is_after};
use crate::sqlite::Change;
use crate::state::{Decided, Quarantined, Replay, ReplayError, State};
use crate::store::{Core, history};
use crate::sync::merge::{Merge, Rebase};

/// What was applied to the state, before the log has it.
struct Applied {
    decided: Decided,
    /// The changes when the pending events were rolled back.
    undone: Vec<Change>,
    /// Those, and all that follow.
    changes: Vec<Change>,
    quarantined: Vec<Quarantined>,
}

impl Core {
    /// Whether commands that the schema knows are put on a new base.
    pub(super) fn must_decide(&self, merge: &Merge) -> bool {
        let mut pending = merge.rebase.iter().flat_map(|rebase| &rebase.pending);
        pending.any(|event| self.has_command(event))
    }

    /// Whether a command that the schema knows has decided the commit that begins with this event.
    pub(in crate::store) fn has_command(&self, event: &EncodedEvent) -> bool {
        let command = event.command.as_ref();
        command.is_some_and(|command| self.state.schema().command(&command.name).is_some())
    }

    /// Has the commands decide: the merge has their events from then on.
    pub(super) fn decide(
        &mut self,
        merge: &mut Merge,
        rewrites: bool,
    ) -> Result<(Prepared, CommandNotes), PlanError> {
        let Some(rebase) = merge.rebase.clone() else {
            return Ok((Prepared::Nothing, CommandNotes::default()));
        };
        let is_above = !rewrites && is_after(rebase.from, self.state.base());
        let applied = if is_above { self.decide_above(merge, &rebase)? } else { None };
        let (decided, prepared) = match applied {
            Some(Applied { decided, undone, changes, quarantined }) => {
                (decided, Prepared::Applied { undone, changes, quarantined })
            }
            None => {
                let (decided, state) = self.decide_afresh(merge, &rebase)?;
                (decided, if rewrites { Prepared::Fresh(state) } else { Prepared::Remade(state) })
            }
        };
        let Decided { events, decisions, mut conflicts } = decided;
        // If the history was replaced, there is no such event any more.
        let decided_behind = (!rewrites).then(|| self.confirmed_head());
        conflicts.iter_mut().for_each(|conflict| conflict.decided_behind = decided_behind);
        merge.decide(events, decisions);
        let surplus = merge.decisions.all_surplus();
        let notes = CommandNotes { conflicts, surplus, ..CommandNotes::default() };
        Ok((prepared, notes))
    }

    /// Has them decide on the state of the store, above a savepoint. `None` if there is no savepoint any more.
    fn decide_above(
        &mut self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<Option<Applied>, PlanError> {
        let confirmed = merge.confirmed.last().map_or(self.confirmed_head(), |last| last.seq);
        let schema_hash = self.schema_hash()?;
        let undone = self.state.rollback_pending();
        let undone = undone.map_err(|error| PlanError::StateLost(error.into()))?;
        let mut replay = Replay::new(&self.log).unknown(&self.unknown_events);
        let syncs = self.order.syncs();
        let applied = self.state.within(self.max_state_bytes, |state| {
            state.begin_attempt()?;
            let mut changes = undone.clone();
            // What was confirmed since the savepoint was opened is in the log.
            replay.run(state, confirmed)?;
            replay.apply(state, &merge.new)?;
            changes.extend(state.take_changes());
            state.begin_pending()?;
            let check = super::commit::check_events(syncs);
            let (pending, head) = (&rebase.pending, merge.heads.confirmed);
            let decided = replay.decide(state, pending, (head, head), schema_hash, &check)?;
            changes.extend(state.take_changes());
            let is_whole = !replay.is_broken() && !state.savepoint_lost();
            Ok::<_, ReplayError>(is_whole.then_some((decided, changes)))
        });
        let quarantined = replay.into_quarantined();
        match applied {
            Ok(Some((decided, changes))) => {
                Ok(Some(Applied { decided, undone, changes, quarantined }))
            }
            Ok(None) => {
                self.undo_decision(undone).map_err(PlanError::StateLost)?;
                Ok(None)
            }
            Err(error) => {
                self.undo_decision(undone).map_err(PlanError::StateLost)?;
                Err(error.into())
            }
        }
    }

    /// Has the commands behind the first `fixed` pending events decide, on the state of the store. Returns
    /// whether that is to be made anew.
    pub(in crate::store) fn decide_behind(
        &mut self,
        pending: &[EncodedEvent],
        fixed: usize,
        syncs: bool,
    ) -> Result<(Decided, bool), ReplayError> {
        let (confirmed, schema_hash) = (self.confirmed_head(), self.schema_hash()?);
        let (fixed, left) = pending.split_at(fixed);
        let head = fixed.last().map_or(confirmed, |last| last.seq);
        let mut changes = self.state.rollback_pending()?;
        let mut replay = Replay::new(&self.log).unknown(&self.unknown_events);
        let decided = self.state.within(self.max_state_bytes, |state| {
            replay.run(state, confirmed)?;
            changes.extend(state.take_changes());
            state.begin_pending()?;
            replay.apply(state, fixed)?;
            let check = super::commit::check_events(syncs);
            let decided = replay.decide(state, left, (confirmed, head), schema_hash, &check)?;
            changes.extend(state.take_changes());
            Ok::<_, ReplayError>((decided, replay.is_broken() || state.savepoint_lost()))
        })?;
        self.update_live(&Change::net(changes));
        Ok(decided)
    }

    /// Makes the state what the log says, after commands have decided on it in vain.
    pub(super) fn undo_decision(&mut self, undone: Vec<Change>) -> Result<(), ReplayError> {
        let Some(state) = self.order.state() else { return Ok(()) };
        let (confirmed, head) = (state.confirmed_head, state.local_head);
        let pending: Vec<_> = state.pending.iter().cloned().collect();
        if self.state.undo_attempt()? {
            self.apply(undone, confirmed, &[], &pending)?;
        } else {
            self.rebuild_state(confirmed, head)?;
        }
        self.state.head = head;
        Ok(())
    }

    pub(in crate::store) fn schema_hash(&self) -> Result<i64, ReplayError> {
        Ok(self.state.schema().hash()?)
    }

    /// Has them decide on a state that is made anew.
    fn decide_afresh(
        &self,
        merge: &Merge,
        rebase: &Rebase,
    ) -> Result<(Decided, State), ReplayError> {
        let mut events = history::copy(&self.log, before(rebase.from))?;
        events.extend(merge.new.iter().cloned());
        let log = Eventlog::new(MemoryLog::with(events.clone()));
        let mut state = State::empty(self.state.schema())?;
        let mut replay = Replay::new(&log).unknown(&self.unknown_events);
        let confirmed = merge.heads.confirmed;
        replay.run(&mut state, confirmed)?;
        state.begin_pending()?;
        let check = super::commit::check_events(self.order.syncs());
        let (places, schema_hash) = ((confirmed, confirmed), self.schema_hash()?);
        let decided = replay.decide(&mut state, &rebase.pending, places, schema_hash, &check)?;
        if replay.is_broken() || state.savepoint_lost() {
            events.extend(decided.events.iter().cloned());
            let log = Eventlog::new(MemoryLog::with(events));
            state = self.make_state(&log, confirmed, super::END)?;
        }
        state.limit(self.max_state_bytes)?;
        Ok((decided, state))
    }
}
