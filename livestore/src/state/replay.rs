//! State from events.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::boot::UnknownEvents;
use super::{ApplyError, QuarantineReason, Quarantined, State, StateError};
use crate::edge::{catch_panic, read_ahead};
use crate::error::ErrorChain;
use crate::event::{EncodedEvent, SeqNum, commits, last_commit};
use crate::eventlog::{Eventlog, EventlogError, is_after};
use crate::schema::EventSet;
use crate::sqlite::{Change, SqliteError};
use crate::table::{MaterializeError, Writer};

/// The number of events that are read at once.
const PAGE: usize = 8_192;

/// The number of events per report of progress.
const STEP: usize = 512;

/// Why the state could not be made from the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    #[error(transparent)]
    State(StateError),
}

impl ReplayError {
    /// Whether the state has no room, or the machine is at fault.
    pub(crate) fn is_environmental(&self) -> bool {
        matches!(self, Self::State(StateError::Sqlite(error)) if error.is_environmental())
    }
}

impl<E: Into<StateError>> From<E> for ReplayError {
    fn from(error: E) -> Self {
        Self::State(error.into())
    }
}

/// A replay: it applies events of the log to a state, commit by commit. Where one event of a commit
/// cannot be applied, the whole commit is quarantined.
pub(crate) struct Replay<'a> {
    log: &'a Eventlog,
    unknown: &'a UnknownEvents,
    progress: Option<&'a mut dyn FnMut(u64)>,
    stop: Option<&'a AtomicBool>,
    /// The number of events in the last report.
    reported: u64,
    quarantined: Vec<Quarantined>,
    /// Whether a commit failed whose beginning lies in the state that was there.
    is_broken: bool,
    /// The events whose materializers roll back everything that is pending (`OR ROLLBACK`).
    rolling_back: BTreeSet<SeqNum>,
}

impl<'a> Replay<'a> {
    /// A replay that reports nothing.
    pub(crate) fn new(log: &'a Eventlog) -> Self {
        Self {
            log,
            unknown: &UnknownEvents::Ignore,
            progress: None,
            stop: None,
            reported: 0,
            quarantined: Vec::new(),
            is_broken: false,
            rolling_back: BTreeSet::new(),
        }
    }

    /// Reports unknown events by this policy.
    pub(crate) fn unknown(self, unknown: &'a UnknownEvents) -> Self {
        Self { unknown, ..self }
    }

