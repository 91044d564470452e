//! State from events.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{QuarantineReason, Quarantined, State, StateError};
use crate::edge::read_ahead;
use crate::error::ErrorChain;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, is_after};

/// Events per savepoint: SQLite copies a page of the state once for each savepoint it changes in.
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
        read_ahead(read, |page| {
            let page = page.map_err(ReplayError::Eventlog)?;
            self.page(state, &page, done)?;
            state.head = page.last().map_or(state.head, |event| event.seq);
            done += page.len() as u64;
            Ok::<(), ReplayError>(())
        })?;
        Ok(done)
    }

    /// Applies these events, which are in the log behind the state's.
    pub(crate) fn apply(
        &mut self,
        state: &mut State,
        events: &[EncodedEvent],
    ) -> Result<(), ReplayError> {
        for page in events.chunks(PAGE) {
            self.page(state, page, 0)?;
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

    /// Nearly always every event of a page applies: one savepoint does for all. If one does not,
    /// each gets its own. `before`: how many events were replayed before the page.
    fn page(
        &mut self,
        state: &State,
        page: &[EncodedEvent],
        before: u64,
    ) -> Result<(), ReplayError> {
        let applies = |event: &EncodedEvent| {
            state.schema.event_set(&event.name).is_some_and(|set| state.apply(event, set).is_ok())
        };
        state.begin()?;
        let mut done = before;
        for step in page.chunks(STEP) {
            if !step.iter().all(applies) {
                state.undo()?;
                page.iter().try_for_each(|event| self.one(state, event))?;
                return self.report(before + page.len() as u64);
            }
            done += step.len() as u64;
            self.report(done)?;
        }
        Ok(state.keep()?)
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
                tracing::warn!(seq = %event.seq, name = %event.name, error = %ErrorChain::new(&error), "event quarantined");
                self.quarantine(
                    state,
                    event,
                    QuarantineReason::Failed(ErrorChain::new(&error).to_string()),
                )
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
