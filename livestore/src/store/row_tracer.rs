//! Replaying the log, to see which rows of a table each event changes.

use std::ops::ControlFlow;

use super::HistoryError;
use super::tools::RowChange;
use crate::event::{EncodedEvent, SeqNum, commits, last_commit};
use crate::eventlog::Eventlog;
use crate::schema::SchemaDef;
use crate::state::{Replay, State, StateError, position_of};

/// The number of events that are read at once.
pub(super) const PAGE: usize = 1_024;

/// Receives each change of a row, and the event that made it. `None`: it is not known which row it was.
pub(super) type EachChange<'a> =
    &'a mut dyn FnMut(&EncodedEvent, Option<&RowChange>) -> ControlFlow<()>;

/// A state of its own that follows the log, with the changes of one table.
pub(super) struct RowTracer {
    state: State,
}

/// How a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traced {
    Whole,
    /// It was broken off.
    Stopped,
    /// The state is not what the log says: a commit failed whose beginning was applied before.
    Broken,
}

impl RowTracer {
    /// One that is at the beginning of the log. `None` if there is no such table.
    pub(super) fn new(
        schema: &'static SchemaDef,
        table: &str,
    ) -> Result<Option<Self>, HistoryError> {
        let state = State::empty(schema)?;
        let Some(position) = position_of(&state, table) else { return Ok(None) };
        state.watch_tables(|other| other == position).map_err(StateError::from)?;
        Ok(Some(Self { state }))
    }

    /// Replays the log up to `to`, and calls `each` with every change of a row of the table.
    pub(super) fn run(
        &mut self,
        log: &Eventlog,
        to: SeqNum,
        each: EachChange<'_>,
    ) -> Result<Traced, HistoryError> {
        let mut replay = Replay::new(log);
        let mut pages = log.pages(self.state.head, to).of(PAGE);
        let mut unfinished = Vec::new();
        loop {
            let mut events = std::mem::take(&mut unfinished);
            let page = pages.next_page()?;
            let is_last = page.is_empty();
            events.extend(page);
            if !is_last {
                unfinished = events.split_off(last_commit(&events));
            }
            for commit in commits(&events) {
                if self.commit(&mut replay, commit, each)?.is_break() {
                    return Ok(Traced::Stopped);
                }
            }
            if is_last {
                let is_broken = replay.is_broken() || self.state.savepoint_lost();
                return Ok(if is_broken { Traced::Broken } else { Traced::Whole });
            }
        }
    }

    fn commit(
        &mut self,
        replay: &mut Replay<'_>,
        commit: &[EncodedEvent],
        each: EachChange<'_>,
    ) -> Result<ControlFlow<()>, HistoryError> {
        for traced in self.state.trace(replay, commit)? {
            let rows = RowChange::all(&traced.changes, self.state.schema());
            let flow = match &rows {
                Some(rows) => rows.iter().try_for_each(|row| each(traced.event, Some(row))),
                None => each(traced.event, None),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Does the same with the events behind those that it has, and goes back then: they are pending.
    pub(super) fn run_pending(
        &mut self,
        log: &Eventlog,
        to: SeqNum,
        each: EachChange<'_>,
    ) -> Result<Traced, HistoryError> {
        self.state.begin_pending().map_err(StateError::from)?;
        let traced = self.run(log, to, each);
        self.state.rollback_pending().map_err(StateError::from)?;
        traced
    }
}
