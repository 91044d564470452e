//! Batches of events to push: as many whole commits as the backend accepts at once.

use std::collections::VecDeque;

use livestore_protocol::{MAX_BATCH_BYTES, MAX_EVENTS, SyncEvent};

use crate::event::{EncodedEvent, SeqNum};

/// The synced events behind those that were accepted, up to the end of a commit, and the last one's
/// number. A push is one decision of the backend's, so a commit is never part of two.
///
/// Only a commit that is too large for any push is cut: one that was made while the store had no
/// backend.
pub(super) fn next_batch(
    pending: &VecDeque<EncodedEvent>,
    accepted: u64,
) -> Option<(Vec<SyncEvent>, SeqNum)> {
    let first = pending.partition_point(|event| event.seq.global <= accepted);
    let mut is_continued = continues_synced(pending, first);
    let (mut events, mut whole, mut bytes) = (Vec::<(SyncEvent, SeqNum)>::new(), 0, 0);
    for event in pending.range(first..) {
        if !event.continues {
            (whole, is_continued) = (events.len(), false);
        }
        if event.is_client_only() {
            continue;
        }
        let synced = event.to_sync_event(is_continued);
        bytes += synced.wire_size();
        if events.len() == MAX_EVENTS || (bytes > MAX_BATCH_BYTES && !events.is_empty()) {
            if whole > 0 {
                events.truncate(whole);
            }
            break;
        }
        events.push((synced, event.seq));
        is_continued = true;
    }
    let &(_, to) = events.last()?;
    Some((events.into_iter().map(|(event, _)| event).collect(), to))
}

/// Whether there is a synced event of the same commit before the event at `first`. Client-only
/// events do not count, because other clients do not have them.
fn continues_synced(pending: &VecDeque<EncodedEvent>, first: usize) -> bool {
    let mut events = pending.range(..first).rev();
    let mut last = pending.get(first);
    while last.is_some_and(|event| event.continues) {
        match events.next() {
            Some(event) if !event.is_client_only() => return true,
            // The beginning of the commit has its place already.
            None => return true,
            before => last = before,
        }
    }
    false
}
