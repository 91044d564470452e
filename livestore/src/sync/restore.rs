//! The state of sync, read from the log.

use std::sync::Arc;

use super::merge::SyncState;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, Upstream, before};

/// Behind every event.
const END: SeqNum = SeqNum { global: u64::MAX, client: u64::MAX, generation: 0 };

impl SyncState {
    /// Reads the state of sync, and the backend's id.
    pub(crate) fn read(log: &Eventlog) -> Result<(Self, Option<String>), EventlogError> {
        let upstream = log.upstream()?.unwrap_or_default();
        let mut state = Self::default();
        let confirmed_head = scan(log, &upstream, |event| {
            state.pending.push_back(event);
            true
        })?;
        state.add_commands(log)?;
        state.upstream_head = SeqNum::new(upstream.head);
        state.confirmed_head = confirmed_head;
        state.local_head = state.pending.back().map_or(confirmed_head, |event| event.seq);
        let generation = &mut state.local_head.generation;
        *generation = (*generation).max(upstream.generation);
        Ok((state, upstream.backend_id))
    }

    /// Gives the pending events their commands.
    fn add_commands(&mut self, log: &Eventlog) -> Result<(), EventlogError> {
        for (seq, command) in log.commands()? {
            let place = (seq.global, seq.client);
            let found = self
                .pending
                .binary_search_by_key(&place, |event| (event.seq.global, event.seq.client));
            if let Some(event) = found.ok().and_then(|at| self.pending.get_mut(at)) {
                event.command = Some(Arc::new(command));
            }
        }
        Ok(())
    }

    /// Reads the number of the last event that is not pending.
    pub(crate) fn read_confirmed_head(log: &Eventlog) -> Result<SeqNum, EventlogError> {
        scan(log, &log.upstream()?.unwrap_or_default(), |_| false)
    }
}

/// Returns the last event that is not pending, and calls `visit` with each that is, until it
/// returns false. Pending events begin with the first synced one behind the upstream head, or with
/// the client-only ones before it that belong to its commit.
fn scan(
    log: &Eventlog,
    upstream: &Upstream,
    mut visit: impl FnMut(EncodedEvent) -> bool,
) -> Result<SeqNum, EventlogError> {
    let (mut confirmed, mut is_pending) = (SeqNum::ROOT, false);
    // Client-only events behind the confirmed ones, all of one commit.
    let mut commit: Vec<EncodedEvent> = Vec::new();
    let mut pages = log.pages(before(SeqNum::new(upstream.head)), END);
    loop {
        let page = pages.next_page()?;
        if page.is_empty() {
            return Ok(commit.last().map_or(confirmed, |event| event.seq));
        }
        for event in page {
            if !is_pending && !commit.last().is_some_and(|last| event.is_of_the_commit_of(last)) {
                confirmed = commit.last().map_or(confirmed, |event| event.seq);
                commit.clear();
            }
            is_pending |= event.seq.global > upstream.head;
            if is_pending {
                if !commit.drain(..).chain([event]).all(&mut visit) {
                    return Ok(confirmed);
                }
            } else if event.is_client_only() {
                commit.push(event);
            } else {
                confirmed = event.seq;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventlog::MemoryLog;

    /// A log with these events behind the root, each a commit of its own; `true` is a client-only
    /// one.
    fn log(events: &[bool]) -> Eventlog {
        let mut head = SeqNum::ROOT;
        let event = |&is_client_only: &bool| {
            let (seq, parent) = head.next(is_client_only);
            head = seq;
            EncodedEvent {
                seq,
                parent,
                name: "v1.E".into(),
                args: "{}".into(),
                client_id: "c".into(),
                session_id: "s".into(),
                schema_hash: 0,
                sync_metadata: None,
                continues: false,
                command: None,
            }
        };
        Eventlog::new(MemoryLog::with(events.iter().map(event).collect()))
    }

    #[test]
    fn client_only_events_before_the_first_synced_one_are_confirmed() {
        for (events, pending) in [(&[true, true][..], 0), (&[true, true, false, true][..], 2)] {
            let (state, backend_id) = SyncState::read(&log(events)).unwrap();
            let confirmed = SeqNum { client: 2, ..SeqNum::ROOT };
            assert_eq!((state.upstream_head, state.confirmed_head), (SeqNum::ROOT, confirmed));
            assert_eq!((state.pending.len(), backend_id), (pending, None));
            let local_head = state.pending.back().map_or(confirmed, |event| event.seq);
            assert_eq!(state.local_head, local_head);
            assert_eq!(SyncState::read_confirmed_head(&log(events)).unwrap(), confirmed);
        }
    }
}
