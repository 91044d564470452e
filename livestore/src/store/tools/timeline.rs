//! The states of the past, one after the other.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use super::RowChange;
use super::checkpoints::Checkpoints;
use crate::edge::primitives::{Mutex, lock};
use crate::error::Unavailable;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, before, is_after};
use crate::schema::SchemaDef;
use crate::state::{Replay, Snapshot, State, StateView, end_of_commit};
use crate::store::row_tracer::RowTracer;
use crate::store::{HistoryError, Inner};

/// The number of events behind a checkpoint that are looked at to find where its commit ends.
const PAGE: usize = 1_024;

/// The states of a store after each of its events, made by [`Tools::timeline`](super::Tools::timeline).
///
/// It has checkpoints in memory, of up to 256 MB: going from one event to another one replays the events
/// from the checkpoint before it. The first state of a part of the log is as slow as
/// [`Store::state_at`](crate::Store::state_at), unless [`prepare`](Self::prepare) was called.
pub struct Timeline {
    store: Weak<Inner>,
    checkpoints: Mutex<Checkpoints>,
}

/// What the store has at one moment.
struct Moment {
    store: Arc<Inner>,
    log: Eventlog,
    head: SeqNum,
    confirmed: SeqNum,
    history: u64,
    snapshot: Option<Snapshot>,
}

impl Timeline {
    pub(in crate::store) fn new(store: &Arc<Inner>) -> Self {
        Self { store: Arc::downgrade(store), checkpoints: Mutex::default() }
    }

    /// Returns the state as of the event `seq`. `e0` is the state before the first event.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn at(&self, seq: SeqNum) -> Result<StateView, HistoryError> {
        let moment = self.moment()?;
        let state = self.state(&moment, seq)?;
        Ok(StateView::new(state, Some(moment.store.schema_hash)))
    }

    /// Makes the checkpoints of the whole log, which takes a replay of it, and calls `progress` with the
    /// number of events that are done now and then, until it breaks.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn prepare(
        &self,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let moment = self.moment()?;
        let mut state = State::empty(moment.schema())?;
        self.advance(&moment, &mut state, moment.confirmed, &mut progress)
    }

    /// Returns the rows that the event `seq` has changed. `None` if it is not known which, because a
    /// table has more columns than are captured.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn changes(&self, seq: SeqNum) -> Result<Option<Vec<RowChange>>, HistoryError> {
        let moment = self.moment()?;
        let mut state = self.state(&moment, before(seq))?;
        let begin = state.head;
        state.watch_tables(|_| true).map_err(crate::state::StateError::from)?;
        Replay::new(&moment.log).run(&mut state, seq)?;
        if state.head == begin {
            return Err(HistoryError::NoSuchEvent { seq, head: begin });
        }
        Ok(RowChange::all(&state.take_changes(), moment.schema()))
    }

    /// Replays the whole log, and calls `each` with every change of a row of this table, the event that
    /// made it, and the row before and after. `None` for both: it is not known which row it was. Ends
    /// when it breaks.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn trace(
        &self,
        table: &str,
        mut each: impl FnMut(&EncodedEvent, Option<&RowChange>) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let moment = self.moment()?;
        if let Some(mut tracer) = RowTracer::new(moment.schema(), table)? {
            tracer.run(&moment.log, moment.head, &mut each)?;
        }
        Ok(())
    }

    fn moment(&self) -> Result<Moment, HistoryError> {
        let store = self.store.upgrade().ok_or(Unavailable::Closed)?;
        let moment = store.with_core(|core| Moment {
            store: Arc::clone(&store),
            log: core.log.clone(),
            head: core.state.head,
            confirmed: core.confirmed_head(),
            history: core.histories,
            snapshot: core.snapshots.as_ref().map(|snapshots| snapshots.snapshot().clone()),
        })?;
        lock(&self.checkpoints).belong_to(moment.history);
        Ok(moment)
    }

    fn state(&self, moment: &Moment, seq: SeqNum) -> Result<State, HistoryError> {
        if is_after(seq, moment.head) {
            return Err(HistoryError::NoSuchEvent { seq, head: moment.head });
        }
        let mut state = self.nearest(moment, seq)?;
        self.advance(moment, &mut state, seq, &mut |_| ControlFlow::Continue(()))?;
        // `before` a client-only event names a place, not an event.
        if is_after(seq, state.head) && seq.client != u64::MAX {
            return Err(HistoryError::NoSuchEvent { seq, head: state.head });
        }
        Ok(state)
    }

    /// The last state that is there, and not after `seq`.
    fn nearest(&self, moment: &Moment, seq: SeqNum) -> Result<State, HistoryError> {
        let checkpoint = lock(&self.checkpoints).nearest(seq);
        if let Some(found) = checkpoint {
            return Ok(State::of_bytes(
                moment.schema(),
                found.head,
                found.bytes(),
                found.length(),
            )?);
        }
        let confirmed = if is_after(seq, moment.confirmed) { moment.confirmed } else { seq };
        let snapshot = moment.snapshot.as_ref();
        let read = |snapshot: &Snapshot| snapshot.read(moment.schema(), confirmed, &mut |_, _| ());
        match snapshot.map(read) {
            Some(Ok((mut state, _))) => {
                self.add(moment, &mut state)?;
                Ok(state)
            }
            _ => Ok(State::empty(moment.schema())?),
        }
    }

    /// Applies events up to `to`, and adds checkpoints on the way.
    fn advance(
        &self,
        moment: &Moment,
        state: &mut State,
        to: SeqNum,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let mut done = 0;
        while is_after(to, state.head) {
            let interval = lock(&self.checkpoints).interval();
            let next = self.end_of_step(moment, state.head, interval)?;
            let Some(next) = next.filter(|next| is_after(to, *next)) else {
                Replay::new(&moment.log).run(state, to)?;
                return Ok(());
            };
            done += Replay::new(&moment.log).run(state, next)?;
            if !is_after(next, moment.confirmed) {
                self.add(moment, state)?;
            }
            if progress(done).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The end of the commit that comes about this many events after `from`. `None` if the log ends.
    fn end_of_step(
        &self,
        moment: &Moment,
        from: SeqNum,
        interval: usize,
    ) -> Result<Option<SeqNum>, HistoryError> {
        let Some(next) = moment.log.skip(from, interval)? else { return Ok(None) };
        let behind = moment.log.read(next, PAGE)?;
        Ok(Some(end_of_commit(next, &behind)))
    }

    fn add(&self, moment: &Moment, state: &mut State) -> Result<(), HistoryError> {
        if let Some(bytes) = state.bytes().map_err(crate::state::StateError::from)? {
            lock(&self.checkpoints).add(state.head, &bytes, moment.history);
        }
        Ok(())
    }
}

impl Moment {
    fn schema(&self) -> &'static SchemaDef {
        self.store.schema
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").finish_non_exhaustive()
    }
}
