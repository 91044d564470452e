//! What a backend has settled, into the log and the state.
//!
//! The log first: from there on it is true, and the state follows. A rebase takes the state back to
//! the confirmed one, applies what came in between, and then the pending events again. Live queries
//! hear of all that as one change.

use super::Core;
use crate::ambient::new_id;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, Settlement, Upstream, is_after};
use crate::live::enqueue;
use crate::sqlite::Change;
use crate::state::{Quarantined, Replay, ReplayError, State, StateError, UnknownEvents};
use crate::sync::engine::Engine;
use crate::sync::merge::{Advance, Outcome, Rebase, SyncState};

/// Why something could not be settled.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettleError {
    /// Nothing has happened: the log could not be written.
    #[error(transparent)]
    Log(EventlogError),
    /// The log has it, and the state is lost: it has to be made again.
    #[error("the state cannot follow the log: {0}")]
    State(StateError),
    /// The log has it, and the state cannot be made from it: the state is lost, too.
    #[error("the state cannot be made from the log: {0}")]
    Replay(EventlogError),
}

impl<E: Into<StateError>> From<E> for SettleError {
    fn from(error: E) -> Self {
        Self::State(error.into())
    }
}

impl From<ReplayError> for SettleError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::State(error) => Self::State(error),
            ReplayError::Eventlog(error) => Self::Replay(error),
            // Neither happens: unknown events are let pass, and nobody stops it.
            ReplayError::Unknown { .. } | ReplayError::Stopped => {
                Self::Replay(EventlogError::Closed)
            }
        }
    }
}

/// What the log knows about its backend: how far they agree, and what is pending.
pub(super) fn sync_state(log: &Eventlog) -> Result<(SyncState, Option<String>), EventlogError> {
    let upstream = log.upstream()?.unwrap_or_default();
    let mut state = SyncState { upstream_head: SeqNum::new(upstream.head), ..SyncState::default() };
    // The last confirmed event and the client-only ones behind it, and then what is pending.
    let before =
        SeqNum { global: upstream.head.saturating_sub(1), client: u64::MAX, generation: 0 };
    let mut pages = log.pages(if upstream.head == 0 { SeqNum::ROOT } else { before }, LAST);
    loop {
        let page = pages.next_page()?;
        if page.is_empty() {
            break;
        }
        for event in page {
            state.local_head = event.seq;
            if event.seq.global <= upstream.head {
                state.confirmed_head = event.seq;
            } else {
                state.pending.push_back(event);
            }
        }
    }
    let generation = &mut state.local_head.generation;
    *generation = (*generation).max(upstream.generation);
    Ok((state, upstream.backend_id))
}

const LAST: SeqNum = SeqNum { global: u64::MAX, client: u64::MAX, generation: 0 };

impl Core {
    /// Writes and applies what the engine has settled. Says which events could not be applied.
    pub(super) fn settle(
        &mut self,
        outcome: &Outcome,
        session_id: &str,
    ) -> Result<Vec<Quarantined>, SettleError> {
        let Some(engine) = &self.sync else { return Ok(Vec::new()) };
        let (advance, from) = match outcome {
            Outcome::Advance(advance) => (advance, None),
            Outcome::Rebase(Rebase { advance, from }) => (advance, Some(*from)),
            Outcome::Reject { .. } => return Ok(Vec::new()),
        };
        let new_log = self.starts_over(from).map_err(SettleError::Log)?.then(new_id);
        write(&self.log, engine, advance, from, new_log.as_deref()).map_err(SettleError::Log)?;
        let (local_head, is_settled) =
            (engine.state().local_head, engine.state().pending.is_empty());
        let mut failed = Vec::new();
        match (from, new_log) {
            (None, _) if is_settled => self.advance(&advance.new, session_id, &mut failed)?,
            (None, _) => {}
            (Some(_), Some(log_id)) => self.start_over(log_id, session_id)?,
            (Some(from), None) => self.rebase(from, &advance.new, session_id, &mut failed)?,
        }
        self.state.head = local_head;
        Ok(failed)
    }

    /// Whether confirmed events are taken out.
    fn starts_over(&self, from: Option<SeqNum>) -> Result<bool, EventlogError> {
        let Some(from) = from else { return Ok(false) };
        let confirmed = self.log.upstream()?.unwrap_or_default().end();
        Ok(!is_after(from, confirmed) || !is_after(from, self.state.base()))
    }

    /// All that was pending is confirmed, and new events come behind it.
    fn advance(
        &mut self,
        new: &[EncodedEvent],
        session_id: &str,
        failed: &mut Vec<Quarantined>,
    ) -> Result<(), SettleError> {
        self.state.release()?;
        apply(&self.log, &self.unknown_events, &mut self.state, new, failed)?;
        let changes = self.state.take_changes();
        self.state.hold()?;
        self.tell(&changes, session_id)
    }

