//! Seeking: when the line to the leader ends, a session looks for the next one, or leads itself.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::join::{on_line, order};
use super::{Setup, hello};
use crate::edge::{DirectoryLock, Line, LineEvent, LockError, Mailbox, dial, files, fill_random};
use crate::error::ErrorChain;
use crate::event::EncodedEvent;
use crate::eventlog::EventlogError;
use crate::live::deliver;
use crate::session::{Assembler, FromLeader, FromSession, Hello, Reads, Refusal, Welcome, frames};
use crate::store::Inner;
use crate::store::order::Order;

/// The first wait for a leader, at most; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(4);

/// The longest one.
const MAX_DELAY: Duration = Duration::from_millis(250);

/// The wait for a leader that cannot lead this session, or cannot write.
const LONG_DELAY: Duration = Duration::from_secs(2);

/// How long a session without a backend leaves it to others to lead a client that syncs.
const YIELD: Duration = Duration::from_secs(1);

/// The most changes that are handled at once, if they have arrived.
const MAX_AT_ONCE: usize = 1_024;

/// How long a leader may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something that happens on a line, which has a number.
pub(in crate::store) struct Input {
    pub(super) connection: u64,
    pub(super) event: LineEvent,
}

impl Input {
    /// The session's first line has ended.
    pub(super) fn closed(reason: &str) -> Self {
        Self { connection: 0, event: LineEvent::Closed { reason: reason.to_owned() } }
    }
}

/// The state of a session's thread, which works turn by turn.
pub(in crate::store) struct Seeker {
    inner: Weak<Inner>,
    mailbox: Arc<Mailbox<Input>>,
    assembler: Assembler,
    /// What a leader that was asked has sent so far of the confirmed events that are new here.
    between: Vec<EncodedEvent>,
    /// The number of connections so far.
    connections: u64,
    phase: Phase,
    /// The number of attempts in a row to find a leader.
    attempts: u32,
    /// The leader could not write: it is not asked again at once.
    has_failed: bool,
    /// When this session leads, though it has no backend and another one has, or may have.
    yields_until: Option<Duration>,
}

enum Phase {
    Following,
    /// Said hello.
    Greeting {
        line: Line,
        until: Duration,
    },
    /// Until the next attempt.
    Waiting {
        until: Duration,
    },
}

type Turn = ControlFlow<(), Option<Duration>>;

impl Seeker {
    /// The thread's state for a session that has found its leader, whose messages come with this
    /// mailbox.
    pub(in crate::store) fn new(
        inner: Weak<Inner>,
        mailbox: Arc<Mailbox<Input>>,
        assembler: Assembler,
    ) -> Self {
        Self {
            inner,
            mailbox,
            assembler,
            between: Vec::new(),
            connections: 0,
            phase: Phase::Following,
            attempts: 0,
            has_failed: false,
            yields_until: None,
        }
    }

    /// The thread's state for a session that has led, and leaves that to one that has a backend. It begins
    /// when its line is [closed](Input::closed).
    pub(super) fn yielding(inner: Weak<Inner>, mailbox: Arc<Mailbox<Input>>) -> Self {
        let yields_until = Some(mailbox.now() + YIELD);
        Self { yields_until, ..Self::new(inner, mailbox, Assembler::default()) }
    }

