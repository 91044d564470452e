//! What observers are told of a transition. Nothing of it is done while there are none.

use std::borrow::Cow;

use super::Committed;
use crate::edge::Stopwatch;
use crate::event::SeqNum;
use crate::eventlog::is_after;
use crate::schema::BatchEntry;
use crate::state::{Quarantined, Timing};
use crate::store::Core;
use crate::store::tools::{Activity, Probe};
use crate::sync::merge::Merge;

/// A commit that is observed.
pub(super) struct Observed {
    watch: Stopwatch,
    names: Vec<Cow<'static, str>>,
}

impl Observed {
    /// `None` if nobody observes.
    pub(super) fn begin(probe: &Probe, entries: &[BatchEntry]) -> Option<Self> {
        probe.is_on().then(|| Self {
            watch: Stopwatch::start(),
            names: entries.iter().map(|entry| entry.def.name().into()).collect(),
        })
    }

    pub(super) fn notify(self, probe: &Probe, committed: &Committed, timings: Vec<Timing>) {
        let Self { mut watch, names } = self;
        let seqs = committed.as_slice().to_vec();
        let mut activities = materialized(timings);
        activities.push(Activity::Committed { seqs, names, took: watch.lap() });
        probe.notify(&activities);
    }
}

fn materialized(timings: Vec<Timing>) -> Vec<Activity> {
    timings.into_iter().map(|(name, took)| Activity::Materialized { name, took }).collect()
}

/// A merge that is observed.
pub(super) struct ObservedMerge {
    watch: Stopwatch,
    /// The numbers of the events that make room.
    undone: Vec<SeqNum>,
}

impl Core {
    /// `None` if nobody observes. Call it before the merge is published.
    pub(super) fn observe_merge(&self, merge: &Merge) -> Option<ObservedMerge> {
        self.state.timings.note(self.probe.is_on());
        if !self.probe.is_on() {
            return None;
        }
        let pending = self.order.state().into_iter().flat_map(|state| &state.pending);
        let from = merge.rebase.as_ref().map(|rebase| rebase.from);
        let leaves = |seq: &SeqNum| from.is_some_and(|from| !is_after(from, *seq));
        let undone = pending.map(|event| event.seq).filter(leaves).collect();
        Some(ObservedMerge { watch: Stopwatch::start(), undone })
    }

    /// Notes what a published merge did, for observers.
    pub(super) fn note_merge(
        &mut self,
        observed: Option<ObservedMerge>,
        merge: &Merge,
        quarantined: &[Quarantined],
    ) {
        let Some(ObservedMerge { mut watch, undone }) = observed else { return };
        let took = watch.lap();
        let activities = &mut self.activities;
        activities.extend(materialized(self.state.timings.take()));
        if let Some(last) = merge.confirmed.last() {
            let count = merge.confirmed.len();
            activities.push(Activity::Confirmed { last: last.seq, count });
        }
        if let Some(rebase) = &merge.rebase {
            let redone = rebase.pending.iter().map(|event| event.seq).collect();
            let upstream = merge.new.len();
            activities.push(Activity::Rebased { undone, redone, upstream, took });
        }
        if let Some(first) = merge.new.first() {
            let count = merge.new.len();
            activities.push(Activity::Pulled { first: first.seq, count, took });
        }
        activities.extend(quarantined.iter().cloned().map(Activity::Quarantined));
    }
}
