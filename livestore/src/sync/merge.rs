//! Merging: what a store does when its backend, or somebody above it, has news.
//!
//! [`SyncState::merge`] is a pure function of the state and the news. It knows nothing of logs,
//! tables or connections, and is the same wherever two orders meet.
//!
//! *Pending* events are those that have no place in the backend's order yet. They are chained, in
//! ascending order, behind the *upstream head*. Client-only events never get such a place: one is
//! pending as long as the event that it stands behind is.

use std::collections::VecDeque;

use crate::event::{EncodedEvent, SeqNum};

/// What a store knows of its order and of its backend's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncState {
    /// Events without a place in the backend's order, first to last.
    pub pending: VecDeque<EncodedEvent>,
    /// The last event that has one.
    pub upstream_head: SeqNum,
    /// The last event that is not pending: the upstream head, or a client-only event behind it.
    pub confirmed_head: SeqNum,
    /// The last event, pending or not. Its generation is that of the next event.
    pub local_head: SeqNum,
}

/// News for a [`SyncState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Events from below: the store has committed them.
    LocalPush(Vec<EncodedEvent>),
    /// Events from above: they are next in the backend's order.
    UpstreamAdvance(Vec<EncodedEvent>),
    /// The order above is another one after `keep`: it goes on with `events`.
    UpstreamRebase {
        /// The last event that the old and the new order have in common. Client-only events behind
        /// it are not in the new one.
        keep: SeqNum,
        /// What follows it now.
        events: Vec<EncodedEvent>,
    },
}

/// What news amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What is there stays as it is.
    Advance(Advance),
    /// Pending events come after others than before, with new numbers. The state's `pending` has
    /// them.
    Rebase(Rebase),
    /// The news do not fit: they should follow `expected`. The state is as it was.
    Reject {
        /// The event that they should have followed.
        expected: SeqNum,
    },
}

/// Events got their place, or are new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advance {
    /// Events that were pending and are not any more, with what the backend says of them.
    pub confirmed: Vec<EncodedEvent>,
    /// Events that were not there.
    pub new: Vec<EncodedEvent>,
}

/// Events that were behind others come behind new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebase {
    /// What happens before.
    pub advance: Advance,
    /// All events from this one on are taken out of the log; `advance.new` and the state's
    /// `pending` come in their place.
    pub from: SeqNum,
}

/// Where a log ends, and how far it agrees with its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    upstream: SeqNum,
    confirmed: SeqNum,
    local: SeqNum,
}

impl SyncState {
    /// Where it stands.
    pub fn heads(&self) -> Heads {
        let Self { upstream_head, confirmed_head, local_head, .. } = *self;
        Heads { upstream: upstream_head, confirmed: confirmed_head, local: local_head }
    }

    /// The last news from above came to `outcome`, which could not be written: the state is again
    /// as it was `before` it.
    pub fn take_back(&mut self, outcome: Outcome, before: Heads) {
        let (advance, is_rebase) = match outcome {
            Outcome::Advance(advance) => (advance, false),
            Outcome::Rebase(rebase) => (rebase.advance, true),
            Outcome::Reject { .. } => return,
        };
        if mutant!("stay ahead of the log") {
            return;
        }
        for mut event in advance.confirmed.into_iter().rev() {
            event.sync_metadata = None;
            self.pending.push_front(event);
        }
        (self.upstream_head, self.confirmed_head) = (before.upstream, before.confirmed);
        if is_rebase {
            self.renumber(before.local.generation);
        }
        self.local_head = before.local;
    }

    /// Takes the news in.
    ///
    /// Takes time with the number of events in the news; a rebase, with that of pending events.
    pub fn merge(&mut self, payload: Payload) -> Outcome {
        match payload {
            Payload::LocalPush(events) => self.push(events),
            Payload::UpstreamAdvance(events) => self.advance(events),
            Payload::UpstreamRebase { keep, events } => self.replace(keep, events),
        }
    }

    fn push(&mut self, events: Vec<EncodedEvent>) -> Outcome {
        let mut head = self.local_head;
        for event in &events {
            if event.seq <= head || place(event.parent) != place(head.next(is_client_only(event)).1)
            {
                return Outcome::Reject { expected: self.local_head };
            }
            head = event.seq;
        }
        let mut settled = Advance::default();
        for event in events {
            // Behind a confirmed event, a client-only one has nothing to wait for.
            if is_client_only(&event) && self.pending.is_empty() {
                self.confirmed_head = event.seq;
                settled.confirmed.push(event);
            } else {
                self.pending.push_back(event);
            }
        }
        self.local_head = head;
        Outcome::Advance(settled)
    }

