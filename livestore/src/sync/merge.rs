//! Merging: what a change of the order above means for the order below, as a value.
//!
//! [`SyncState::plan`] compares the two and returns a [`Merge`]; it changes nothing. Whoever has
//! written the merge to its log hands it to [`SyncState::publish`], which cannot fail. A merge that
//! cannot be written is dropped, and nothing has happened. This module knows nothing of logs, tables
//! or connections, and is the same wherever two orders meet.
//!
//! *Pending* events are those that have no place in the backend's order yet. They are chained, in
//! ascending order, behind the *upstream head*. Client-only events never get such a place: one is
//! pending as long as a synced event before it, or of its own commit, is pending.

mod decisions;

use std::collections::VecDeque;

pub(crate) use decisions::{Decision, Decisions};

use crate::event::{EncodedEvent, SeqNum};

/// A store's own order, and how far it agrees with its backend's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SyncState {
    /// Events without a place in the backend's order, first to last.
    pub(crate) pending: VecDeque<EncodedEvent>,
    /// The last event that has one.
    pub(crate) upstream_head: SeqNum,
    /// The last event that is not pending: the upstream head, or a client-only event behind it.
    pub(crate) confirmed_head: SeqNum,
    /// The last event, pending or not. Its generation is that of the next event.
    pub(crate) local_head: SeqNum,
}

/// A change of the order above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UpstreamChange {
    /// These events are next.
    Advance(Vec<EncodedEvent>),
    /// The order has changed after `keep`, and continues with `events`.
    Replace {
        /// The last event that the old order and the new one share. Client-only events behind it
        /// are not in the new one.
        keep: SeqNum,
        /// The events that follow it now.
        events: Vec<EncodedEvent>,
    },
}

/// A plan: how the order below has to change to agree with the one above.
#[must_use = "a merge has no effect until it is written and published"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    /// The first pending events, which are confirmed.
    pub(crate) confirmed: Vec<Confirmed>,
    /// Events that were not there, behind the confirmed ones.
    pub(crate) new: Vec<EncodedEvent>,
    /// Whether events leave the log, and which come back behind the new ones.
    pub(crate) rebase: Option<Rebase>,
    /// Those of the new events that were pending here, with other args: the backend has rewritten them.
    pub(crate) rewritten: Vec<SeqNum>,
    /// The heads once the merge is published.
    pub(crate) heads: Heads,
    /// What commands have decided again; it is part of all of the above.
    pub(crate) decisions: Decisions,
}

/// A pending event that got its place in the order above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// Its number.
    pub(crate) seq: SeqNum,
    /// The backend's metadata, as JSON; `None` for a client-only event.
    pub(crate) sync_metadata: Option<String>,
}

impl Confirmed {
    /// The event's number and the backend's metadata, if there is any.
    pub(crate) fn metadata(&self) -> Option<(SeqNum, &str)> {
        Some((self.seq, self.sync_metadata.as_deref()?))
    }
}

/// Events that have to make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rebase {
    /// All events from this one on leave the log.
    pub(crate) from: SeqNum,
    /// The events that are still pending, with new numbers.
    pub(crate) pending: Vec<EncodedEvent>,
}

/// The last event of each kind; see [`SyncState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) upstream: SeqNum,
    pub(crate) confirmed: SeqNum,
    pub(crate) local: SeqNum,
}

/// Events that do not follow the one that they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfOrder {
    /// The event that they should have followed.
    pub(crate) expected: SeqNum,
}

impl SyncState {
    /// Plans how this order has to change.
    ///
    /// The time depends on the number of new events and, if pending events are rebased, on their
    /// number.
    pub(crate) fn plan(&self, change: UpstreamChange) -> Result<Merge, OutOfOrder> {
        match change {
            UpstreamChange::Advance(events) => self.plan_advance(self.upstream_head, events, None),
            UpstreamChange::Replace { keep, .. } if place(keep) > place(self.upstream_head) => {
                Err(OutOfOrder { expected: self.upstream_head })
            }
            UpstreamChange::Replace { keep, events } => {
                // Client-only events behind it leave, too: they were confirmed in the old order.
                let (from, _) = keep.next(true);
                self.plan_advance(keep, events, Some(from))
            }
        }
    }