    /// Handles what happened on the line, or the deadline that the last turn gave. Breaks when the
    /// session leads, or is closed.
    pub(in crate::store) fn turn(&mut self, input: Option<Input>) -> Turn {
        let Some(inner) = self.inner.upgrade() else { return ControlFlow::Break(()) };
        #[cfg(not(target_family = "wasm"))]
        inner.sessions.acks.arrive_here();
        match input {
            Some(input) if input.connection != self.connections => {}
            Some(Input { event: LineEvent::Closed { reason }, .. }) => {
                tracing::debug!(reason, "the leading session has gone");
                return if self.has_failed {
                    self.leave(&inner, LONG_DELAY)
                } else {
                    self.seek(&inner)
                };
            }
            Some(Input { event: LineEvent::Frame(frame), .. }) => {
                let is_expected = self.receive_frames(&inner, frame);
                if !is_expected {
                    tracing::warn!("the leading session is out of step: it is asked anew");
                    return self.leave(&inner, MAX_DELAY);
                }
            }
            None if self.deadline().is_some_and(|until| until <= self.mailbox.now()) => {
                return self.seek(&inner);
            }
            None => {}
        }
        ControlFlow::Continue(self.deadline())
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Following => None,
            Phase::Greeting { until, .. } | Phase::Waiting { until } => Some(*until),
        }
    }

    /// Handles a frame, and those that have arrived behind it: while a session's own commits are on
    /// their way, all changes of others together cost one rebase. Returns whether they were expected.
    fn receive_frames(&mut self, inner: &Arc<Inner>, frame: Vec<u8>) -> bool {
        let mut changes = Vec::new();
        let mut next = Some(frame);
        while let Some(frame) = next {
            let message = match self.assembler.add(&frame) {
                Ok(Some(message)) => FromLeader::decode(&message).ok_or(()),
                Ok(None) => {
                    next = self.next_frame();
                    continue;
                }
                Err(_) => Err(()),
            };
            match (&self.phase, message) {
                (_, Err(())) => return false,
                (Phase::Following, Ok(FromLeader::Changed(change))) => changes.push(change),
                (_, Ok(message)) => {
                    if !inner.receive_changes(std::mem::take(&mut changes))
                        || !self.receive(inner, message)
                    {
                        return false;
                    }
                }
            }
            next = if changes.len() < MAX_AT_ONCE { self.next_frame() } else { None };
        }
        inner.receive_changes(changes)
    }

    fn next_frame(&self) -> Option<Vec<u8>> {
        let is_next = |input: &Input| {
            input.connection == self.connections && matches!(input.event, LineEvent::Frame(_))
        };
        match self.mailbox.take_if(is_next)?.event {
            LineEvent::Frame(frame) => Some(frame),
            LineEvent::Closed { .. } => None,
        }
    }

    fn receive(&mut self, inner: &Arc<Inner>, message: FromLeader) -> bool {
        match (&self.phase, message) {
            (Phase::Following, message) => {
                self.has_failed = matches!(message, FromLeader::Failed(_));
                inner.receive(message)
            }
            (Phase::Greeting { .. }, FromLeader::Events(mut events)) => {
                self.between.append(&mut events);
                true
            }
            (Phase::Greeting { line, .. }, FromLeader::Welcome(welcome)) => {
                let line = line.clone();
                self.phase = Phase::Following;
                (self.attempts, self.yields_until) = (0, None);
                inner.rejoin(welcome, std::mem::take(&mut self.between), line)
            }
            (Phase::Greeting { .. }, FromLeader::Failed(reason)) => {
                inner.sessions.acks.failed(reason);
                // What becomes of this line does not matter.
                self.connections += 1;
                let _ = self.wait(LONG_DELAY);
                true
            }
            (Phase::Greeting { .. }, FromLeader::Refused(refusal)) => {
                let reason = match refusal {
                    Refusal::Schema(_) => "the app that leads now has another schema",
                    Refusal::Store(_) => "the folder is another store's now",
                    Refusal::Version(_) => "the app that leads now has another version",
                };
                inner.sessions.acks.failed(reason.to_owned());
                tracing::warn!(reason, "this session's commits wait for another leader");
                // What becomes of this line does not matter.
                self.connections += 1;
                let _ = self.wait(LONG_DELAY);
                true
            }
            _ => false,
        }
    }

    /// Ends the line, and looks for a leader after a while.
    fn leave(&mut self, inner: &Inner, delay: Duration) -> Turn {
        inner.lose_line();
        self.connections += 1;
        self.has_failed = false;
        self.wait(delay)
    }

    /// Tries to lead, and otherwise to find who does.
    fn seek(&mut self, inner: &Arc<Inner>) -> Turn {
        inner.lose_line();
        self.connections += 1;
        self.assembler = Assembler::default();
        self.between.clear();
        let Some(setup) = &inner.sessions.setup else { return ControlFlow::Break(()) };
        if let Some(reason) = inner.lost_files() {
            inner.sessions.acks.failed(reason);
            return self.wait(LONG_DELAY);
        }
        if self.may_lead(inner, setup)
            && let Some(turn) = self.try_to_lead(inner, setup)
        {
            return turn;
        }
        match dial(&setup.folder, on_line(&self.mailbox, self.connections)) {
            Ok(line) => {
                let hello = FromSession::Hello(inner.hello()).encode();
                line.send(frames(&hello));
                let until = self.mailbox.now() + PATIENCE;
                self.phase = Phase::Greeting { line, until };
                ControlFlow::Continue(Some(until))
            }
            Err(_) => {
                let doubled = FIRST_DELAY.saturating_mul(1 << self.attempts.min(10));
                self.attempts = self.attempts.saturating_add(1);
                self.wait(doubled.min(MAX_DELAY))
            }
        }
    }

    /// Whether this session may lead now. While the client syncs, or may, a session that has the backend is
    /// the better leader, and takes the lock at once.
    fn may_lead(&mut self, inner: &Inner, setup: &Setup) -> bool {
        if setup.without_files {
            return false;
        }
        if setup.sync.is_some() || (self.yields_until.is_none() && !inner.syncs()) {
            return true;
        }
        let now = self.mailbox.now();
        *self.yields_until.get_or_insert(now + YIELD) <= now
    }

    /// Leads, if nobody else does. `None` if somebody does.
    fn try_to_lead(&mut self, inner: &Arc<Inner>, setup: &Setup) -> Option<Turn> {
        let reason = match DirectoryLock::acquire(&setup.folder) {
            Ok(lock) => match inner.lead(lock) {
                Ok(()) => return Some(ControlFlow::Break(())),
                Err(error) => ErrorChain::new(&error).to_string(),
            },
            Err(LockError::Held) => return None,
            Err(LockError::Io(error)) => error.to_string(),
        };
        tracing::warn!(reason, "this session cannot lead");
        inner.sessions.acks.failed(reason);
        Some(self.wait(LONG_DELAY))
    }

    /// Tries again after between half of this time and all of it.
    fn wait(&mut self, delay: Duration) -> Turn {
        let mut random = [0];
        fill_random(&mut random);
        let [jitter] = random;
        let half = delay / 2;
        let until = self.mailbox.now() + half + half.mul_f64(f64::from(jitter) / 255.0);
        self.phase = Phase::Waiting { until };
        ControlFlow::Continue(Some(until))
    }
}

