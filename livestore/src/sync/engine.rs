//! The sync engine: what to do next, as a state machine without I/O.
//!
//! [`Engine::handle`] takes an [`Input`] and returns a [`Step`]: effects to carry out in order, or a
//! [`Transition`] to write to the log first. Nothing has happened before
//! [`publish`](Engine::publish) takes the written transition and returns the effects. One that
//! cannot be written is dropped, and [`write_failed`](Engine::write_failed) called.
//!
//! Whoever drives the engine, a thread, a browser's event loop or a simulator, gives it the time as
//! a duration since any fixed moment; [`Engine::deadline`] is when it wants to be called if nothing
//! happens until then.
//!
//! A connection goes through connecting, *pulling* up to the backend's head, and *live*. Only then
//! events are pushed, one batch at a time. What was pushed counts as confirmed when it comes back
//! by the pull, so an answer that is lost changes nothing. A push that is rejected fences all
//! others until the pull has brought what came in between.

mod batch;
mod login;
mod push;
mod retry;

use std::time::Duration;

use livestore_protocol::{Cursor, MAX_EVENTS, More, Page, SyncError, SyncEvent};

use self::push::Push;
use self::retry::Retry;
use super::backend::BackendMessage;
use super::merge::{Merge, SyncState, UpstreamChange};
use super::payload::PayloadError;
use super::status::{NetworkStatus, OnBackendReset, StopReason};
use crate::event::{EncodedEvent, SeqNum, last_commit};

/// How long a backend may leave a request unanswered.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most events of a commit that wait for the rest of it, which is on the next page. A push
/// never has as many.
const MAX_UNFINISHED: usize = 10_000;

/// Something that happens to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Connect, now.
    Start,
    /// The app expects that the network is there: connect now if an attempt is due later, and check
    /// the connection if there is one.
    Reconnect,
    /// The app wants to be offline.
    Pause,
    /// Events were [committed](Engine::commit).
    Committed,
    /// A message of the backend's.
    Backend(BackendMessage),
    /// The app has given its payload, and the connection is being made.
    Dialing,
    /// The app has given no payload, so that there is no connection.
    NoPayload(PayloadError),
    /// Time has passed.
    Tick,
}

/// The engine's answer to an input.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a step is taken apart at once")]
pub(crate) enum Step {
    /// Do this, in order.
    Effects(Vec<Effect>),
    /// Write this to the log and [publish](Engine::publish) it.
    Write(Transition),
}

/// Something to do on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Connect,
    Disconnect,
    /// Find out whether the connection is alive.
    Check,
    Pull(Option<Cursor>),
    Push {
        events: Vec<SyncEvent>,
        /// The backend that they are meant for, once it is known.
        backend_id: Option<String>,
    },
}

/// A plan of the engine's, made of a message of the backend's.
#[must_use = "a transition has no effect until it is written and published"]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    /// How the log has to change.
    pub(crate) merge: Merge,
    /// The backend whose order it is then.
    pub(crate) backend_id: Option<String>,
    then: Then,
}

/// The next thing that the engine does once a transition is written.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    /// More of the same pull may come.
    Pull(More),
    /// Connect again, to a different backend.
    Connect,
    /// Push what comes next.
    Push,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Engine {
    state: SyncState,
    backend_id: Option<String>,
    on_reset: OnBackendReset,
    phase: Phase,
    /// [`Input::Pause`] is on its way.
    is_pausing: bool,
    retry: Retry,
    /// The reason why the backend accepts none of this client's events for now.
    barred: Option<String>,
    /// Whether the backend has refused the last payload.
    is_denied: bool,
    /// The reason why the user has to log in again, until the backend accepts a payload.
    login_required: Option<String>,
    /// The most commits of a push: fewer after one that was refused, or that took too long.
    max_commits: usize,
    /// The beginning of a commit that continues on the next page.
    unfinished: Vec<EncodedEvent>,
    /// The state is that of an image, which the backend has not shown yet to be of its order.
    is_unproven: bool,
}

#[derive(Debug)]
enum Phase {
    /// The app wants to be offline.
    Paused,
    /// [`Input::Start`] is on its way.
    Starting,
    /// Until the next attempt.
    Waiting {
        until: Duration,
        status: NetworkStatus,
    },
    Connecting {
        until: Duration,
    },
    /// Connected, and not yet at the backend's head.
    Pulling {
        until: Duration,
    },
    Live {
        push: Push,
        /// Pushes up to this global number were accepted.
        accepted: u64,
    },
    Stopped(StopReason),
}