    /// Calls this now and then with the number of events replayed so far.
    pub(crate) fn progress(self, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Ends early once this is true.
    pub(crate) fn stop(self, stop: &'a AtomicBool) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Whether the state is no longer what the log says: see [`rebuild_if_broken`](Self::rebuild_if_broken).
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The events that could not be applied.
    pub(crate) fn into_quarantined(self) -> Vec<Quarantined> {
        self.quarantined
    }

    /// Brings `state` from its head to the event `to`; returns the number of events.
    pub(crate) fn run(&mut self, state: &mut State, to: SeqNum) -> Result<u64, ReplayError> {
        let span = tracing::info_span!(
            "replay",
            livestore.from = %state.head,
            livestore.to = %to,
        );
        let _entered = span.enter();
        if !is_after(to, state.head) {
            return Ok(0);
        }
        if state.schema.is_untyped() {
            let head = self.log.head()?;
            state.head = if is_after(head, to) { to } else { head };
            return Ok(0);
        }
        match self.run_at_once(state, to)? {
            Some(done) => Ok(done),
            None => self.run_by_pages(state, to),
        }
    }

    /// Applies all events under one savepoint, as nearly always all of them apply: SQLite copies
    /// each page of the state once for every savepoint in which it changes. Returns `None` if an
    /// event does not apply; nothing has changed then.
    fn run_at_once(&mut self, state: &mut State, to: SeqNum) -> Result<Option<u64>, ReplayError> {
        let (mut head, mut done, mut all_apply) = (state.head, 0, true);
        let quarantined = self.quarantined.len();
        let savepoint = state.savepoint()?;
        let worked = read_ahead(self.reader(head, to), |page| {
            let page = page.as_ref().map_err(|error| Some(ReplayError::from(error.clone())))?;
            let is_cut = done == 0
                && page.first().is_some_and(|first| first.continues)
                && self.continues_applied(state, page)?;
            all_apply = !is_cut && self.applies(state, page, done).map_err(ReplayError::from)?;
            if !all_apply || self.is_stopped() {
                return Err(None);
            }
            head = page.last().map_or(head, |event| event.seq);
            done += page.len() as u64;
            Ok(())
        });
        match worked {
            Ok(()) => savepoint.release()?,
            Err(error) => {
                savepoint.rollback()?;
                self.quarantined.truncate(quarantined);
                return match error {
                    Some(error) => Err(error),
                    None if all_apply => Ok(Some(0)),
                    None => Ok(None),
                };
            }
        }
        state.head = head;
        Ok(Some(done))
    }

    /// Applies the events page by page, each page under a savepoint of its own.
    fn run_by_pages(&mut self, state: &mut State, to: SeqNum) -> Result<u64, ReplayError> {
        let (mut done, mut unfinished) = (0, Vec::new());
        read_ahead(self.reader(state.head, to), |page| {
            if self.is_stopped() || state.savepoint_lost() {
                return Ok(());
            }
            let mut events = std::mem::take(&mut unfinished);
            events.append(page.as_mut().map_err(|error| error.clone())?);
            // The last commit may go on in the next page.
            unfinished = events.split_off(last_commit(&events));
            self.pages(state, &events, done)?;
            done += events.len() as u64;
            Ok::<(), ReplayError>(())
        })?;
        self.pages(state, &unfinished, done)?;
        Ok(done + unfinished.len() as u64)
    }

    /// Reads the log from behind `from` up to `to`, a page at each call.
    fn reader(
        &self,
        from: SeqNum,
        to: SeqNum,
    ) -> impl FnMut() -> Option<Result<Vec<EncodedEvent>, EventlogError>> + Send + use<> {
        let mut pages = self.log.pages(from, to).of(PAGE);
        move || match pages.next_page() {
            Ok(page) if page.is_empty() => None,
            page => Some(page),
        }
    }

    /// Applies these events, which are in the log behind the state's.
    pub(crate) fn apply(
        &mut self,
        state: &mut State,
        events: &[EncodedEvent],
    ) -> Result<(), ReplayError> {
        self.pages(state, events, 0)
    }

    /// Brings `state`, which is the confirmed one, to the pending event `to`. What is pending lies
    /// above a savepoint then, if it can.
    pub(crate) fn run_pending(&mut self, state: &mut State, to: SeqNum) -> Result<(), ReplayError> {
        self.above_savepoint(state, |replay, state| replay.run(state, to).map(|_| ()))?;
        self.rebuild_if_broken(state, to).map(|_| ())
    }

    /// Applies these events, which are pending, above a savepoint on the confirmed state. Returns rows
    /// that may have changed besides.
    pub(crate) fn apply_pending(
        &mut self,
        state: &mut State,
        events: &[EncodedEvent],
    ) -> Result<Vec<Change>, ReplayError> {
        self.above_savepoint(state, |replay, state| replay.apply(state, events))
    }

    /// Applies events above a savepoint. If a materializer rolls all of them back, the confirmed state is
    /// left: they are applied again, and that event counts as failed.
    fn above_savepoint(
        &mut self,
        state: &mut State,
        mut apply: impl FnMut(&mut Self, &mut State) -> Result<(), ReplayError>,
    ) -> Result<Vec<Change>, ReplayError> {
        let (quarantined, is_broken) = (self.quarantined.len(), self.is_broken);
        let mut changes = Vec::new();
        loop {
            state.begin_pending()?;
            apply(self, state)?;
            if !state.savepoint_lost() {
                return Ok(changes);
            }
            changes.extend(state.rollback_pending()?);
            self.quarantined.truncate(quarantined);
            self.is_broken = is_broken;
        }
    }

    /// Rebuilds the state up to `to`, without a savepoint, if a commit failed that begins beneath it: the
    /// savepoint does not separate pending events from confirmed ones. Returns whether the state was
    /// rebuilt.
    pub(crate) fn rebuild_if_broken(
        &mut self,
        state: &mut State,
        to: SeqNum,
    ) -> Result<bool, ReplayError> {
        if self.is_broken {
            *state = State::empty(state.schema)?;
            Replay::new(self.log).run(state, to)?;
        }
        Ok(self.is_broken)
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Applies whole commits, page by page. `before`: the number of events replayed before.
    fn pages(
        &mut self,
        state: &mut State,
        events: &[EncodedEvent],
        before: u64,
    ) -> Result<(), ReplayError> {
        let mut done = before;
        let mut rest = events;
        while !rest.is_empty() && !state.savepoint_lost() {
            let (page, next) = rest.split_at(page_len(rest));
            self.page(state, page, done)?;
            state.head = page.last().map_or(state.head, |event| event.seq);
            done += page.len() as u64;
            rest = next;
        }
        Ok(())
    }

    /// Applies a page of whole commits under one savepoint. If an event does not apply, each commit
    /// gets its own.
    fn page(
        &mut self,
        state: &State,
        page: &[EncodedEvent],
        before: u64,
    ) -> Result<(), ReplayError> {
        let continues = self.continues_applied(state, page)?;
        let savepoint = state.savepoint()?;
        if self.applies(state, page, before)? {
            return Ok(savepoint.release()?);
        }
        savepoint.rollback()?;
        for (n, commit) in commits(page).enumerate() {
            if state.savepoint_lost() {
                return Ok(());
            }
            let is_whole = self.commit(state, commit)?;
            self.is_broken |= n == 0 && continues && !is_whole;
        }
        self.report(before + page.len() as u64);
        Ok(())
    }

    /// Applies all of these events, but for those that the backend has refused; returns whether that
    /// worked. If not, it needs a rollback.
    fn applies(
        &mut self,
        state: &State,
        events: &[EncodedEvent],
        before: u64,
    ) -> Result<bool, SqliteError> {
        let quarantined = self.quarantined.len();
        let all_apply = self.try_all(state, events, before);
        if !matches!(all_apply, Ok(true)) {
            self.quarantined.truncate(quarantined);
        }
        all_apply
    }

    fn try_all(
        &mut self,
        state: &State,
        events: &[EncodedEvent],
        before: u64,
    ) -> Result<bool, SqliteError> {
        let (mut done, mut writer) = (before, state.writer());
        for step in events.chunks(STEP) {
            for event in step {
                if let Some(reason) = event.refusal() {
                    self.quarantine_refused(state, event, reason)?;
                    continue;
                }
                if state.schema.is_untyped() {
                    continue;
                }
                let Some(set) = state.schema.event_set(&event.name) else { return Ok(false) };
                match self.apply_event(state, event, set, &mut writer) {
                    Ok(()) => {}
                    Err(ApplyError::Event(_)) => return Ok(false),
                    Err(ApplyError::State(error)) => return Err(error),
                }
            }
            done += step.len() as u64;
            self.report(done);
        }
        Ok(true)
    }

    fn quarantine_refused(
        &mut self,
        state: &State,
        event: &EncodedEvent,
        reason: String,
    ) -> Result<(), SqliteError> {
        let quarantined = Quarantined::new(event, QuarantineReason::Refused(reason));
        state.quarantine(&quarantined)?;
        self.quarantined.push(quarantined);
        Ok(())
    }

    /// Whether the page continues a commit that the state already has the beginning of, which
    /// happens if a backend has split one. If the beginning is quarantined, the rest has to be,
    /// too.
    fn continues_applied(
        &mut self,
        state: &State,
        page: &[EncodedEvent],
    ) -> Result<bool, ReplayError> {
        let Some(first) = page.first().filter(|first| first.continues) else { return Ok(false) };
        let Some(before) = self.log.event(state.head)? else { return Ok(false) };
        let continues = first.is_of_the_commit_of(&before);
        self.is_broken |= continues && state.is_quarantined(before.seq)?;
        Ok(continues)
    }

    /// Applies a commit as a whole, or quarantines it; returns whether it applied. Unknown events
    /// are skipped.
    ///
    /// Client-only events do not decide about synced ones: other clients, which do not have them,
    /// must come to the same state.
    fn commit(&mut self, state: &State, commit: &[EncodedEvent]) -> Result<bool, ReplayError> {
        let mut accepted = Vec::with_capacity(commit.len());
        for event in commit {
            match event.refusal() {
                Some(reason) => self.quarantine_refused(state, event, reason)?,
                None => accepted.push(event),
            }
        }
        let failure = match self.try_apply(state, accepted.iter().copied())? {
            Some(failure) if failure.event.is_client_only() && !state.savepoint_lost() => {
                let synced = accepted.iter().copied().filter(|event| !event.is_client_only());
                Some(self.try_apply(state, synced)?.unwrap_or(failure))
            }
            failure => failure,
        };
        if state.savepoint_lost() {
            // What is pending is applied again.
            return Ok(false);
        }
        for event in accepted {
            let is_known = state.schema.event_set(&event.name).is_some();
            let reason = match &failure {
                _ if !is_known => {
                    self.report_unknown(event);
                    QuarantineReason::Unknown
                }
                Some(failure) if failure.event.seq == event.seq => {
                    QuarantineReason::Failed(failure.error.clone())
                }
                Some(failure) if failure.takes_along(event) => {
                    QuarantineReason::WithCommit(failure.error.clone())
                }
                _ => continue,
            };
            tracing::warn!(seq = %event.seq, name = %event.name, %reason, "event quarantined");
            let quarantined = Quarantined::new(event, reason);
            state.quarantine(&quarantined)?;
            self.quarantined.push(quarantined);
        }
        Ok(failure.is_none())
    }

    /// Applies the events that are known, all of them or none; returns the first that fails.
    fn try_apply<'e>(
        &mut self,
        state: &State,
        events: impl Iterator<Item = &'e EncodedEvent>,
    ) -> Result<Option<Failure<'e>>, ReplayError> {
        let savepoint = state.savepoint()?;
        let known = events.filter_map(|event| Some((event, state.schema.event_set(&event.name)?)));
        let mut writer = state.writer();
        let apply = |(event, set): (&'e EncodedEvent, &EventSet)| match self.apply_event(
            state,
            event,
            set,
            &mut writer,
        ) {
            Ok(()) => None,
            Err(ApplyError::Event(error)) => {
                Some(Ok(Failure { event, error: ErrorChain::new(&error).to_string() }))
            }
            Err(ApplyError::State(error)) => Some(Err(error)),
        };
        let failure = { known }.find_map(apply).transpose();
        drop(writer);
        match failure {
            Ok(None) => {
                savepoint.release()?;
                Ok(None)
            }
            Ok(failure) => {
                savepoint.rollback()?;
                Ok(failure)
            }
            Err(error) => {
                savepoint.rollback()?;
                Err(error.into())
            }
        }
    }

    /// Applies an event, unless it is known to roll back what is pending.
    fn apply_event<'s>(
        &mut self,
        state: &'s State,
        event: &'s EncodedEvent,
        set: &EventSet,
        writer: &mut Writer<'s>,
    ) -> Result<(), ApplyError> {
        if self.rolling_back.contains(&event.seq) {
            return Err(MaterializeError::RolledBack.into());
        }
        state.apply(event, set, writer).inspect_err(|_| {
            if state.savepoint_lost() {
                self.rolling_back.insert(event.seq);
            }
        })
    }

