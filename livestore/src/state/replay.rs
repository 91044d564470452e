//! State from events.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{QuarantineReason, Quarantined, State, StateError};
use crate::edge::read_ahead;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, is_after};

/// Events that are read at once.
const PAGE: usize = 8_192;

/// Events per report of progress.
const STEP: usize = 512;

/// How far the opening of a store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Boot {
    /// What is being done.
    pub stage: BootStage,
    /// How many events, or bytes, are done.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// What is being done while a store opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BootStage {
    /// The snapshot is read; counts bytes.
    Snapshot,
    /// Events are replayed; counts events.
    Replay,
    /// The store is open.
    Done,
}

/// What to do about events that the schema does not know, written by a newer version of the app.
///
/// Whatever it is, the event stays in the log and is materialized once the schema knows it.
#[derive(Default)]
#[non_exhaustive]
pub enum UnknownEvents {
    /// Skip them, with a warning through `tracing`.
    #[default]
    Warn,
    /// Skip them.
    Ignore,
    /// Do not open the store. In an open one, an event that comes by sync is skipped.
    Fail,
    /// Skip them, and call this.
    Call(Box<dyn Fn(&EncodedEvent) + Send + Sync>),
}

impl fmt::Debug for UnknownEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warn => "Warn",
            Self::Ignore => "Ignore",
            Self::Fail => "Fail",
            Self::Call(_) => "Call",
        })
    }
}

/// Why a replay stopped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ReplayError {
    Eventlog(EventlogError),
    State(StateError),
    Unknown {
        seq: SeqNum,
        name: String,
    },
    /// Nobody wants the state any more.
    Stopped,
}

impl<E: Into<StateError>> From<E> for ReplayError {
    fn from(error: E) -> Self {
        Self::State(error.into())
    }
}

/// How to replay.
pub(crate) struct Replay<'a> {
    pub(crate) log: &'a Eventlog,
    pub(crate) unknown: &'a UnknownEvents,
    /// Called every so many events with the number of events replayed so far; may stop it.
    pub(crate) progress: Option<&'a mut dyn FnMut(u64) -> ControlFlow<()>>,
    /// Where to note events that could not be applied.
    pub(crate) quarantined: Option<&'a mut Vec<Quarantined>>,
}

impl<'a> Replay<'a> {
    /// One that says nothing to anybody.
    pub(crate) fn quiet(log: &'a Eventlog) -> Self {
        Self { log, unknown: &UnknownEvents::Ignore, progress: None, quarantined: None }
    }

    /// Brings `state` from its head to the event `to`; says how many events that took.
    pub(crate) fn run(&mut self, state: &mut State, to: SeqNum) -> Result<u64, ReplayError> {
        let span = tracing::info_span!("replay", from = %state.head, %to);
        let _entered = span.enter();
        self.check_known(state)?;
        let mut done = 0;
        if !is_after(to, state.head) {
            return Ok(done);
        }
        let mut pages = self.log.pages(state.head, to).of(PAGE);
        let read = move || match pages.next_page() {
            Ok(page) if page.is_empty() => None,
            page => Some(page),
        };
        // Where the open savepoint began.
        let mut began: Option<SeqNum> = None;
        let worked = read_ahead(read, |page| {
            let page = page.map_err(ReplayError::Eventlog)?;
            if began.is_none() {
                state.begin()?;
                began = Some(state.head);
            }
            if !self.applies(state, &page, done)? {
                state.undo()?;
                if let Some(began) = began.take() {
                    self.again(state, began, done)?;
                }
                self.one_by_one(state, &page)?;
                self.report(done + page.len() as u64)?;
            }
            state.head = page.last().map_or(state.head, |event| event.seq);
            done += page.len() as u64;
            Ok::<(), ReplayError>(())
        });
        match (worked, began) {
            (Ok(()), Some(_)) => state.keep()?,
            (Err(error), Some(began)) => {
                state.undo()?;
                state.head = began;
                return Err(error);
            }
            (worked, None) => worked?,
        }
        Ok(done)
    }

