//! What a session makes of its leader's changes, as a value.
//!
//! A session's order is its leader's, with the session's own commits at the end that the leader has not
//! acknowledged. [`Mirror::plan`] says what a change of the leader's log means for the session's state;
//! nothing has happened before [`Mirror::publish`].

mod order;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use self::order::check_next;
pub(crate) use self::order::{LeaderOrder, behind};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::is_after;
use crate::sync::merge::{Confirmed, Decision, Decisions, Heads, Merge, Rebase, SyncState};

/// The leader's order, and behind it the session's own commits that are not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    session_id: Arc<str>,
    /// The leader's state of sync, with the session's own events at the end of the pending ones.
    state: SyncState,
    /// The last event of the leader's.
    leader_head: SeqNum,
    /// The number of the session's own events.
    own: usize,
    /// The number of the session's events that were acknowledged, as it has sent them.
    arrived: usize,
    /// The number of events that the log has more of the session than have arrived, because commands decided
    /// again.
    surplus: i64,
    /// Whether the leader has a backend. Without one, all its events are confirmed.
    syncs: bool,
    history_id: String,
    /// The last confirmed event, if only a leader without a backend has confirmed it. Under one that has the
    /// backend, it may move.
    last: Option<Mark>,
}

/// An event in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) seq: SeqNum,
    hash: u64,
}

impl Mark {
    pub(crate) fn of(event: &EncodedEvent) -> Self {
        let texts = [&*event.name, &event.args, &event.client_id, &event.session_id];
        let hash = texts.iter().fold(0, |hash, text| xxh3_64_with_seed(text.as_bytes(), hash));
        Self { seq: event.seq, hash }
    }
}

/// A change of the leader's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A commit, of the leader's own or of a session.
    Committed(Vec<EncodedEvent>),
    /// The backend's order has grown.
    Merged {
        merge: Merge,
        /// Whether confirmed events have left the log, whose history has a new id then.
        rewrites_history: Option<String>,
    },
    /// The next commit of a session is that of a command, which was executed again behind what came before it
    /// in the log, and has decided otherwise.
    Decided {
        session_id: Arc<str>,
        /// The number of events that the session has sent.
        sent: usize,
        /// The events that are in the log instead.
        events: Vec<EncodedEvent>,
        /// Why the command failed, if it did.
        failure: Option<String>,
    },
}

impl Change {
    /// Whether commits have other events than before.
    pub(crate) fn has_decisions(&self) -> bool {
        match self {
            Self::Committed(_) => false,
            Self::Merged { merge, .. } => !merge.decisions.commits.is_empty(),
            Self::Decided { .. } => true,
        }
    }
}

/// What a session has to do.
#[must_use = "an update has no effect until it is published"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) update: Update,
    /// What the mirror is then.
    next: Next,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Next {
    leader_head: SeqNum,
    own: usize,
    syncs: bool,
    history_id: Option<String>,
    surplus: i64,
}

/// What has to happen to a session's state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "an update is taken apart at once")]
pub(crate) enum Update {
    /// Nothing: it has the events, under the numbers that they have.
    Nothing,
    /// These events come behind all others, and are pending.
    Append(Vec<EncodedEvent>),
    /// As when a backend's order has grown.
    Merge {
        merge: Merge,
        /// Whether the state has to be made anew.
        rewrites_history: bool,
    },
}

/// The leader said something that does not follow from what it said before: the session has to begin
/// anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfStep;

impl Mirror {
    /// The mirror of a leader in this order, for a session without commits of its own.
    pub(crate) fn new(session_id: Arc<str>, order: LeaderOrder) -> Self {
        let LeaderOrder { state, syncs, history_id, surplus } = order;
        let leader_head = state.local_head;
        let (own, arrived, last) = (0, 0, None);
        Self { session_id, leader_head, state, own, arrived, surplus, syncs, history_id, last }
    }

    /// The session's order. Its own events are pending, too.
    pub(crate) fn state(&self) -> &SyncState {
        &self.state
    }

    /// Whether the leader has a backend.
    pub(crate) fn syncs(&self) -> bool {
        self.syncs
    }

