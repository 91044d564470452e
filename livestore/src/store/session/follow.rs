//! Following: the leader's log has changed.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::journal::{Journal, Journaling};
use crate::edge::Line;
use crate::error::ErrorChain;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::SharedLog;
use crate::live::deliver;
use crate::session::{
    Change, Command, FromLeader, FromSession, LeaderOrder, Mirror, OutOfStep, Planned, Sessions,
    Update, frames,
};
use crate::state::{Quarantined, ReplayError};
use crate::store::load_history::LoadHistoryError;
use crate::store::order::Order;
use crate::store::trace::Applied;
use crate::store::transition::Prepared;
use crate::store::{Core, Inner};
use crate::sync::NetworkStatus;
use crate::sync::merge::SyncState;
use crate::value::Timestamp;

/// The most bytes that are sent ahead of what the leader has acknowledged. More would pile up on the way
/// to a leader that hangs.
const WINDOW: usize = 1 << 20;

/// The part of a store that follows a leader.
#[derive(Debug)]
pub(in crate::store) struct Follower {
    mirror: Mirror,
    log: SharedLog,
    /// `None` while there is no leader.
    line: Option<Line>,
    sent: Sent,
    network: NetworkStatus,
    next_attempt: Option<Timestamp>,
    /// The last list of the leader's.
    sessions: Option<Sessions>,
    /// Whether the client was offline on purpose when a leader with a backend said so last.
    is_paused: bool,
    /// Whether this session wants sync to be paused, until the leader says that it is so: a leader that
    /// goes may not have received it.
    wants_paused: Option<bool>,
    /// Commands for the next leader.
    waiting: Vec<Command>,
    journaling: Option<Journaling>,
    /// The log's first events, as far as the leader has sent them, since they were asked for.
    first: Option<Vec<EncodedEvent>>,
    /// Why the leader could not send them, if so.
    no_history: Option<String>,
}

/// The commits that are on their way.
#[derive(Debug, Default)]
struct Sent {
    /// The number of events of each, and of bytes.
    commits: VecDeque<(usize, usize)>,
    events: usize,
    bytes: usize,
}

impl Sent {
    fn push(&mut self, events: usize, bytes: usize) {
        self.commits.push_back((events, bytes));
        self.events += events;
        self.bytes += bytes;
    }

    /// Removes the first one; returns the number of its events.
    fn pop(&mut self) -> Option<usize> {
        let (events, bytes) = self.commits.pop_front()?;
        self.events -= events;
        self.bytes -= bytes;
        Some(events)
    }
}

impl Follower {
    pub(super) fn new(
        mirror: Mirror,
        log: SharedLog,
        line: Option<Line>,
        network: NetworkStatus,
        next_attempt: Option<Timestamp>,
    ) -> Self {
        let mut new = Self {
            mirror,
            log,
            line,
            sent: Sent::default(),
            network,
            next_attempt,
            sessions: None,
            is_paused: false,
            wants_paused: None,
            waiting: Vec::new(),
            journaling: None,
            first: None,
            no_history: None,
        };
        new.note_network();
        new
    }

    /// Sync is paused if this session leads, unless a leader with a backend says otherwise.
    pub(in crate::store) fn start_paused(&mut self) {
        if self.network == NetworkStatus::None {
            self.is_paused = true;
        }
    }

    /// From now on, commits are in this journal until the leader has them.
    pub(in crate::store) fn keep_journal(&mut self, journal: Box<dyn Journal>) {
        self.journaling = Some(Journaling::new(journal));
    }

    /// How far the order is decided: the session's own commits are pending.
    pub(in crate::store) fn state(&self) -> &SyncState {
        self.mirror.state()
    }

    pub(in crate::store) fn syncs(&self) -> bool {
        self.mirror.syncs()
    }

    pub(super) fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    pub(in crate::store) fn log(&self) -> &SharedLog {
        &self.log
    }

    /// Plans the next change, or all of them, if that saves rebases.
    fn plan(&self, changes: &mut VecDeque<Change>) -> Result<Planned, OutOfStep> {
        let rewrites =
            |change: &Change| matches!(change, Change::Merged { rewrites_history: Some(_), .. });
        // Each change of the number of a commit's events is followed by itself.
        let is_alone = |change: &Change| rewrites(change) || change.has_decisions();
        let Some(next) = changes.pop_front() else { return Err(OutOfStep) };
        if self.log.is_received() && rewrites(&next) {
            // All events are needed then.
            return Err(OutOfStep);
        }
        if !self.mirror.is_rebase(&next) || is_alone(&next) {
            return self.mirror.plan(next);
        }
        let together = changes.iter().position(is_alone).unwrap_or(changes.len());
        if together == 0 {
            return self.mirror.plan(next);
        }
        self.mirror.plan_all([next].into_iter().chain(changes.drain(..together)).collect())
    }