    /// Applies the page under the savepoint that is open; says whether every event of it could be.
    /// `before`: how many events were replayed before the page.
    ///
    /// Nearly always every event of a log applies, and one savepoint does for all of them: SQLite
    /// copies a page of the state once for each savepoint that it changes in.
    fn applies(
        &mut self,
        state: &State,
        page: &[EncodedEvent],
        before: u64,
    ) -> Result<bool, ReplayError> {
        let mut done = before;
        for step in page.chunks(STEP) {
            if !step.iter().all(|event| is_applied(state, event)) {
                return Ok(false);
            }
            done += step.len() as u64;
            self.report(done)?;
        }
        Ok(true)
    }

    /// Applies the events after `from` up to the state's head once more: they were undone together
    /// with an event that could not be applied. `done`: how many events were reported already.
    fn again(&mut self, state: &State, from: SeqNum, done: u64) -> Result<(), ReplayError> {
        if !is_after(state.head, from) {
            return Ok(());
        }
        let mut pages = self.log.pages(from, state.head).of(PAGE);
        loop {
            let page = pages.next_page().map_err(ReplayError::Eventlog)?;
            if page.is_empty() {
                return Ok(());
            }
            self.page(state, &page)?;
            self.report(done)?;
        }
    }

    /// Applies these events, which are in the log behind the state's.
    pub(crate) fn apply(
        &mut self,
        state: &mut State,
        events: &[EncodedEvent],
    ) -> Result<(), ReplayError> {
        for page in events.chunks(PAGE) {
            self.page(state, page)?;
            state.head = page.last().map_or(state.head, |event| event.seq);
        }
        Ok(())
    }

    /// Brings `state`, which is the confirmed one, to the pending event `to`, and holds what is
    /// pending if it can.
    pub(crate) fn run_pending(&mut self, state: &mut State, to: SeqNum) -> Result<(), ReplayError> {
        state.hold()?;
        self.run(state, to)?;
        self.steady(state, to).map(|_| ())
    }

    /// One of the pending events has rolled back all of them (`OR ROLLBACK`), so they cannot be
    /// held: makes the state anew up to `to`, nothing held. Says whether that was so.
    pub(crate) fn steady(&mut self, state: &mut State, to: SeqNum) -> Result<bool, ReplayError> {
        let is_shaken = state.is_shaken();
        if is_shaken {
            *state = State::empty(state.schema)?;
            self.run(state, to)?;
        }
        Ok(is_shaken)
    }

    /// A snapshot may have been made under a more lenient policy.
    fn check_known(&self, state: &State) -> Result<(), ReplayError> {
        if let UnknownEvents::Fail = self.unknown
            && let Some(event) = state.first_unknown()?
        {
            return Err(ReplayError::Unknown { seq: event.seq, name: event.name });
        }
        Ok(())
    }

    /// Applies the page under a savepoint of its own. If one event cannot be, each gets its own.
    fn page(&mut self, state: &State, page: &[EncodedEvent]) -> Result<(), ReplayError> {
        state.begin()?;
        if page.iter().all(|event| is_applied(state, event)) {
            return Ok(state.keep()?);
        }
        state.undo()?;
        self.one_by_one(state, page)
    }

    fn one_by_one(&mut self, state: &State, page: &[EncodedEvent]) -> Result<(), ReplayError> {
        page.iter().try_for_each(|event| self.one(state, event))
    }

    fn report(&mut self, done: u64) -> Result<(), ReplayError> {
        match self.progress.as_mut().map(|progress| progress(done)) {
            Some(ControlFlow::Break(())) => Err(ReplayError::Stopped),
            _ => Ok(()),
        }
    }

    fn one(&mut self, state: &State, event: &EncodedEvent) -> Result<(), ReplayError> {
        let Some(set) = state.schema.event_set(&event.name) else {
            self.unknown(event)?;
            return self.quarantine(state, event, QuarantineReason::Unknown);
        };
        state.begin()?;
        match state.apply(event, set) {
            Ok(()) => Ok(state.keep()?),
            Err(error) => {
                state.undo()?;
                tracing::warn!(seq = %event.seq, name = %event.name, %error, "event quarantined");
                self.quarantine(state, event, QuarantineReason::Failed(error.to_string()))
            }
        }
    }

    fn quarantine(
        &mut self,
        state: &State,
        event: &EncodedEvent,
        reason: QuarantineReason,
    ) -> Result<(), ReplayError> {
        let quarantined = Quarantined::new(event, reason);
        state.quarantine(&quarantined)?;
        if let Some(all) = &mut self.quarantined {
            all.push(quarantined);
        }
        Ok(())
    }