    /// The id of the log's history.
    pub(crate) fn history_id(&self) -> &str {
        &self.history_id
    }

    /// The last confirmed event, if it may move.
    pub(crate) fn last(&self) -> Option<Mark> {
        self.last.filter(|last| last.seq == self.state.confirmed_head)
    }

    /// Notes the last confirmed event, before anything was published.
    pub(crate) fn set_last(&mut self, event: &EncodedEvent) {
        if !self.syncs {
            self.last = Some(Mark::of(event));
        }
    }

    /// Notes that this many of the session's events are in the log, before anything was published.
    pub(crate) fn set_arrived(&mut self, events: usize) {
        self.arrived = events;
    }

    /// Whether what is confirmed here is the beginning of what is confirmed in an order. `last` is the event
    /// that the log has now in the place of the [last](Self::last) one here.
    ///
    /// Without a backend, all events are confirmed. With one, those that it does not have are pending again,
    /// and others may come before them.
    pub(crate) fn is_continued_by(&self, order: &LeaderOrder, last: Option<&EncodedEvent>) -> bool {
        order.history_id == self.history_id
            && !is_after(self.state.confirmed_head, order.state.confirmed_head)
            && self.last().is_none_or(|ours| last.map(Mark::of) == Some(ours))
    }

    /// The next [order](Self::plan_order) is one of another history.
    pub(crate) fn forget_history(&mut self) {
        self.history_id.clear();
    }

    /// The session's own events that the leader has not acknowledged, first to last.
    pub(crate) fn own(&self) -> impl ExactSizeIterator<Item = &EncodedEvent> {
        self.state.pending.range(self.state.pending.len() - self.own..)
    }

    /// Adds a commit of the session, whose events follow the local head.
    pub(crate) fn commit(&mut self, events: Vec<EncodedEvent>) {
        self.own += events.len();
        self.state.local_head = events.last().map_or(self.state.local_head, |event| event.seq);
        self.state.pending.extend(events);
    }

    /// Plans what a change of the leader's log means here.
    ///
    /// It takes little time where the session's own commits are acknowledged in order, and where there
    /// are none; otherwise the time of a rebase.
    pub(crate) fn plan(&self, change: Change) -> Result<Planned, OutOfStep> {
        match change {
            Change::Committed(events) => self.plan_commit(events),
            Change::Merged { merge, rewrites_history } => {
                self.check_order(&merge)?;
                Ok(self.plan_merge(merge, rewrites_history))
            }
            Change::Decided { session_id, sent, events, failure } => {
                self.plan_decided(&session_id, sent, events, failure)
            }
        }
    }

    /// Plans what several changes mean together: one rebase for all of them.
    pub(crate) fn plan_all(&self, changes: Vec<Change>) -> Result<Planned, OutOfStep> {
        let mut order = self.leader_order();
        let mut between = Vec::new();
        for change in changes {
            order.add(change, &self.session_id, &mut between)?;
        }
        Ok(self.plan_order(order, between, true))
    }

    /// Whether changes are better planned [together](Self::plan_all): each would be a rebase of the
    /// session's own commits.
    pub(crate) fn is_rebase(&self, change: &Change) -> bool {
        self.own > 0
            && match change {
                Change::Committed(events) => {
                    events.first().is_some_and(|first| first.session_id != self.session_id)
                }
                Change::Merged { merge, .. } => merge.rebase.is_some() || !merge.new.is_empty(),
                Change::Decided { .. } => true,
            }
    }

    fn leader_order(&self) -> LeaderOrder {
        let state = SyncState {
            pending: self.leaders().cloned().collect(),
            local_head: self.leader_head,
            upstream_head: self.state.upstream_head,
            confirmed_head: self.state.confirmed_head,
        };
        let history_id = self.history_id.clone();
        LeaderOrder { state, syncs: self.syncs, history_id, surplus: self.surplus }
    }

