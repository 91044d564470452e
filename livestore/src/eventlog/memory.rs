//! A log that lives as long as its store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CommandNotes, EventlogError, LogChange, LogStorage, Upstream, is_after};
use crate::event::{Conflict, EncodedEvent, SeqNum};

/// Events in a `Vec`.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    events: Mutex<Vec<EncodedEvent>>,
    upstream: Mutex<Option<Upstream>>,
    conflicts: Mutex<Vec<Conflict>>,
}

impl MemoryLog {
    pub(crate) fn with(events: Vec<EncodedEvent>) -> Self {
        Self { events: Mutex::new(events), ..Self::default() }
    }

    fn events(&self) -> MutexGuard<'_, Vec<EncodedEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn conflicts(&self) -> MutexGuard<'_, Vec<Conflict>> {
        self.conflicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn upstream(&self) -> MutexGuard<'_, Option<Upstream>> {
        self.upstream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogStorage for MemoryLog {
    fn append(&self, events: &mut Vec<EncodedEvent>) -> Result<(), EventlogError> {
        self.events().append(events);
        Ok(())
    }

    fn retract(&self, from: SeqNum) -> Result<(), EventlogError> {
        let mut events = self.events();
        let end = events.partition_point(|event| place(event) < (from.global, from.client));
        events.truncate(end);
        Ok(())
    }

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, EventlogError> {
        let events = self.events();
        let start = events.partition_point(|event| !is_after(event.seq, after));
        Ok(events.iter().skip(start).take(limit).cloned().collect())
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        Ok(self.events().last().cloned())
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        let events = self.events();
        let start = events.partition_point(|event| !is_after(event.seq, after));
        Ok((events.len() - start) as u64)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        let events = self.events();
        let end = events.partition_point(|event| !is_after(event.seq, up_to));
        let nth = events.iter().take(end).nth_back(count);
        Ok(nth.map(|event| event.seq))
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        let events = self.events();
        Ok(events.iter().filter(|event| *event.session_id == *session_id).count() as u64)
    }

    fn flush(&self) -> Result<(), EventlogError> {
        Ok(())
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        Ok(self.upstream().clone())
    }

    fn change(&self, change: &LogChange<'_>) -> Result<(), EventlogError> {
        let mut events = self.events();
        for (seq, sync_metadata) in &change.confirmed {
            let at = events.binary_search_by_key(&(seq.global, seq.client), place);
            if let Some(event) = at.ok().and_then(|at| events.get_mut(at)) {
                event.sync_metadata = Some((*sync_metadata).to_owned());
            }
        }
        if let Some(from) = change.remove_from {
            let end = events.partition_point(|event| place(event) < (from.global, from.client));
            events.truncate(end);
        }
        events.extend(change.append.iter().copied().cloned());
        if let Some(upstream) = change.upstream {
            self.upstream().replace(upstream.clone());
        }
        let CommandNotes { conflicts, resolved, .. } = &change.commands;
        let mut known = self.conflicts();
        known.retain(|known| {
            !resolved.contains(&known.id) && !conflicts.iter().any(|new| new.id == known.id)
        });
        known.extend(conflicts.iter().cloned());
        Ok(())
    }

    fn conflicts(&self) -> Result<Vec<Conflict>, EventlogError> {
        Ok(MemoryLog::conflicts(self).clone())
    }
}

fn place(event: &EncodedEvent) -> (u64, u64) {
    (event.seq.global, event.seq.client)
}