    /// Other events came first.
    fn rebase(
        &mut self,
        from: SeqNum,
        new: &[EncodedEvent],
        session_id: &str,
        failed: &mut Vec<Quarantined>,
    ) -> Result<(), SettleError> {
        let mut changes = self.state.rewind()?;
        if mutant!("tell live queries nothing of a rollback") {
            changes.clear();
        }
        // The confirmed state may be older than what is confirmed.
        replay(&self.log, &mut self.state, before(from))?;
        apply(&self.log, &self.unknown_events, &mut self.state, new, failed)?;
        changes.extend(self.state.take_changes());
        self.state.hold()?;
        changes.extend(self.apply_pending(failed)?);
        self.tell(&Change::net(changes), session_id)
    }

    /// The log is another one: so is the state.
    fn start_over(&mut self, log_id: String, session_id: &str) -> Result<(), SettleError> {
        if let Some(snapshots) = self.snapshots.take() {
            self.snapshots = Some(snapshots.start_over(log_id)?);
        }
        let upstream = self.log.upstream().map_err(SettleError::Replay)?.unwrap_or_default();
        self.state = State::empty(self.state.schema())?;
        replay(&self.log, &mut self.state, upstream.end())?;
        self.state.hold()?;
        self.apply_pending(&mut Vec::new())?;
        self.steady()?;
        enqueue(self.live.restart(&self.state.reader(session_id))?);
        Ok(())
    }

    /// A materializer has rolled back everything that was pending: apply it again.
    pub(super) fn apply_again(&mut self, session_id: &str) -> Result<(), SettleError> {
        let head = self.state.head;
        let mut changes = self.state.rewind()?;
        let upstream = self.log.upstream().map_err(SettleError::Replay)?.unwrap_or_default();
        replay(&self.log, &mut self.state, upstream.end())?;
        changes.extend(self.state.take_changes());
        self.state.hold()?;
        changes.extend(self.apply_pending(&mut Vec::new())?);
        self.tell(&Change::net(changes), session_id)?;
        self.state.head = head;
        Ok(())
    }

    fn apply_pending(&mut self, failed: &mut Vec<Quarantined>) -> Result<Vec<Change>, SettleError> {
        if let Some(engine) = &mut self.sync {
            let pending = engine.pending();
            apply(&self.log, &self.unknown_events, &mut self.state, pending, failed)?;
        }
        Ok(self.state.take_changes())
    }

    fn tell(&mut self, changes: &[Change], session_id: &str) -> Result<(), SettleError> {
        if self.steady()? {
            enqueue(self.live.restart(&self.state.reader(session_id))?);
        } else if !changes.is_empty() {
            enqueue(self.live.apply(changes, &self.state.reader(session_id)));
        }
        Ok(())
    }

    /// Makes the state anew if what is pending cannot be held.
    fn steady(&mut self) -> Result<bool, SettleError> {
        Ok(Replay::quiet(&self.log).steady(&mut self.state, LAST)?)
    }
}

fn write(
    log: &Eventlog,
    engine: &Engine,
    advance: &Advance,
    from: Option<SeqNum>,
    log_id: Option<&str>,
) -> Result<(), EventlogError> {
    let state = engine.state();
    let rebased = state.pending.iter().filter(|_| from.is_some());
    log.settle(&Settlement {
        confirmed: &advance.confirmed,
        from,
        added: advance.new.iter().chain(rebased).collect(),
        upstream: &Upstream {
            backend_id: engine.backend_id().map(str::to_owned),
            head: state.upstream_head.global,
            generation: match mutant!("keep no generation in the log") {
                true => 0,
                false => state.local_head.generation,
            },
        },
        log_id,
    })
}

/// The place before an event's: whatever is up to there stands before it.
fn before(seq: SeqNum) -> SeqNum {
    match seq.client.checked_sub(1) {
        Some(client) => SeqNum { client, ..seq },
        None => SeqNum { global: seq.global.saturating_sub(1), client: u64::MAX, generation: 0 },
    }
}

fn apply(
    log: &Eventlog,
    unknown: &UnknownEvents,
    state: &mut State,
    events: &[EncodedEvent],
    failed: &mut Vec<Quarantined>,
) -> Result<(), SettleError> {
    let mut replay = Replay { unknown, quarantined: Some(failed), ..Replay::quiet(log) };
    Ok(replay.apply(state, events)?)
}

fn replay(log: &Eventlog, state: &mut State, to: SeqNum) -> Result<(), SettleError> {
    Replay::quiet(log).run(state, to)?;
    Ok(())
}