    /// Progress never goes back, even where a page is applied again.
    fn report(&mut self, done: u64) {
        if let Some(progress) = &mut self.progress
            && done > self.reported
        {
            self.reported = done;
            progress(done);
        }
    }

    fn report_unknown(&self, event: &EncodedEvent) {
        match self.unknown {
            UnknownEvents::Warn => {
                tracing::warn!(seq = %event.seq, name = %event.name, "unknown event skipped");
            }
            UnknownEvents::Ignore | UnknownEvents::Fail => {}
            UnknownEvents::Call(callback) => {
                if catch_panic(|| callback(event)).is_err() {
                    tracing::error!(seq = %event.seq, "the callback for unknown events panicked");
                }
            }
        }
    }
}

/// The event of a commit that could not be applied.
struct Failure<'e> {
    event: &'e EncodedEvent,
    error: String,
}

impl Failure<'_> {
    /// Whether another event of the commit cannot stay without this one.
    fn takes_along(&self, event: &EncodedEvent) -> bool {
        !self.event.is_client_only() || event.is_client_only()
    }
}

/// The number of events for one savepoint: a page of them, up to the end of a commit.
fn page_len(events: &[EncodedEvent]) -> usize {
    let mut len = 0;
    for commit in commits(events) {
        if len > 0 && len + commit.len() > PAGE {
            break;
        }
        len += commit.len();
    }
    len
}

mod decide;
#[cfg(test)]
mod tests;

pub(crate) use decide::{Decided, events_of};