    fn advance(&mut self, events: Vec<EncodedEvent>) -> Outcome {
        if !follows(self.upstream_head, &events) {
            return Outcome::Reject { expected: self.upstream_head };
        }
        let Some(head) = events.last().map(|event| event.seq) else {
            return Outcome::Advance(Advance::default());
        };
        let mut events = events.into_iter().peekable();
        let mut confirmed = Vec::new();
        while let (Some(first), Some(event)) = (self.pending.front(), events.peek()) {
            if !is_same(first, event) || mutant!("drop the duplicate check") {
                break;
            }
            let metadata = events.next().and_then(|event| event.sync_metadata);
            self.confirm_first(metadata, &mut confirmed);
        }
        self.upstream_head = head;
        if mutant!("advance the head twice") {
            self.upstream_head.global += 1;
        }
        let advance = Advance { confirmed, new: events.collect() };
        if let Some(last) = advance.new.last().or(advance.confirmed.last()) {
            self.confirmed_head = last.seq;
        }
        match self.pending.front().map(|event| event.seq) {
            Some(from) if !advance.new.is_empty() => {
                self.rebase();
                Outcome::Rebase(Rebase { advance, from })
            }
            _ => {
                if self.pending.is_empty() {
                    self.local_head = self.end(&advance);
                }
                Outcome::Advance(advance)
            }
        }
    }

    /// The first pending event is confirmed, and with it the client-only ones behind it.
    fn confirm_first(&mut self, metadata: Option<String>, confirmed: &mut Vec<EncodedEvent>) {
        let Some(mut first) = self.pending.pop_front() else { return };
        first.sync_metadata = if mutant!("skip the metadata") { None } else { metadata };
        confirmed.push(first);
        while let Some(event) = self.pending.pop_front_if(|event| is_client_only(event)) {
            confirmed.push(event);
        }
    }

    /// Where the log ends when nothing is pending: a generation stays raised.
    fn end(&self, advance: &Advance) -> SeqNum {
        let last = advance.new.last().map_or(self.local_head, |event| event.seq);
        SeqNum { generation: self.local_head.generation.max(last.generation), ..last }
    }

    fn rebase(&mut self) {
        if mutant!("lose client-only events in a rebase") {
            self.pending.retain(|event| !is_client_only(event));
        }
        let more = u64::from(!mutant!("forget the generation"));
        self.renumber(self.local_head.generation + more);
    }

    /// Numbers the pending events anew, behind the upstream head.
    fn renumber(&mut self, generation: u64) {
        let mut head = self.upstream_head;
        for event in &mut self.pending {
            let (next, parent) = head.next(is_client_only(event));
            event.seq = SeqNum { generation, ..next };
            if !mutant!("renumber without the parents") {
                event.parent = parent;
            }
            head = event.seq;
        }
        self.local_head = SeqNum { generation, ..head };
    }

    fn replace(&mut self, keep: SeqNum, events: Vec<EncodedEvent>) -> Outcome {
        if place(keep) > place(self.upstream_head) || !follows(keep, &events) {
            return Outcome::Reject { expected: self.upstream_head };
        }
        (self.upstream_head, self.confirmed_head) = (keep, keep);
        // Client-only events behind it go as well: they were confirmed in the other order.
        let (from, _) = keep.next(true);
        match self.advance(events) {
            Outcome::Advance(advance) if self.pending.is_empty() => {
                let last = self.upstream_head;
                self.local_head = SeqNum { generation: self.local_head.generation, ..last };
                Outcome::Rebase(Rebase { advance, from })
            }
            Outcome::Advance(advance) => {
                self.rebase();
                Outcome::Rebase(Rebase { advance, from })
            }
            Outcome::Rebase(Rebase { advance, .. }) => Outcome::Rebase(Rebase { advance, from }),
            reject @ Outcome::Reject { .. } => reject,
        }
    }
}

fn is_client_only(event: &EncodedEvent) -> bool {
    event.is_client_only()
}

/// What orders events; the generation does not.
fn place(seq: SeqNum) -> (u64, u64) {
    (seq.global, seq.client)
}

/// Whether the events are synced ones that follow `head` and one another.
fn follows(head: SeqNum, events: &[EncodedEvent]) -> bool {
    let mut head = head.global;
    events.iter().all(|event| {
        let chained =
            event.seq.client == 0 && event.parent.global == head && event.seq.global == head + 1;
        head = event.seq.global;
        chained
    })
}

/// Whether a pending event and one of the backend's order are the same.
fn is_same(pending: &EncodedEvent, upstream: &EncodedEvent) -> bool {
    let (mut pending, upstream) = (pending.identity(), upstream.identity());
    if mutant!("take another's event for one's own") {
        pending.client_id = upstream.client_id;
    }
    pending == upstream
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