    fn plan_commit(&self, events: Vec<EncodedEvent>) -> Result<Planned, OutOfStep> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err(OutOfStep);
        };
        check_next(self.leader_head, &events)?;
        let is_own = first.session_id == self.session_id;
        if is_own && !self.own().take(events.len()).eq(&events) {
            return Err(OutOfStep);
        }
        let (leader_head, is_pending) = (last.seq, self.is_pending(&events));
        let own = if is_own { self.own - events.len() } else { self.own };
        let next = self.next(leader_head, own, self.surplus);
        let update = match (is_own, is_pending) {
            (true, true) => Update::Nothing,
            (true, false) => self.confirm_own(&events),
            (false, true) if self.own == 0 => Update::Append(events),
            (false, true) => {
                let pending = self.leaders().cloned().chain(events).collect();
                merged(self.rebase(Vec::new(), self.heads_of_leader(leader_head), pending, 0))
            }
            (false, false) => {
                let mut heads = self.heads_of_leader(leader_head);
                (heads.confirmed, heads.upstream) = (leader_head, self.upstream(leader_head));
                merged(self.rebase(events, heads, Vec::new(), 0))
            }
        };
        Ok(Planned { update, next })
    }

    fn next(&self, leader_head: SeqNum, own: usize, surplus: i64) -> Next {
        Next { leader_head, own, syncs: self.syncs, history_id: None, surplus }
    }

    /// Plans that the next commit of a session has other events in the log than the session has sent.
    fn plan_decided(
        &self,
        session_id: &Arc<str>,
        sent: usize,
        events: Vec<EncodedEvent>,
        failure: Option<String>,
    ) -> Result<Planned, OutOfStep> {
        if *session_id != self.session_id {
            return if events.is_empty() {
                let next = self.next(self.leader_head, self.own, self.surplus);
                Ok(Planned { update: Update::Nothing, next })
            } else {
                self.plan_commit(events)
            };
        }
        if sent > self.own {
            return Err(OutOfStep);
        }
        let leader_head = match events.last() {
            Some(last) => {
                check_next(self.leader_head, &events)?;
                last.seq
            }
            None => self.leader_head,
        };
        let is_own = |event: &&EncodedEvent| event.session_id == self.session_id;
        let decision = Decision {
            session_id: Arc::clone(session_id),
            behind: self.leaders().filter(is_own).count(),
            was: sent,
            now: events.len(),
            failure,
        };
        let surplus = self.surplus + (decision.now as i64 - decision.was as i64);
        let mut heads = self.heads_of_leader(leader_head);
        let mut decisions = Decisions { commits: vec![decision], ..Decisions::default() };
        let mut merge = if self.is_pending(&events) {
            let pending = self.leaders().cloned().chain(events).collect();
            self.rebase(Vec::new(), heads, pending, sent)
        } else {
            decisions.idle = events.len();
            if !events.is_empty() {
                (heads.confirmed, heads.upstream) = (leader_head, self.upstream(leader_head));
            }
            let pending = self.leaders().cloned().collect();
            self.rebase(events, heads, pending, sent)
        };
        merge.decisions = decisions;
        let next = self.next(leader_head, self.own - sent, surplus);
        Ok(Planned { update: Update::Merge { merge, rewrites_history: false }, next })
    }

    /// Whether a commit of the leader's waits for the backend there.
    fn is_pending(&self, events: &[EncodedEvent]) -> bool {
        let waits = self.state.pending.len() > self.own;
        self.syncs && (waits || events.iter().any(|event| !event.is_client_only()))
    }

    /// The session's first own commit waits for nothing more.
    fn confirm_own(&self, events: &[EncodedEvent]) -> Update {
        let confirmed =
            events.iter().map(|event| Confirmed { seq: event.seq, sync_metadata: None }).collect();
        let head = events.last().map_or(self.leader_head, |event| event.seq);
        let heads =
            Heads { upstream: self.upstream(head), confirmed: head, local: self.state.local_head };
        let (new, rebase, rewritten, decisions) = Default::default();
        merged(Merge { confirmed, new, rebase, rewritten, heads, decisions })
    }

    /// The upstream head when `confirmed` is the last confirmed event.
    fn upstream(&self, confirmed: SeqNum) -> SeqNum {
        if self.syncs { self.state.upstream_head } else { confirmed }
    }

    fn heads_of_leader(&self, local: SeqNum) -> Heads {
        Heads { upstream: self.state.upstream_head, confirmed: self.state.confirmed_head, local }
    }

    /// The pending events of the leader's.
    fn leaders(&self) -> impl Iterator<Item = &EncodedEvent> {
        self.state.pending.range(..self.state.pending.len() - self.own)
    }

    /// Plans that `new` events are confirmed, and then come `pending` ones of the leader's, and then the
    /// session's own ones, without the first `gone`.
    fn rebase(
        &self,
        new: Vec<EncodedEvent>,
        heads: Heads,
        pending: Vec<EncodedEvent>,
        gone: usize,
    ) -> Merge {
        let first_own = self.own().next().map(|event| event.seq);
        let from = self.leaders().next().map(|event| event.seq).or(first_own);
        let rebase = from.map(|from| Rebase { from, pending });
        let (confirmed, rewritten, decisions) = Default::default();
        let merge = Merge { confirmed, new, rebase, rewritten, heads, decisions };
        self.with_own(merge, self.own().skip(gone).cloned())
    }

    /// The leader's merge, with these events of the session behind it.
    fn with_own(&self, merge: Merge, own: impl Iterator<Item = EncodedEvent>) -> Merge {
        let mut merge = merge;
        let own = behind(merge.heads.local, own);
        if let Some(last) = own.last() {
            merge.heads.local = last.seq;
        }
        if let Some(rebase) = &mut merge.rebase {
            rebase.pending.extend(own);
        }
        merge
    }

    fn check_order(&self, merge: &Merge) -> Result<(), OutOfStep> {
        let are_pending = merge.confirmed.len() <= self.state.pending.len() - self.own;
        let pairs = merge.confirmed.iter().zip(&self.state.pending);
        let are_these = pairs.into_iter().all(|(confirmed, event)| confirmed.seq == event.seq);
        if are_pending && are_these { Ok(()) } else { Err(OutOfStep) }
    }

    fn plan_merge(&self, merge: Merge, history_id: Option<String>) -> Planned {
        let rewrites_history = history_id.is_some();
        let surplus = self.surplus + merge.decisions.surplus(&self.session_id);
        let leader_head = merge.heads.local;
        let next = Next { history_id, ..self.next(leader_head, self.own, surplus) };
        let is_in_place = merge.rebase.is_none() && merge.new.is_empty();
        let mut merge = merge;
        if is_in_place {
            merge.heads.local = self.state.local_head;
        } else if let Some(first) = self.own().next() {
            let from = first.seq;
            merge.rebase.get_or_insert_with(|| Rebase { from, pending: Vec::new() });
            merge = self.with_own(merge, self.own().cloned());
        }
        Planned { update: Update::Merge { merge, rewrites_history }, next }
    }

    /// Plans what a leader's whole order means here: after a line was cut, or of another leader.
    /// `between` are its confirmed events behind those that are confirmed here, or all of them unless it
    /// [continues](Self::is_continued_by) what is here.
    pub(crate) fn plan_order(
        &self,
        order: LeaderOrder,
        between: Vec<EncodedEvent>,
        is_continued: bool,
    ) -> Planned {
        let acknowledged = self.acknowledged(&order, &between, is_continued);
        let are_unseen = order.surplus != self.surplus;
        let LeaderOrder { state, syncs, history_id, surplus } = order;
        let left = self.own().skip(acknowledged).cloned();
        let own = self.own - acknowledged;
        let leader_head = state.local_head;
        let pending: Vec<_> =
            state.pending.iter().cloned().chain(behind(leader_head, left)).collect();
        let heads = Heads {
            upstream: state.upstream_head,
            confirmed: state.confirmed_head,
            local: pending.last().map_or(leader_head, |last| last.seq),
        };
        let is_there = self.state.pending.iter().eq(&pending);
        let is_confirmed_same = state.confirmed_head == self.state.confirmed_head;
        let rebase = if is_continued && is_confirmed_same && is_there {
            None
        } else {
            // What is confirmed in both orders stays where it is.
            let kept = state.confirmed_head.min(self.state.confirmed_head);
            Some(Rebase { from: kept.next(true).0, pending })
        };
        let (confirmed, rewritten) = Default::default();
        let decisions = Decisions { are_unseen, ..Decisions::default() };
        let merge = Merge { confirmed, new: between, rebase, rewritten, heads, decisions };
        let update = Update::Merge { merge, rewrites_history: !is_continued };
        let next = Next { leader_head, own, syncs, history_id: Some(history_id), surplus };
        Planned { update, next }
    }

    /// The number of the session's own events that an order has. A commit is there as a whole or not at
    /// all.
    fn acknowledged(
        &self,
        order: &LeaderOrder,
        between: &[EncodedEvent],
        is_continued: bool,
    ) -> usize {
        let is_ours = |event: &&EncodedEvent| event.session_id == self.session_id;
        let there: Vec<_> = between.iter().chain(&order.state.pending).filter(is_ours).collect();
        if order.history_id == self.history_id {
            let known =
                if is_continued { self.leaders().filter(is_ours).count() } else { self.arrived };
            // What commands have decided meanwhile was not sent.
            let surplus = if is_continued { order.surplus - self.surplus } else { order.surplus };
            let sent = (there.len() as i64 - surplus).try_into().unwrap_or(0_usize);
            return sent.saturating_sub(known).min(self.own);
        }
        // Events that were confirmed are gone: what is there ends with the last that arrived.
        let own: Vec<_> = self.own().collect();
        let is_end = |count: &usize| {
            let end = there.len().checked_sub(*count).and_then(|from| there.get(from..));
            let first = own.get(..*count);
            end.zip(first).is_some_and(|(end, first)| {
                end.iter().zip(first).all(|(a, b)| a.name == b.name && a.args == b.args)
            })
        };
        (0..=own.len()).rev().find(is_end).unwrap_or(0)
    }

    /// Moves to what was planned, which the session's state has.
    pub(crate) fn publish(&mut self, planned: Planned) {
        let Planned { update, next } = planned;
        self.arrived = match &update {
            Update::Merge { merge, rewrites_history: true } => {
                let arrived = (self.arrived_in(merge) - next.own) as i64 - next.surplus;
                arrived.try_into().unwrap_or_default()
            }
            _ => self.arrived + self.own - next.own,
        };
        self.last = match &update {
            _ if next.syncs => None,
            Update::Merge { merge, .. } => self.last_of(merge),
            Update::Nothing | Update::Append(_) => self.last,
        };
        match update {
            Update::Nothing => {}
            Update::Append(events) => {
                self.state.local_head =
                    events.last().map_or(self.state.local_head, |event| event.seq);
                self.state.pending.extend(events);
            }
            Update::Merge { merge, .. } => self.state.publish(merge),
        }
        let Next { leader_head, own, syncs, history_id, surplus } = next;
        (self.leader_head, self.own, self.syncs) = (leader_head, own, syncs);
        self.surplus = surplus;
        if let Some(history_id) = history_id {
            self.history_id = history_id;
        }
    }

    /// The last event that is confirmed after a merge.
    fn last_of(&self, merge: &Merge) -> Option<Mark> {
        let confirmed = merge.confirmed.len().checked_sub(1);
        let confirmed = confirmed.and_then(|at| self.state.pending.get(at));
        merge.new.last().or(confirmed).map(Mark::of).or(self.last)
    }

    /// The number of the session's events in a merge that has all events.
    fn arrived_in(&self, merge: &Merge) -> usize {
        let pending = merge.rebase.iter().flat_map(|rebase| &rebase.pending);
        let is_ours = |event: &&EncodedEvent| event.session_id == self.session_id;
        merge.new.iter().chain(pending).filter(is_ours).count()
    }

    /// The commit that begins with the session's own event at this place; empty if there is none.
    pub(crate) fn own_commit(&self, at: usize) -> Vec<&EncodedEvent> {
        let from = self.state.pending.len() - self.own + at;
        let events = self.state.pending.range(from.min(self.state.pending.len())..);
        let mut commit: Vec<&EncodedEvent> = Vec::new();
        for event in events {
            if commit.last().is_some_and(|before| !event.is_of_the_commit_of(before)) {
                break;
            }
            commit.push(event);
        }
        commit
    }
}

fn merged(merge: Merge) -> Update {
    Update::Merge { merge, rewrites_history: false }
}
