//! Spans of a commit's own trace, which is the same wherever the commit goes: see [`CommitTrace`].
//!
//! The session that commits begins the trace with `write`, or anew with `rebase` when the commit gets other
//! numbers. The server goes on with `append`, and every client that receives the commit with `apply`. Nothing is
//! computed unless a subscriber wants the span.

use std::sync::Arc;

use livestore_protocol::CommitTrace;
use tracing::Span;

use super::Core;
use crate::event::{EncodedEvent, SeqNum, commits};
use crate::sync::merge::{Merge, Rebase};

/// The trace of a commit. Others do not see client-only events, so its first synced event decides, if it has one.
fn trace_of(store_id: &str, commit: &[EncodedEvent]) -> Option<CommitTrace> {
    let synced = commit.iter().find(|event| !event.is_client_only());
    let first = synced.or(commit.first())?;
    let SeqNum { global, client, .. } = first.seq;
    Some(CommitTrace::new(store_id, &first.client_id, &first.session_id, global, client))
}

fn first_of(commit: &[EncodedEvent]) -> Option<SeqNum> {
    commit.first().map(|event| event.seq)
}

/// The span of a commit that is materialized and logged here.
pub(super) fn write(store_id: &str, commit: &[EncodedEvent]) -> Span {
    tracing::debug_span!(
        "write",
        otel.kind = "producer",
        db.system.name = "livestore",
        db.namespace = store_id,
        db.operation.name = "commit",
        livestore.seq = first_of(commit).map(display),
        livestore.events = commit.len(),
        livestore.trace_id = trace_of(store_id, commit).map(display),
    )
}

/// The span of a commit of others that is applied here.
fn apply(store_id: &str, commit: &[EncodedEvent]) -> Span {
    tracing::debug_span!(
        "apply",
        otel.kind = "consumer",
        db.system.name = "livestore",
        db.namespace = store_id,
        db.operation.name = "apply",
        livestore.seq = first_of(commit).map(display),
        livestore.events = commit.len(),
        livestore.trace_id = trace_of(store_id, commit).map(display),
    )
}

/// The span of a pending commit that gets other numbers, and with them another trace.
fn rebase(store_id: &str, before: &[EncodedEvent], commit: &[EncodedEvent]) -> Span {
    tracing::debug_span!(
        "rebase",
        otel.kind = "producer",
        db.system.name = "livestore",
        db.namespace = store_id,
        db.operation.name = "rebase",
        livestore.seq = first_of(commit).map(display),
        livestore.events = commit.len(),
        livestore.trace_id = trace_of(store_id, commit).map(display),
        livestore.linked_trace_id = trace_of(store_id, before).map(display),
    )
}

/// The spans of commits that are being applied, until the subscribers of live queries were called.
#[derive(Debug)]
pub(super) struct Applied {
    store_id: Arc<str>,
    spans: Vec<Span>,
}

impl Applied {
    pub(super) fn new(store_id: &str) -> Self {
        Self { store_id: store_id.into(), spans: Vec::new() }
    }

    pub(super) fn begin(&mut self, events: &[EncodedEvent]) {
        let spans = commits(events).map(|commit| apply(&self.store_id, commit));
        self.spans.extend(spans.take_while(|span| !span.is_disabled()));
    }

    fn begin_rebase(&mut self, pending: &[EncodedEvent], rebase: &Rebase) {
        let first = pending.len().saturating_sub(rebase.pending.len());
        let mut before = pending.get(first..).unwrap_or_default();
        for commit in commits(&rebase.pending) {
            let (old, rest) = before.split_at(commit.len().min(before.len()));
            // A command that was executed again may have other events.
            let old = if is_same(old, commit) { old } else { &[] };
            let span = self::rebase(&self.store_id, old, commit);
            if span.is_disabled() {
                return;
            }
            self.spans.push(span);
            before = rest;
        }
    }

    /// Calls the subscribers. What they do for a single commit is a part of its trace.
    pub(super) fn deliver(spans: Vec<Span>, deliver: impl FnOnce()) {
        match &*spans {
            [span] => span.in_scope(deliver),
            _ => deliver(),
        }
    }

    pub(super) fn take(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.spans)
    }
}

/// Whether it is one commit, with other numbers.
fn is_same(before: &[EncodedEvent], commit: &[EncodedEvent]) -> bool {
    let parts = |event: &EncodedEvent| {
        (event.name.clone(), event.args.clone(), Arc::clone(&event.session_id))
    };
    before.iter().map(parts).eq(commit.iter().map(parts))
}

impl Core {
    /// Begins the spans of a merge that is about to be published.
    pub(super) fn trace_merge(&mut self, merge: &Merge) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        self.applied.begin(&merge.new);
        if let Some(rebase) = &merge.rebase {
            let pending: Vec<_> =
                self.order.state().into_iter().flat_map(|state| &state.pending).cloned().collect();
            self.applied.begin_rebase(&pending, rebase);
        }
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;

    use super::*;

    fn event(seq: SeqNum, session: &str, continues: bool) -> EncodedEvent {
        EncodedEvent {
            seq,
            parent: SeqNum::new(seq.global - 1),
            name: "v1.E".into(),
            args: "{}".into(),
            client_id: "c".into(),
            session_id: session.into(),
            schema_hash: 0,
            sync_metadata: None,
            continues,
            command: None,
        }
    }

    #[test]
    fn without_a_subscriber_a_span_allocates_nothing() {
        let commit = [event(SeqNum::new(1), "s", false)];
        let mut applied = Applied::new("todos");
        let allocated = measure(|| {
            assert!(write("todos", &commit).is_disabled());
            applied.begin(&commit);
            Applied::deliver(applied.take(), || ());
        });
        assert_eq!(allocated.count_total, 0);
    }

    /// Others never see an event that stays on its client.
    #[test]
    fn the_first_synced_event_decides() {
        let client_only = SeqNum { client: 1, ..SeqNum::new(4) };
        let synced = [event(SeqNum::new(5), "s", false)];
        let mixed = [event(client_only, "s", false), event(SeqNum::new(5), "s", true)];
        assert_eq!(trace_of("todos", &mixed), trace_of("todos", &synced));
        assert_ne!(trace_of("todos", &mixed[..1]), trace_of("todos", &synced));
    }
}