impl Inner {
    /// The first message to a leader that was found anew.
    fn hello(&self) -> Hello {
        let reads = self.core().ok().and_then(|slot| match &slot.as_ref()?.order {
            Order::Leader(follower) => Some(follower.reads()),
            _ => None,
        });
        let reads = reads.unwrap_or(Reads::Files);
        let setup = self.sessions.setup.as_ref();
        let has_backend = setup.is_some_and(|setup| setup.sync.is_some() && !setup.without_files);
        let (session_id, schema_hash) = (&self.session_id, self.schema_hash);
        hello(&self.store_id, session_id, self.schema, schema_hash, reads, has_backend)
    }

    /// Whether the client has a backend, as far as this session knows.
    fn syncs(&self) -> bool {
        self.core().is_ok_and(|slot| slot.as_ref().is_some_and(|core| core.order.syncs()))
    }

    /// Why the files that this session reads are no longer those of its client, if so. What is in their
    /// place is not read, not led, and nothing is added to it.
    fn lost_files(&self) -> Option<String> {
        let mut slot = self.core().ok()?;
        let log = slot.as_mut()?.order.follower_mut()?.log().clone();
        drop(slot);
        match log.check_file() {
            Ok(()) => None,
            Err(EventlogError::FileLost { path }) if files::exists(&path) => {
                Some("the folder is another store's now: open the store again".to_owned())
            }
            Err(EventlogError::FileLost { .. }) => Some("the store's files are gone".to_owned()),
            Err(error) => Some(ErrorChain::new(&error).to_string()),
        }
    }

    fn lose_line(&self) {
        if let Ok(mut slot) = self.core()
            && let Some(core) = slot.as_mut()
            && let Some(follower) = core.order.follower_mut()
        {
            follower.set_line(None);
        }
    }

    /// Goes on with a leader that was found again, or another one. Returns whether that worked.
    /// `between` are the confirmed events that the leader has sent, for a session without files.
    fn rejoin(&self, welcome: Welcome, between: Vec<EncodedEvent>, line: Line) -> bool {
        let Ok(mut slot) = self.core() else { return true };
        let Some(core) = slot.as_mut() else { return true };
        let Some(follower) = core.order.follower_mut() else { return true };
        follower.set_network(welcome.network.clone(), welcome.next_attempt);
        core.no_image.clone_from(&welcome.no_image);
        let (conflicts, stores_undo) = (welcome.conflicts.clone(), welcome.undo.is_some());
        let order = order(welcome);
        if follower.must_read_all_of(&order) {
            // The leader is asked anew, and sends everything.
            follower.forget_history();
            return false;
        }
        let planned = match follower.plan_order(order, between) {
            Ok(planned) => planned,
            Err(error) => {
                tracing::warn!(%error, "the log could not be read");
                return false;
            }
        };
        match core.follow(planned) {
            Ok(quarantined) => {
                if let Some(follower) = core.order.follower_mut() {
                    follower.set_line(Some(line));
                    follower.send_commits();
                    follower.send_commands();
                }
                core.resend_undo(stores_undo);
                self.note_followed(core);
                core.conflicts.set_in_lock(conflicts);
                drop(slot);
                self.notify_quarantined(&quarantined);
                self.notify_status();
                deliver();
            }
            Err(error) => self.fail(&mut slot, &error),
        }
        true
    }
}
