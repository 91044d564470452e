//! The sync engine: what to do next, as a state machine without I/O.
//!
//! [`Engine::handle`] takes an [`Input`] and says which [`Effect`]s it has; whoever drives the
//! engine, a thread, a browser's event loop or a simulator, carries them out in order. Time comes
//! in from outside, as a duration since any fixed moment, and [`Engine::deadline`] says when the
//! engine wants to be called if nothing happens until then.
//!
//! A link goes through connecting, *pulling* up to the backend's head, and *live*. Only then
//! events are pushed, one batch at a time. What was pushed counts as confirmed when it comes back
//! by the pull: so an answer that is lost changes nothing. A push that is rejected fences all
//! others until the pull has brought what came in between.

use std::time::Duration;

use livestore_protocol::{Cursor, MAX_BATCH_BYTES, MAX_EVENTS, More, Page, SyncError, SyncEvent};

use super::backend::BackendMessage;
use super::merge::{Heads, Outcome, Payload, SyncState};
use super::status::{NetworkStatus, OnBackendReset, StopReason};
use crate::event::{EncodedEvent, SeqNum};

/// How long a backend may leave something unanswered.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first wait after a failure, at most; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// After the second rejection in a row, a push waits for up to four times this, and up to twice as
/// long after each further one, until it is 32 times this: of many that write at once, few then
/// stand in each other's way.
const FIRST_BACKOFF: Duration = Duration::from_millis(1);

/// What happens to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// Begin, or go on: connect as soon as possible.
    Start,
    /// The app wants to be offline.
    Hold,
    /// Events were [committed](Engine::committed).
    Committed,
    /// The backend has something to say.
    Backend(BackendMessage),
    /// Time has passed.
    Tick,
    /// An effect could not be carried out: the log or the state cannot be written.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

/// What the engine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Connect to the backend.
    Connect,
    /// Drop the connection.
    Disconnect,
    /// Pull on the connection.
    Pull(Option<Cursor>),
    /// Push on the connection.
    Push {
        /// The events.
        events: Vec<SyncEvent>,
        /// The backend they are meant for, once it is known.
        backend_id: Option<String>,
    },
    /// Write this to the log and apply it to the state, as one. The engine's
    /// [state](Engine::state) is what follows from it already.
    Settle(Outcome),
}

/// Where an engine stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    heads: Heads,
    backend_id: Option<String>,
}

/// The state machine.
#[derive(Debug)]
pub struct Engine {
    state: SyncState,
    backend_id: Option<String>,
    on_reset: OnBackendReset,
    phase: Phase,
    /// Failures in a row.
    failures: u32,
    /// Rejected pushes in a row.
    rejections: u32,
    /// The seed of the next jitter.
    seed: u64,
}

#[derive(Debug)]
enum Phase {
    /// The app holds it back.
    Held,
    /// Until the next attempt.
    Waiting {
        until: Duration,
        reason: String,
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

#[derive(Debug)]
enum Push {
    Idle,
    /// Waits for an answer.
    InFlight {
        to: SeqNum,
        until: Duration,
    },
    /// A push was rejected: pull up to `head` first.
    Fenced {
        head: u64,
        until: Duration,
    },
    /// Pushes were rejected again and again: others go first.
    Backoff {
        until: Duration,
    },
    /// The backend does not take this client's events.
    Barred(String),
}

impl Engine {
    /// An engine for a store in this state. It waits for [`Input::Start`].
    ///
    /// `seed` makes clients that lose the same backend come back at different times.
    pub fn new(
        state: SyncState,
        backend_id: Option<String>,
        on_reset: OnBackendReset,
        seed: u64,
    ) -> Self {
        Self { state, backend_id, on_reset, phase: Phase::Held, failures: 0, rejections: 0, seed }
    }

    /// What the store and its backend agree on, and what is pending.
    pub fn state(&self) -> &SyncState {
        &self.state
    }

    /// The pending events, first to last.
    pub(crate) fn pending(&mut self) -> &[EncodedEvent] {
        self.state.pending.make_contiguous()
    }

    /// The backend's id, once it is known.
    pub fn backend_id(&self) -> Option<&str> {
        self.backend_id.as_deref()
    }

    /// Whether there is a connection, and if not, why.
    pub fn network(&self) -> NetworkStatus {
        match &self.phase {
            Phase::Held => NetworkStatus::Held,
            Phase::Waiting { reason, .. } => NetworkStatus::Offline { reason: reason.clone() },
            Phase::Connecting { .. } => NetworkStatus::Connecting,
            Phase::Pulling { .. } => NetworkStatus::Pulling,
            Phase::Live { push: Push::Barred(reason), .. } => {
                NetworkStatus::ReadOnly { reason: reason.clone() }
            }
            Phase::Live { .. } => NetworkStatus::Online,
            Phase::Stopped(reason) => NetworkStatus::Stopped(reason.clone()),
        }
    }

    /// When to call [`handle`](Self::handle) with a [`Tick`](Input::Tick) if nothing else happens.
    pub fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Waiting { until, .. }
            | Phase::Connecting { until }
            | Phase::Pulling { until }
            | Phase::Live {
                push:
                    Push::InFlight { until, .. } | Push::Fenced { until, .. } | Push::Backoff { until },
                ..
            } => Some(*until),
            Phase::Held | Phase::Live { .. } | Phase::Stopped(_) => None,
        }
    }