impl Engine {
    /// An engine for a store in this state. It waits for [`Input::Start`].
    ///
    /// Clients have different `seed`s, so that they do not all reconnect at the same moment when
    /// their backend was down.
    pub(crate) fn new(
        state: SyncState,
        backend_id: Option<String>,
        on_reset: OnBackendReset,
        seed: u64,
    ) -> Self {
        Self {
            state,
            backend_id,
            on_reset,
            phase: Phase::Paused,
            is_pausing: false,
            retry: Retry::new(seed),
            barred: None,
            is_denied: false,
            login_required: None,
            max_commits: MAX_EVENTS,
            unfinished: Vec::new(),
            is_unproven: false,
        }
    }

    /// Has the store start over, whatever the policy, if the backend turns out not to be that of the
    /// image which the store was just opened with: nothing else is in the log.
    pub(crate) fn expect_proof(&mut self) {
        self.is_unproven = true;
    }

    /// Whether the backend has not shown yet that the image is of its order.
    pub(crate) fn is_unproven(&self) -> bool {
        self.is_unproven
    }

    /// How far the store and its backend agree, and what is pending.
    pub(crate) fn state(&self) -> &SyncState {
        &self.state
    }

    /// Whether there is a connection, and if not, why.
    pub(crate) fn network(&self) -> NetworkStatus {
        match &self.phase {
            _ if self.is_pausing => NetworkStatus::Paused,
            Phase::Paused => NetworkStatus::Paused,
            Phase::Waiting { status, .. } => status.clone(),
            Phase::Stopped(reason) => NetworkStatus::Stopped(reason.clone()),
            _ if let Some(reason) = &self.login_required => {
                NetworkStatus::LoginRequired { reason: reason.clone() }
            }
            Phase::Connecting { .. } | Phase::Pulling { .. } | Phase::Live { .. }
                if let Some(reason) = self.barred() =>
            {
                NetworkStatus::ReadOnly { reason: reason.to_owned() }
            }
            Phase::Starting | Phase::Connecting { .. } => NetworkStatus::Connecting,
            Phase::Pulling { .. } => NetworkStatus::Pulling,
            Phase::Live { .. } => NetworkStatus::Online,
        }
    }