    pub(in crate::store) fn network(&self) -> (NetworkStatus, Option<Timestamp>) {
        (self.network.clone(), self.next_attempt)
    }

    pub(super) fn set_network(&mut self, network: NetworkStatus, next_attempt: Option<Timestamp>) {
        (self.network, self.next_attempt) = (network, next_attempt);
        self.note_network();
    }

    /// The sessions of the client; `None` while there is no leader to say it.
    pub(in crate::store) fn sessions(&self) -> Option<&Sessions> {
        self.sessions.as_ref()
    }

    /// Lists may arrive in another order than they were made in.
    fn set_sessions(&mut self, sessions: Sessions) {
        if self.sessions.as_ref().is_none_or(|last| last.number < sessions.number) {
            self.sessions = Some(sessions);
        }
    }

    fn note_network(&mut self) {
        if self.network != NetworkStatus::None {
            self.is_paused = self.network == NetworkStatus::Paused;
            self.wants_paused = self.wants_paused.filter(|wanted| *wanted != self.is_paused);
        }
    }

    /// Whether sync is paused if this session leads.
    pub(super) fn is_paused(&self) -> bool {
        self.wants_paused.unwrap_or(self.is_paused)
    }

    /// Adds a commit, which the state and the log have, and sends it.
    pub(in crate::store) fn commit(&mut self, events: Vec<EncodedEvent>) {
        let (count, message) = (events.len(), FromSession::encode_commit(events.iter()));
        if let Some(journaling) = &mut self.journaling {
            journaling.commit(count, &message);
        }
        // Otherwise others are sent before it.
        let is_next = self.sent.events == self.mirror.own().len() && self.sent.bytes < WINDOW;
        self.mirror.commit(events);
        if is_next && self.line.is_some() {
            self.sent.push(count, message.len());
            self.send_bytes(&message);
        }
    }

    /// Begins a conversation with a leader.
    pub(super) fn set_line(&mut self, line: Option<Line>) {
        self.line = line;
        self.sessions = None;
        self.sent = Sent::default();
        self.first = None;
    }

    pub(in crate::store) fn command(&mut self, command: Command) {
        match command {
            Command::Pause => self.wants_paused = Some(true),
            Command::Resume => self.wants_paused = Some(false),
            Command::Reconnect
            | Command::Payload(_)
            | Command::Reset
            | Command::Resolve(_)
            | Command::Undo(_) => {}
        }
        if self.line.is_some() {
            self.send(&FromSession::Command(command));
        } else {
            self.waiting.push(command);
        }
    }

    /// Has a leader that was just found do what this session wants.
    pub(super) fn send_commands(&mut self) {
        let wish =
            self.wants_paused.map(|pause| if pause { Command::Pause } else { Command::Resume });
        for command in self.take_waiting().into_iter().chain(wish) {
            self.send(&FromSession::Command(command));
        }
    }

