//! Spans of pushed commits, each in the trace of its commit: see [`CommitTrace`].

use livestore_protocol::{CommitTrace, SyncEvent};
use tracing::Span;

use crate::store::StoredEvent;

/// Behind the session id of an event that belongs to the commit of the event before it.
const CONTINUES: char = '+';

/// The spans of the commits in a push, from now until they are dropped. Nothing is computed unless a subscriber
/// wants them.
pub(super) fn append(store: &str, batch: &[StoredEvent]) -> Vec<Span> {
    let commits = batch.chunk_by(|before, event| continues(before.event(), event.event()));
    let spans = commits.filter_map(|commit| {
        let SyncEvent { client_id, session_id, seq, .. } = commit.first()?.event();
        Some(tracing::debug_span!(
            "append",
            otel.kind = "server",
            db.system.name = "livestore",
            db.namespace = store,
            db.operation.name = "append",
            livestore.seq = seq,
            livestore.events = commit.len(),
            livestore.is_accepted = tracing::field::Empty,
            livestore.trace_id = %CommitTrace::new(store, client_id, session_id, *seq, 0),
        ))
    });
    spans.take_while(|span| !span.is_disabled()).collect()
}

/// Ends the spans with the answer of the storage.
pub(super) fn end(spans: Vec<Span>, is_accepted: bool) {
    for span in spans {
        span.record("livestore.is_accepted", is_accepted);
    }
}

fn continues(before: &SyncEvent, event: &SyncEvent) -> bool {
    let session = event.session_id.strip_suffix(CONTINUES);
    let before_session = before.session_id.strip_suffix(CONTINUES).unwrap_or(&before.session_id);
    before.client_id == event.client_id && session == Some(before_session)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(client: &str, session: &str) -> SyncEvent {
        SyncEvent {
            seq: 1,
            parent: 0,
            name: "v1.E".to_owned(),
            args: "{}".to_owned(),
            client_id: client.into(),
            session_id: session.into(),
            metadata: None,
        }
    }

    #[test]
    fn a_commit_goes_on_as_long_as_its_mark() {
        let first = event("c", "s");
        assert!(continues(&first, &event("c", "s+")));
        assert!(continues(&event("c", "s+"), &event("c", "s+")));
        for other in [event("c", "s"), event("d", "s+"), event("c", "t+"), event("c", "t")] {
            assert!(!continues(&first, &other), "{other:?}");
        }
    }
}