    fn unknown(&self, event: &EncodedEvent) -> Result<(), ReplayError> {
        match self.unknown {
            UnknownEvents::Warn => {
                tracing::warn!(seq = %event.seq, name = %event.name, "unknown event skipped");
            }
            UnknownEvents::Ignore => {}
            UnknownEvents::Fail => {
                let name = event.name.clone().into_owned();
                return Err(ReplayError::Unknown { seq: event.seq, name });
            }
            UnknownEvents::Call(callback) => {
                // A callback that panics has been told; the store goes on.
                if catch_unwind(AssertUnwindSafe(|| callback(event))).is_err() {
                    tracing::error!(seq = %event.seq, "the callback for unknown events panicked");
                }
            }
        }
        Ok(())
    }
}

/// Applies the event; says whether it could be.
fn is_applied(state: &State, event: &EncodedEvent) -> bool {
    state.schema.event_set(&event.name).is_some_and(|set| state.apply(event, set).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventlog::MemoryLog;
    use crate::prelude::*;

    #[table]
    struct Item {
        #[column(primary_key)]
        id: u64,
    }

    #[derive(Event)]
    #[event(name = "v1.Added")]
    struct Added {
        id: u64,
    }

    impl Materialize for Added {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Item { id: self.id })
        }
    }

    crate::schema! { App { tables: [Item], events: [Added] } }

    fn log(ids: &[u64]) -> (Eventlog, SeqNum) {
        let events = ids.iter().zip(1..).map(|(id, n)| EncodedEvent {
            seq: SeqNum::new(n),
            parent: SeqNum::new(n - 1),
            name: "v1.Added".into(),
            args: format!("{{\"id\":{id}}}"),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: 0,
            sync_metadata: None,
        });
        let log = Eventlog::new(MemoryLog::default());
        log.append(events.collect()).unwrap();
        (log, SeqNum::new(ids.len() as u64))
    }

    fn count(state: &State) -> usize {
        usize::try_from(state.query(&Item::all().count(), "").unwrap()).unwrap()
    }

    #[test]
    fn an_event_that_does_not_apply_takes_no_other_with_it() {
        let mut ids: Vec<u64> = (0..3 * PAGE as u64 + 10).collect();
        let bad = [2 * PAGE + 100, 3 * PAGE + 5];
        bad.iter().for_each(|&bad| ids[bad] = 7);
        let (log, to) = log(&ids);
        let mut state = State::empty(App::def()).unwrap();
        let (mut reported, mut quarantined) = (Vec::new(), Vec::new());
        let mut progress = |done| {
            reported.push(done);
            ControlFlow::Continue(())
        };
        let mut replay = Replay {
            progress: Some(&mut progress),
            quarantined: Some(&mut quarantined),
            ..Replay::quiet(&log)
        };
        assert_eq!(replay.run(&mut state, to).unwrap(), ids.len() as u64);
        let places = bad.map(|bad| SeqNum::new(bad as u64 + 1));
        let seqs = |all: &[Quarantined]| all.iter().map(|event| event.seq).collect::<Vec<_>>();
        assert_eq!(seqs(&quarantined), places);
        assert_eq!(seqs(&state.quarantined().unwrap()), places);
        assert_eq!((count(&state), state.head), (ids.len() - bad.len(), to));
        assert!(reported.is_sorted());
        assert_eq!(reported.last(), Some(&(ids.len() as u64)));
        assert!(!state.db.is_in_savepoint());
    }

    #[test]
    fn a_replay_that_is_stopped_changes_nothing() {
        let (log, to) = log(&(0..2 * PAGE as u64).collect::<Vec<_>>());
        let mut state = State::empty(App::def()).unwrap();
        let mut progress = |done| match done > PAGE as u64 {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let mut replay = Replay { progress: Some(&mut progress), ..Replay::quiet(&log) };
        assert_eq!(replay.run(&mut state, to), Err(ReplayError::Stopped));
        assert_eq!((count(&state), state.head), (0, SeqNum::ROOT));
        assert!(!state.db.is_in_savepoint());
    }
}