    /// Takes the commands that no leader has got, but for pausing.
    pub(super) fn take_waiting(&mut self) -> Vec<Command> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|command| !matches!(command, Command::Pause | Command::Resume));
        waiting
    }

    /// Asks for the log's first events, if they are not here and not on their way. Returns whether they
    /// are here, or why they do not come.
    pub(in crate::store) fn ask_for_history(&mut self) -> Result<bool, LoadHistoryError> {
        let begin = self.log.begins_after();
        if begin == SeqNum::ROOT {
            return Ok(true);
        }
        if let Some(reason) = self.no_history.take() {
            return Err(LoadHistoryError::Leader { reason });
        }
        if self.first.is_none() && self.line.is_some() {
            self.send(&FromSession::Read(begin));
            self.first = Some(Vec::new());
        }
        Ok(false)
    }

    /// The leader cannot send the log's first events.
    fn fail_history(&mut self, reason: String) {
        if self.first.take().is_some() {
            self.no_history = Some(reason);
        }
    }

    /// Forgets why they did not come, for another attempt.
    pub(in crate::store) fn forget_history_failure(&mut self) {
        self.no_history = None;
    }

    /// Adds some of the log's first events; an empty page is the last one. Returns whether they are all
    /// here. `None` if nobody has asked for them.
    fn add_history(&mut self, mut page: Vec<EncodedEvent>) -> Option<bool> {
        let first = self.first.as_mut()?;
        if page.is_empty() {
            let first = self.first.take()?;
            self.log.complete(first);
            return Some(true);
        }
        first.append(&mut page);
        Some(false)
    }

    /// Has the next leader send everything, because the state is to be made of all events.
    pub(super) fn forget_history(&mut self) {
        self.mirror.forget_history();
    }

    /// Whether a leader has sent too little: it has this session's history, but what is confirmed here is
    /// pending again, and may have moved.
    pub(super) fn must_read_all_of(&self, order: &LeaderOrder) -> bool {
        let is_same = order.history_id == self.mirror.history_id();
        self.log.is_received() && is_same && !self.is_continued_by(order).unwrap_or(false)
    }

    fn send(&self, message: &FromSession) {
        self.send_bytes(&message.encode());
    }

    fn send_bytes(&self, message: &[u8]) {
        if let Some(line) = &self.line {
            line.send(frames(message));
        }
    }

    /// Sends commits, as far as not too much is on its way.
    pub(super) fn send_commits(&mut self) {
        if self.line.is_none() {
            return;
        }
        while self.sent.bytes < WINDOW {
            let commit = self.mirror.own_commit(self.sent.events);
            if commit.is_empty() {
                return;
            }
            let (events, message) = (commit.len(), FromSession::encode_commit(commit.into_iter()));
            self.sent.push(events, message.len());
            self.send_bytes(&message);
        }
    }

    /// Notes that the leader has acknowledged this many events.
    fn acknowledged(&mut self, events: usize) {
        if let Some(journaling) = &mut self.journaling {
            journaling.left(self.mirror.own().len());
        }
        let mut left = events;
        while left > 0
            && let Some(count) = self.sent.pop()
        {
            left = left.saturating_sub(count);
        }
        self.send_commits();
    }
}

impl Core {
    /// Makes the log that this session reads, its state and its live queries what was planned.
    pub(super) fn follow(&mut self, planned: Planned) -> Result<Vec<Quarantined>, ReplayError> {
        let Order::Leader(follower) = &mut self.order else { return Ok(Vec::new()) };
        let log = follower.log.clone();
        let rewrites_history =
            matches!(&planned.update, Update::Merge { rewrites_history: true, .. });
        let quarantined = match &planned.update {
            Update::Nothing => Vec::new(),
            Update::Append(events) => {
                log.extend(events.iter().cloned());
                self.applied.begin(events);
                self.append(events)?
            }
            Update::Merge { merge, rewrites_history } => {
                log.confirm(merge.confirmed.len(), merge.heads.confirmed);
                match rewrites_history {
                    true => log.replace_confirmed(&merge.new),
                    false => log.add_confirmed(&merge.new),
                }
                if let Some(rebase) = &merge.rebase {
                    log.set(merge.heads.confirmed, rebase.pending.iter().cloned());
                }
                match &merge.rebase {
                    Some(rebase) if *rewrites_history => {
                        let quarantined = self.rebuild(merge, rebase)?;
                        self.retrace(&rebase.pending, merge.heads.confirmed)?;
                        self.refused = self.state.refused()?;
                        let pending =
                            self.order.state().into_iter().flat_map(|state| &state.pending);
                        self.own_commits.merged(pending, merge, &self.state)?;
                        quarantined
                    }
                    _ => self.publish_merge(merge, Prepared::Nothing)?,
                }
            }
        };
        let Order::Leader(follower) = &mut self.order else { return Ok(quarantined) };
        let before = follower.mirror.own().len();
        follower.mirror.publish(planned);
        let after = follower.mirror.own().len();
        follower.acknowledged(before - after);
        self.state.head = follower.state().local_head;
        self.histories += u64::from(rewrites_history);
        Ok(quarantined)
    }
}