    /// When the next attempt is made: to connect, or to push what the backend has refused for now.
    pub(crate) fn next_attempt(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Waiting { until, .. } | Phase::Live { push: Push::Barred { until }, .. } => {
                Some(*until)
            }
            _ => None,
        }
    }

    /// When to call [`handle`](Self::handle) with a [`Tick`](Input::Tick) if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Waiting { until, .. }
            | Phase::Connecting { until }
            | Phase::Pulling { until } => Some(*until),
            Phase::Live { push, .. } => push.until(),
            Phase::Paused | Phase::Starting | Phase::Stopped(_) => None,
        }
    }

    /// Notes a commit that is in the log. [`Input::Committed`] follows soon.
    pub(crate) fn commit(&mut self, events: Vec<EncodedEvent>) {
        self.state.commit(events);
    }

    /// Pushes and pulls nothing any more: [`Input::Pause`] follows soon.
    pub(crate) fn pause(&mut self) {
        self.is_pausing = true;
    }

    /// Counts as connecting, unless there is a connection: [`Input::Start`] follows soon.
    pub(crate) fn expect_start(&mut self) {
        if let Phase::Paused | Phase::Waiting { .. } | Phase::Stopped(_) = self.phase {
            self.phase = Phase::Starting;
        }
    }

    /// Decides what to do about an input at the time `now`.
    pub(crate) fn handle(&mut self, input: Input, now: Duration) -> Step {
        let mut effects = Vec::new();
        match input {
            Input::Start => self.start(now, &mut effects),
            Input::Reconnect => self.reconnect(now, &mut effects),
            Input::Pause => {
                self.is_pausing = false;
                self.disconnect(Phase::Paused, &mut effects);
            }
            Input::Committed => {}
            Input::Dialing => self.extend_deadline(now),
            Input::NoPayload(error) => self.no_payload(error, now, &mut effects),
            Input::Tick => self.tick(now, &mut effects),
            // The connection is about to be ended: the next one has it again.
            Input::Backend(_) if self.is_pausing => {}
            Input::Backend(message) => {
                if let Some(transition) = self.receive(message, now, &mut effects) {
                    return Step::Write(transition);
                }
            }
        }
        self.push(now, &mut effects);
        Step::Effects(effects)
    }

    /// Goes on from a transition that is in the log.
    pub(crate) fn publish(&mut self, transition: Transition, now: Duration) -> Vec<Effect> {
        let Transition { merge, backend_id, then } = transition;
        let mut effects = Vec::new();
        let is_rebase = merge.rebase.is_some();
        self.state.publish(merge);
        self.backend_id = backend_id;
        match then {
            Then::Pull(more) => {
                if is_rebase && let Phase::Live { accepted, .. } = &mut self.phase {
                    // Pending events have other numbers: none of them was accepted.
                    *accepted = self.state.upstream_head.global;
                }
                self.pulled_up_to(more, now);
            }
            Then::Connect => {
                self.disconnect(Phase::Paused, &mut effects);
                self.connect(now, &mut effects);
            }
            Then::Push => {}
        }
        self.push(now, &mut effects);
        effects
    }

    /// The backend whose order it is, once it is known.
    pub(crate) fn backend_id(&self) -> Option<&str> {
        self.backend_id.as_deref()
    }

    /// Goes on after a transition that the state has no room for, and that is not in the log any more:
    /// sync stops. `reason` is for people.
    pub(crate) fn state_full(&mut self, reason: String) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.disconnect(Phase::Stopped(StopReason::StateFull { reason }), &mut effects);
        effects
    }

    /// Goes on after a transition that could not be written: nothing has changed, and the
    /// connection is ended. `reason` is for people.
    pub(crate) fn write_failed(&mut self, reason: String, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.retry_later(reason, now, &mut effects);
        effects
    }

    fn start(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let is_connected = match &self.phase {
            Phase::Paused | Phase::Starting | Phase::Waiting { .. } | Phase::Stopped(_) => false,
            Phase::Connecting { .. } | Phase::Pulling { .. } => true,
            Phase::Live { push, .. } => !matches!(push, Push::Barred { .. }),
        };
        if !is_connected {
            self.retry.forget_failures();
            self.retry.forget_refusals();
            self.retry.forget_denials();
            self.disconnect(Phase::Paused, effects);
            self.connect(now, effects);
        }
    }

    fn reconnect(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Paused | Phase::Starting | Phase::Stopped(_) => {}
            Phase::Waiting { .. } | Phase::Live { push: Push::Barred { .. }, .. } => {
                self.start(now, effects);
            }
            Phase::Connecting { .. } | Phase::Pulling { .. } | Phase::Live { .. } => {
                effects.push(Effect::Check);
            }
        }
    }

    fn connect(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.phase = Phase::Connecting { until: now + RESPONSE_TIMEOUT };
        effects.push(Effect::Connect);
    }

    fn tick(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.phase {
            Phase::Waiting { .. } => self.connect(now, effects),
            Phase::Live { push: push @ Push::Backoff { .. }, .. } => *push = Push::Idle,
            // The right to push may depend on the connection: it is asked for anew.
            Phase::Live { push: Push::Barred { .. }, .. } => {
                self.disconnect(Phase::Paused, effects);
                self.connect(now, effects);
            }
            _ => self.retry_later("the backend does not answer".to_owned(), now, effects),
        }
    }

    fn receive(
        &mut self,
        message: BackendMessage,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Transition> {
        if matches!(
            self.phase,
            Phase::Paused | Phase::Starting | Phase::Waiting { .. } | Phase::Stopped(_)
        ) {
            // It is from a connection that was ended.
            return None;
        }
        match message {
            BackendMessage::Connected => self.connected(now, effects),
            BackendMessage::Receiving => self.extend_deadline(now),
            BackendMessage::RetryAfter(wait) => self.retry.not_before(now, wait),
            BackendMessage::Pulled(page) => return self.pulled(page, now, effects),
            BackendMessage::Pushed => self.pushed(now),
            BackendMessage::PushFailed(failure) => return self.push_failed(failure, now, effects),
            BackendMessage::PullFailed(SyncError::BackendIdMismatch { expected, .. }) => {
                return self.other_backend(expected, now, effects);
            }
            BackendMessage::PullFailed(SyncError::Refused(reason)) => {
                self.denied(reason, now, effects);
            }
            BackendMessage::PullFailed(failure) => {
                self.retry_later(failure.to_string(), now, effects)
            }
            BackendMessage::Disconnected { reason } => self.retry_later(reason, now, effects),
        }
        None
    }

    fn connected(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if let Phase::Connecting { .. } = self.phase {
            self.phase = Phase::Pulling { until: now + RESPONSE_TIMEOUT };
            let head = self.state.upstream_head.global;
            let cursor = self.backend_id.clone().map(|backend_id| Cursor { backend_id, head });
            effects.push(Effect::Pull(cursor));
        }
    }

    fn pulled(
        &mut self,
        page: Page,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Transition> {
        let Page { events, more, backend_id } = page;
        if self.backend_id.as_ref().is_some_and(|known| *known != backend_id) {
            return self.other_backend(backend_id, now, effects);
        }
        let planned = self
            .finished_commits(events, more)
            .map(|events| (events.is_empty(), self.state.plan(UpstreamChange::Advance(events))));
        match planned {
            // The first page is noted even if it is empty: with it comes the backend's id.
            Some((true, _)) if self.backend_id.is_some() => {
                self.pulled_up_to(more, now);
                None
            }
            Some((_, Ok(merge))) => {
                Some(Transition { merge, backend_id: Some(backend_id), then: Then::Pull(more) })
            }
            Some((_, Err(_))) | None => {
                // While pulling, what is missing is on its way: a backend sends new events in
                // between old ones.
                if let Phase::Live { .. } = self.phase {
                    self.retry_later("the backend left out events".to_owned(), now, effects);
                }
                None
            }
        }
    }

    /// The events that are new, up to the end of a commit: half of one is never applied. `None` if
    /// some are missing in between.
    fn finished_commits(
        &mut self,
        events: Vec<SyncEvent>,
        more: More,
    ) -> Option<Vec<EncodedEvent>> {
        let head = self.unfinished.last().map_or(self.state.upstream_head, |event| event.seq);
        let mut new = events.into_iter().filter(|event| event.seq > head.global).peekable();
        if new.peek().is_some_and(|first| first.seq != head.global + 1) {
            return None;
        }
        let mut events = std::mem::take(&mut self.unfinished);
        events.extend(new.map(EncodedEvent::from));
        if more != More::No {
            let end = last_commit(&events);
            if events.len() - end <= MAX_UNFINISHED {
                self.unfinished = events.split_off(end);
            }
        }
        Some(events)
    }

    /// A message of the backend's is on its way, and long: the answer that is waited for is not late.
    fn extend_deadline(&mut self, now: Duration) {
        let until = match &mut self.phase {
            Phase::Connecting { until } | Phase::Pulling { until } => until,
            Phase::Live {
                push: Push::InFlight { until, .. } | Push::Fenced { until, .. }, ..
            } => until,
            _ => return,
        };
        *until = (*until).max(now + RESPONSE_TIMEOUT);
    }

    /// Notes that the state has the backend's order as far as it was pulled.
    fn pulled_up_to(&mut self, more: More, now: Duration) {
        let head = self.state.upstream_head.global;
        self.is_unproven = false;
        self.admitted();
        match &mut self.phase {
            Phase::Pulling { .. } if more == More::No => {
                self.retry.forget();
                self.phase = Phase::Live { push: Push::Idle, accepted: head };
            }
            Phase::Pulling { until } => *until = now + RESPONSE_TIMEOUT,
            Phase::Live { push: Push::Fenced { head: wanted, .. }, .. } if head >= *wanted => {
                self.push_again(now);
            }
            _ => {}
        }
    }

    fn other_backend(
        &mut self,
        found: String,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Transition> {
        let known = self.backend_id.clone().unwrap_or_default();
        self.stop(StopReason::OtherBackend { known, found }, now, effects)
    }

    /// Applies the policy for a backend that is not the one of the log, or has lost some of it.
    fn stop(
        &mut self,
        reason: StopReason,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Transition> {
        match if self.is_unproven { OnBackendReset::Reset } else { self.on_reset } {
            OnBackendReset::KeepAndStop => self.disconnect(Phase::Stopped(reason), effects),
            OnBackendReset::Ignore => {
                self.retry.slow_down();
                self.retry_later(reason.to_string(), now, effects);
            }
            OnBackendReset::Reset => {
                let nothing = UpstreamChange::Replace { keep: SeqNum::ROOT, events: Vec::new() };
                let merge = self.state.plan(nothing).ok()?;
                return Some(Transition { merge, backend_id: None, then: Then::Connect });
            }
        }
        None
    }

    /// Ends the connection, if there is one.
    fn disconnect(&mut self, next: Phase, effects: &mut Vec<Effect>) {
        if matches!(
            self.phase,
            Phase::Connecting { .. } | Phase::Pulling { .. } | Phase::Live { .. }
        ) {
            effects.push(Effect::Disconnect);
        }
        self.unfinished.clear();
        self.phase = next;
    }

    /// Ends the connection, and tries again later.
    fn retry_later(&mut self, reason: String, now: Duration, effects: &mut Vec<Effect>) {
        let until = self.retry.next(now);
        self.wait(until, NetworkStatus::Offline { reason }, effects);
    }

    /// Ends the connection until the next attempt, at `until`.
    fn wait(&mut self, until: Duration, status: NetworkStatus, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Paused | Phase::Starting | Phase::Stopped(_)) {
            return;
        }
        self.shrink_pushes();
        self.disconnect(Phase::Waiting { until, status }, effects);
    }
}

#[cfg(test)]
mod tests;
