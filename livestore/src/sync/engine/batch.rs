//! Batches of events to push: as many whole commits as the backend accepts at once.

use std::collections::VecDeque;

use livestore_protocol::{MAX_BATCH_BYTES, MAX_EVENTS, SyncEvent};

use crate::event::{EncodedEvent, SeqNum};

/// Events to push.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<SyncEvent>,
    /// The number of the last one.
    pub(super) to: SeqNum,
    /// The number of commits that they are of.
    pub(super) commits: usize,
    /// Their size on the wire.
    pub(super) bytes: usize,
}

/// The synced events behind those that were accepted, up to the end of a commit, of at most this many
/// commits. A push is one decision of the backend's, so a commit is never part of two.
///
/// Only a commit that is too large for any push is cut: one that was made while the store had no
/// backend.
pub(super) fn next_batch(
    pending: &VecDeque<EncodedEvent>,
    accepted: u64,
    max_commits: usize,
) -> Option<Batch> {
    let first = pending.partition_point(|event| event.seq.global <= accepted);
    let mut is_continued = continues_synced(pending, first);
    let (mut events, mut commits, mut bytes) = (Vec::<(SyncEvent, SeqNum)>::new(), 0, 0);
    // The same, up to the end of the last whole commit.
    let (mut whole, mut whole_commits, mut whole_bytes) = (0, 0, 0);
    for event in pending.range(first..) {
        if !event.continues {
            (whole, whole_commits, whole_bytes) = (events.len(), commits, bytes);
            is_continued = false;
        }
        if event.is_client_only() {
            continue;
        }
        let begins = events.is_empty() || !is_continued;
        if begins && commits == max_commits {
            break;
        }
        let synced = event.to_sync_event(is_continued);
        let size = synced.wire_size();
        if events.len() == MAX_EVENTS || (bytes + size > MAX_BATCH_BYTES && !events.is_empty()) {
            if whole > 0 {
                events.truncate(whole);
                (commits, bytes) = (whole_commits, whole_bytes);
            }
            break;
        }
        (commits, bytes) = (commits + usize::from(begins), bytes + size);
        events.push((synced, event.seq));
        is_continued = true;
    }
    let &(_, to) = events.last()?;
    let events = events.into_iter().map(|(event, _)| event).collect();
    Some(Batch { events, to, commits, bytes })
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