impl Inner {
    /// Does what a message of the leader's says. Returns whether it could be expected.
    pub(super) fn receive(&self, message: FromLeader) -> bool {
        match message {
            FromLeader::Changed(change) => return self.receive_changes(vec![change]),
            FromLeader::Network(network, next_attempt) => {
                if let Ok(mut slot) = self.core()
                    && let Some(core) = slot.as_mut()
                    && let Some(follower) = core.order.follower_mut()
                {
                    follower.set_network(network, next_attempt);
                }
                self.notify_status();
            }
            FromLeader::Conflicts(conflicts) => {
                if let Ok(mut slot) = self.core()
                    && let Some(core) = slot.as_mut()
                {
                    core.conflicts.set_in_lock(conflicts);
                }
                deliver();
            }
            FromLeader::Sessions(sessions) => {
                if let Ok(mut slot) = self.core()
                    && let Some(core) = slot.as_mut()
                    && let Some(follower) = core.order.follower_mut()
                {
                    follower.set_sessions(sessions);
                }
            }
            FromLeader::StoresUndo => {
                if let Ok(mut slot) = self.core()
                    && let Some(core) = slot.as_mut()
                {
                    core.resend_undo(true);
                }
            }
            FromLeader::Failed(reason) => self.sessions.acks.failed(reason),
            FromLeader::Events(page) => return self.receive_history(page),
            FromLeader::NoHistory(reason) => {
                if let Ok(mut slot) = self.core()
                    && let Some(core) = slot.as_mut()
                    && let Some(follower) = core.order.follower_mut()
                {
                    follower.fail_history(reason);
                }
                self.waiting.wake();
            }
            FromLeader::Reset if self.must_read_all() => return false,
            FromLeader::Reset => {
                if let Err(error) = self.reset_here() {
                    let error = ErrorChain::new(&error);
                    tracing::error!(%error, "the state is not reset");
                }
            }
            FromLeader::Welcome(_)
            | FromLeader::Refused(_)
            | FromLeader::Snapshot(_)
            | FromLeader::Recovered
            | FromLeader::Inspected(_) => return false,
        }
        true
    }

    fn receive_history(&self, page: Vec<EncodedEvent>) -> bool {
        let added = self
            .core()
            .ok()
            .and_then(|mut slot| slot.as_mut()?.order.follower_mut()?.add_history(page));
        if added == Some(true) {
            self.waiting.wake();
        }
        added.is_some()
    }

    /// Whether the state cannot be made anew from the events that are here. Then the next leader sends
    /// all of them.
    fn must_read_all(&self) -> bool {
        let Ok(mut slot) = self.core() else { return false };
        let Some(follower) = slot.as_mut().and_then(|core| core.order.follower_mut()) else {
            return false;
        };
        let must = follower.log.begins_after() != SeqNum::ROOT;
        if must {
            follower.forget_history();
        }
        must
    }

    /// Notes what the log is now, for those who wait for it.
    pub(super) fn note_followed(&self, core: &Core) {
        if let Order::Leader(follower) = &core.order {
            self.sessions.acks.left(follower.mirror.own().len());
        }
        self.tail.advance(core.confirmed_head());
    }

    /// Follows these changes, the first ones of them together if each would be a rebase. Returns whether
    /// they could be expected.
    pub(super) fn receive_changes(&self, changes: Vec<Change>) -> bool {
        let mut changes = VecDeque::from(changes);
        while !changes.is_empty() {
            if let ControlFlow::Break(was_expected) = self.receive_next(&mut changes) {
                return was_expected;
            }
        }
        true
    }

    /// Breaks if none of the changes is followed any more: the store is closed, or leads, or they could
    /// not be expected.
    fn receive_next(&self, changes: &mut VecDeque<Change>) -> ControlFlow<bool> {
        let Ok(mut slot) = self.core() else { return ControlFlow::Break(true) };
        let Some(core) = slot.as_mut() else { return ControlFlow::Break(true) };
        let Some(follower) = core.order.follower_mut() else { return ControlFlow::Break(true) };
        let Ok(planned) = follower.plan(changes) else { return ControlFlow::Break(false) };
        match core.follow(planned) {
            Ok(quarantined) => {
                self.note_followed(core);
                let activities = std::mem::take(&mut core.activities);
                let applied = core.applied.take();
                drop(slot);
                self.notify_quarantined(&quarantined);
                self.probe.notify(&activities);
                Applied::deliver(applied, || {
                    self.notify_status();
                    deliver();
                });
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.fail(&mut slot, &error);
                ControlFlow::Break(true)
            }
        }
    }
}