    /// Plans for `events` behind `base`; with `cut`, all events from there on leave the log.
    fn plan_advance(
        &self,
        base: SeqNum,
        events: Vec<EncodedEvent>,
        cut: Option<SeqNum>,
    ) -> Result<Merge, OutOfOrder> {
        if !is_chained(base, &events) {
            return Err(OutOfOrder { expected: self.upstream_head });
        }
        let upstream = events.last().map_or(base, |event| event.seq);
        let Split { mut confirmed, mut new, returned, rewritten } = self.split(events);
        let first_left = self.pending.get(confirmed.len());
        let left = self.left(confirmed.len(), returned);
        if cut.is_some() {
            // They leave the log with the rest, and are appended again.
            new.splice(..0, self.with_metadata(confirmed.drain(..)));
        }
        let pushed_back = first_left.filter(|_| !new.is_empty()).map(|event| event.seq);
        let rebase = cut.or(pushed_back).map(|from| self.make_room(from, left, upstream, &mut new));
        let confirmed_head = new
            .last()
            .map(|event| event.seq)
            .or(confirmed.last().map(|event| event.seq))
            .unwrap_or(if cut.is_some() { base } else { self.confirmed_head });
        let heads = self.heads(upstream, confirmed_head, rebase.as_ref(), new.is_empty());
        let decisions = Decisions::default();
        Ok(Merge { confirmed, new, rebase, rewritten, heads, decisions })
    }

    /// The pending events behind the first `confirmed` ones, without the `returned` next synced ones.
    fn left(&self, confirmed: usize, returned: usize) -> Vec<&EncodedEvent> {
        let mut returned = returned;
        let mut is_left = |event: &&EncodedEvent| {
            let is_left = returned == 0 || event.is_client_only();
            returned -= usize::from(!is_left);
            is_left
        };
        self.pending.range(confirmed..).filter(|event| is_left(event)).collect()
    }

    /// Plans that the events that are left come back behind `head`. The first of them, if no synced
    /// event holds them back any more, are `new` confirmed ones.
    fn make_room(
        &self,
        from: SeqNum,
        left: Vec<&EncodedEvent>,
        head: SeqNum,
        new: &mut Vec<EncodedEvent>,
    ) -> Rebase {
        let idle = idle(&left);
        let mut pending = renumber(left.into_iter(), head, self.local_head.generation + 1);
        new.extend(pending.drain(..idle));
        Rebase { from, pending }
    }

    fn heads(
        &self,
        upstream: SeqNum,
        confirmed: SeqNum,
        rebase: Option<&Rebase>,
        is_nothing_new: bool,
    ) -> Heads {
        let local = match rebase {
            Some(Rebase { pending, .. }) => pending.last().map(|event| event.seq),
            None if is_nothing_new => Some(self.local_head),
            None => None,
        };
        let local = local.unwrap_or(SeqNum {
            // A generation stays raised where nothing is pending.
            generation: self.local_head.generation.max(confirmed.generation),
            ..confirmed
        });
        Heads { upstream, confirmed, local }
    }

    /// The first pending events, with the backend's metadata.
    fn with_metadata(
        &self,
        confirmed: impl Iterator<Item = Confirmed>,
    ) -> impl Iterator<Item = EncodedEvent> {
        self.pending.iter().zip(confirmed).map(|(event, Confirmed { sync_metadata, .. })| {
            EncodedEvent { sync_metadata, ..event.clone() }
        })
    }

    /// Splits the events into those that are the first pending ones, and new ones.
    fn split(&self, events: Vec<EncodedEvent>) -> Split {
        let mut events = events.into_iter().peekable();
        let mut confirmed = Vec::new();
        loop {
            // The client-only events of its commit before a synced event are confirmed with it.
            let leading = self.client_only_run(confirmed.len());
            let Some(event) = self.pending.get(confirmed.len() + leading) else { break };
            let Some(upstream) = events.next_if(|upstream| is_unchanged(event, upstream)) else {
                break;
            };
            self.confirm(leading, &mut confirmed);
            confirmed.push(Confirmed { seq: event.seq, sync_metadata: upstream.sync_metadata });
            // So are those behind it, which wait for nothing else.
            let behind = self.client_only_run(confirmed.len());
            let of_the_next = self.leading(confirmed.len() + behind);
            self.confirm(behind.saturating_sub(of_the_next), &mut confirmed);
        }
        let new: Vec<_> = events.collect();
        let synced = self.pending.range(confirmed.len()..).filter(|event| !event.is_client_only());
        let is_pending =
            |(ours, theirs): &(&EncodedEvent, &EncodedEvent)| ours.identity() == theirs.identity();
        let returned: Vec<_> = synced.zip(&new).take_while(is_pending).collect();
        let is_rewritten = |(ours, theirs): &&(&EncodedEvent, &EncodedEvent)| {
            !ours.identity().has_same_args(&theirs.identity())
        };
        let rewritten = returned.iter().filter(is_rewritten).map(|(_, theirs)| theirs.seq);
        Split { rewritten: rewritten.collect(), returned: returned.len(), confirmed, new }
    }

    /// Adds the next client-only events to the confirmed ones.
    fn confirm(&self, count: usize, confirmed: &mut Vec<Confirmed>) {
        let next = self.pending.range(confirmed.len()..).take(count);
        let next = next.map(|event| Confirmed { seq: event.seq, sync_metadata: None });
        confirmed.extend(next.collect::<Vec<_>>());
    }