    /// The store has committed events. Say [`Input::Committed`] soon after: this only takes note.
    pub fn committed(&mut self, events: Vec<EncodedEvent>) -> Outcome {
        self.state.merge(Payload::LocalPush(events))
    }

    /// Where it stands, to go back to.
    pub fn mark(&self) -> Mark {
        Mark { heads: self.state.heads(), backend_id: self.backend_id.clone() }
    }

    /// What came of the last input, [`Effect::Settle`], could not be written: all is as it was
    /// `before`, and the connection is lost.
    pub fn unsettled(
        &mut self,
        outcome: Outcome,
        before: Mark,
        reason: String,
        now: Duration,
    ) -> Vec<Effect> {
        self.state.take_back(outcome, before.heads);
        self.backend_id = before.backend_id;
        self.handle(Input::Failed { reason }, now)
    }

    /// Takes an input at the time `now`; says what is to be done, in order.
    pub fn handle(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Start => self.start(now, &mut effects),
            Input::Hold => self.leave(Phase::Held, &mut effects),
            Input::Committed => {}
            Input::Failed { reason } => self.lose(reason, now, &mut effects),
            Input::Tick => self.tick(now, &mut effects),
            Input::Backend(message) => self.hear(message, now, &mut effects),
        }
        self.push(now, &mut effects);
        effects
    }

    fn start(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let is_connected = match &self.phase {
            Phase::Held | Phase::Waiting { .. } | Phase::Stopped(_) => false,
            Phase::Connecting { .. } | Phase::Pulling { .. } => true,
            Phase::Live { push, .. } => !matches!(push, Push::Barred(_)),
        };
        if !is_connected {
            self.failures = 0;
            self.leave(Phase::Held, effects);
            self.connect(now, effects);
        }
    }

    fn connect(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.phase = Phase::Connecting { until: now + PATIENCE };
        effects.push(Effect::Connect);
    }

    fn tick(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.phase {
            Phase::Waiting { .. } => self.connect(now, effects),
            Phase::Live { push: push @ Push::Backoff { .. }, .. } => *push = Push::Idle,
            _ => self.lose("the backend does not answer".to_owned(), now, effects),
        }
    }

    fn hear(&mut self, message: BackendMessage, now: Duration, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Held | Phase::Waiting { .. } | Phase::Stopped(_)) {
            // Of a connection that is no more.
            return;
        }
        match message {
            BackendMessage::Connected => self.connected(now, effects),
            BackendMessage::Pulled(pulled) => self.pulled(pulled, now, effects),
            BackendMessage::Pushed => self.pushed(),
            BackendMessage::PushFailed(failure) => self.push_failed(failure, now, effects),
            BackendMessage::PullFailed(SyncError::BackendIdMismatch { expected, .. }) => {
                self.other_backend(expected, now, effects);
            }
            BackendMessage::PullFailed(failure) => self.lose(failure.to_string(), now, effects),
            BackendMessage::Disconnected { reason } => self.lose(reason, now, effects),
        }
    }

    fn connected(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if let Phase::Connecting { .. } = self.phase {
            self.phase = Phase::Pulling { until: now + PATIENCE };
            let head = self.state.upstream_head.global;
            let cursor = self.backend_id.clone().map(|backend_id| Cursor { backend_id, head });
            effects.push(Effect::Pull(cursor));
        }
    }

    fn pulled(&mut self, pulled: Page, now: Duration, effects: &mut Vec<Effect>) {
        let Page { events, more, backend_id } = pulled;
        match &self.backend_id {
            Some(known) if *known != backend_id && !mutant!("ignore the backend id") => {
                return self.other_backend(backend_id, now, effects);
            }
            known => {
                let is_first = known.is_none();
                self.backend_id = Some(backend_id);
                if !self.advance(events, is_first, effects) {
                    return self.gap(now, effects);
                }
            }
        }
        let head = self.state.upstream_head.global;
        match &mut self.phase {
            Phase::Pulling { .. } if more == More::No => {
                (self.failures, self.rejections) = (0, 0);
                self.phase = Phase::Live { push: Push::Idle, accepted: head };
            }
            Phase::Pulling { until } => *until = now + PATIENCE,
            Phase::Live { push: Push::Fenced { head: wanted, .. }, .. } if head >= *wanted => {
                self.push_again(now);
            }
            _ => {}
        }
    }

    /// A push was rejected, and what came in between is there.
    fn push_again(&mut self, now: Duration) {
        let next = match self.rejections {
            0 | 1 => Push::Idle,
            several => {
                let most = FIRST_BACKOFF * (1 << several.min(5));
                Push::Backoff { until: now + most.mul_f64(self.jitter()) }
            }
        };
        if let Phase::Live { push, .. } = &mut self.phase {
            *push = next;
        }
    }

    /// Takes events of the backend's order; says whether they follow what is there. The first are
    /// noted even if there are none: with them comes the backend's id.
    fn advance(
        &mut self,
        events: Vec<SyncEvent>,
        is_first: bool,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let head = self.state.upstream_head.global;
        let new = events.into_iter().filter(|event| event.seq > head);
        let new: Vec<EncodedEvent> = new.map(Into::into).collect();
        if new.is_empty() && !is_first {
            return true;
        }
        let outcome = self.state.merge(Payload::UpstreamAdvance(new));
        match &outcome {
            Outcome::Reject { .. } => return false,
            Outcome::Rebase(_) => self.forget_accepted(),
            Outcome::Advance(_) => {}
        }
        effects.push(Effect::Settle(outcome));
        true
    }

    /// Pending events have other numbers: none of them was accepted.
    fn forget_accepted(&mut self) {
        if let Phase::Live { accepted, .. } = &mut self.phase {
            *accepted = self.state.upstream_head.global;
        }
    }

    /// Events are missing. While pulling, they are on their way: a backend tells what is new in
    /// between what is old.
    fn gap(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if let Phase::Live { .. } = self.phase {
            self.lose("the backend left out events".to_owned(), now, effects);
        }
    }

    fn pushed(&mut self) {
        self.rejections = 0;
        if let Phase::Live { push: push @ Push::InFlight { .. }, accepted } = &mut self.phase {
            if let Push::InFlight { to, .. } = push
                && to.generation == self.state.local_head.generation
            {
                *accepted = to.global.max(*accepted);
            }
            *push = Push::Idle;
        }
    }

    fn push_failed(&mut self, failure: SyncError, now: Duration, effects: &mut Vec<Effect>) {
        let upstream = self.state.upstream_head.global;
        let Phase::Live { push, .. } = &mut self.phase else { return };
        match failure {
            // What the push follows was the backend's.
            SyncError::ServerAhead { head, parent } if head < parent => {
                self.stop(StopReason::BackendLostEvents { head, known: parent }, now, effects);
            }
            // What came in between may have been pulled before the answer came.
            SyncError::ServerAhead { head, .. }
                if head <= upstream || mutant!("skip the fence") =>
            {
                self.rejections = self.rejections.saturating_add(1);
                self.push_again(now);
            }
            SyncError::ServerAhead { head, .. } => {
                self.rejections = self.rejections.saturating_add(1);
                *push = Push::Fenced { head, until: now + PATIENCE };
            }
            SyncError::BackendIdMismatch { expected, .. } => {
                self.other_backend(expected, now, effects);
            }
            SyncError::Refused(_) | SyncError::Invalid(_) => {
                *push = Push::Barred(failure.to_string());
            }
            // It may have been taken all the same: the next pull will tell.
            _ => self.lose(failure.to_string(), now, effects),
        }
    }

    fn other_backend(&mut self, found: String, now: Duration, effects: &mut Vec<Effect>) {
        let known = self.backend_id.clone().unwrap_or_default();
        self.stop(StopReason::OtherBackend { known, found }, now, effects);
    }

    /// The backend is not the one that the log comes from, or has lost some of it.
    fn stop(&mut self, reason: StopReason, now: Duration, effects: &mut Vec<Effect>) {
        match self.on_reset {
            OnBackendReset::KeepAndStop => self.leave(Phase::Stopped(reason), effects),
            OnBackendReset::Ignore => {
                self.failures = u32::MAX;
                self.lose(reason.to_string(), now, effects);
            }
            OnBackendReset::Reset => {
                self.leave(Phase::Held, effects);
                self.backend_id = None;
                let nothing = Payload::UpstreamRebase { keep: SeqNum::ROOT, events: Vec::new() };
                effects.push(Effect::Settle(self.state.merge(nothing)));
                self.connect(now, effects);
            }
        }
    }

    /// Ends the connection, if there is one.
    fn leave(&mut self, next: Phase, effects: &mut Vec<Effect>) {
        if matches!(
            self.phase,
            Phase::Connecting { .. } | Phase::Pulling { .. } | Phase::Live { .. }
        ) {
            effects.push(Effect::Disconnect);
        }
        self.phase = next;
    }

    /// The connection is of no more use: try again later.
    fn lose(&mut self, reason: String, now: Duration, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Held | Phase::Stopped(_)) {
            return;
        }
        let until = now + self.wait();
        self.failures = self.failures.saturating_add(1);
        self.leave(Phase::Waiting { until, reason }, effects);
    }

    /// The time to the next attempt: between half of what is due and all of it.
    fn wait(&mut self) -> Duration {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(10));
        let half = doubled.min(LONGEST_WAIT) / 2;
        half + half.mul_f64(self.jitter())
    }

    /// A number between 0 and 1, another each time.
    fn jitter(&mut self) -> f64 {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = u32::try_from(mixed >> 32).unwrap_or(u32::MAX);
        f64::from(part) / f64::from(u32::MAX)
    }

    /// Pushes what is next, if nothing is under way.
    fn push(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let Phase::Live { push: Push::Idle, accepted } = self.phase else { return };
        let (events, to) = self.batch(accepted);
        let Some(to) = to else { return };
        self.phase = Phase::Live { push: Push::InFlight { to, until: now + PATIENCE }, accepted };
        effects.push(Effect::Push { events, backend_id: self.backend_id.clone() });
    }

    /// The next events to push, after those up to `accepted`; and the last one's number.
    fn batch(&self, accepted: u64) -> (Vec<SyncEvent>, Option<SeqNum>) {
        let (mut events, mut bytes, mut to) = (Vec::new(), 0, None);
        let first = self.state.pending.partition_point(|event| event.seq.global <= accepted);
        for event in self.state.pending.range(first..) {
            if event.is_client_only() {
                continue;
            }
            let sync = SyncEvent::from(event);
            bytes += sync.wire_size();
            if events.len() == MAX_EVENTS || (bytes > MAX_BATCH_BYTES && !events.is_empty()) {
                break;
            }
            events.push(sync);
            to = Some(event.seq);
        }
        (events, to)
    }
}

#[cfg(test)]
mod tests;