    /// The number of client-only events from this pending one on.
    fn client_only_run(&self, from: usize) -> usize {
        self.pending.range(from..).take_while(|event| event.is_client_only()).count()
    }

    /// The number of client-only events right before this pending event, a synced one, that belong
    /// to its commit.
    fn leading(&self, at: usize) -> usize {
        let Some(mut event) = self.pending.get(at) else { return 0 };
        let mut leading = 0;
        for before in self.pending.range(..at).rev() {
            if !before.is_client_only() || !event.is_of_the_commit_of(before) {
                break;
            }
            (event, leading) = (before, leading + 1);
        }
        leading
    }

    /// The number of pending events that will be pushed: client-only ones are not.
    pub(crate) fn to_push(&self) -> usize {
        let (Some(first), Some(last)) = (self.pending.front(), self.pending.back()) else {
            return 0;
        };
        // Only synced events have global numbers of their own, and no number is left out.
        usize::try_from(last.seq.global - first.parent.global).unwrap_or(usize::MAX)
    }

    /// Moves to the heads of a merge, which was planned from this state and is in the log.
    pub(crate) fn publish(&mut self, merge: Merge) {
        match merge.rebase {
            Some(rebase) => self.pending = rebase.pending.into(),
            None => drop(self.pending.drain(..merge.confirmed.len())),
        }
        let Heads { upstream, confirmed, local } = merge.heads;
        (self.upstream_head, self.confirmed_head, self.local_head) = (upstream, confirmed, local);
    }

    /// Adds a commit of the store. Its events follow the local head, and are in the log.
    pub(crate) fn commit(&mut self, events: Vec<EncodedEvent>) {
        // Behind a confirmed event, client-only ones have nothing to wait for, unless synced ones
        // are of the same commit.
        let is_pending =
            !self.pending.is_empty() || events.iter().any(|event| !event.is_client_only());
        for event in events {
            debug_assert_eq!(
                place(event.seq),
                place(self.local_head.next(event.is_client_only()).0),
                "a commit follows the local head"
            );
            self.local_head = event.seq;
            if is_pending {
                self.pending.push_back(event);
            } else {
                self.confirmed_head = event.seq;
            }
        }
    }
}

/// Events of the order above, compared with the pending ones.
struct Split {
    /// The first pending events, which are in the order above.
    confirmed: Vec<Confirmed>,
    /// The events behind them.
    new: Vec<EncodedEvent>,
    /// The number of events at the beginning of `new` that are the next pending synced ones, of which
    /// the backend has rewritten the first.
    returned: usize,
    /// Those of them that it has rewritten.
    rewritten: Vec<SeqNum>,
}

/// Whether a pending event has come back as it was pushed. A backend in JavaScript rewrites numbers
/// that its language does not have; what all other clients have then holds here, too.
fn is_unchanged(pending: &EncodedEvent, upstream: &EncodedEvent) -> bool {
    let (ours, theirs) = (pending.identity(), upstream.identity());
    ours == theirs && ours.has_same_args(&theirs)
}

/// The number of client-only events at the beginning that no synced event holds back.
fn idle(events: &[&EncodedEvent]) -> usize {
    let synced = events.iter().position(|event| !event.is_client_only());
    let Some(synced) = synced else { return events.len() };
    let mut first = synced;
    while let Some(before) = first.checked_sub(1)
        && let (Some(event), Some(leading)) = (events.get(first), events.get(before))
        && event.is_of_the_commit_of(leading)
    {
        first = before;
    }
    first
}

/// Gives the events new numbers, behind `head` and in a new generation.
pub(crate) fn renumber<'a>(
    events: impl Iterator<Item = &'a EncodedEvent>,
    mut head: SeqNum,
    generation: u64,
) -> Vec<EncodedEvent> {
    let renumbered = events.map(|event| {
        let (next, parent) = head.next(event.is_client_only());
        head = SeqNum { generation, ..next };
        EncodedEvent { seq: head, parent, ..event.clone() }
    });
    renumbered.collect()
}

/// The part of a number that orders events; the generation does not.
fn place(seq: SeqNum) -> (u64, u64) {
    (seq.global, seq.client)
}

/// Whether the events are synced ones that follow `head` and one another.
fn is_chained(head: SeqNum, events: &[EncodedEvent]) -> bool {
    let mut head = head.global;
    events.iter().all(|event| {
        let follows =
            event.seq.client == 0 && event.parent.global == head && event.seq.global == head + 1;
        head = event.seq.global;
        follows
    })
}

#[cfg(test)]
mod model;
mod refusal;
#[cfg(test)]
mod tests;
