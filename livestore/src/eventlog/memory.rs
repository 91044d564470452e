//! A log that lives as long as its store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pages::first_within;
use super::{
    Base, Chain, CommandNotes, EventlogError, LogChange, LogStorage, START, Upstream, is_after,
};
use crate::event::{Conflict, EncodedEvent, SeqNum};

/// Events in a `Vec`.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    events: Mutex<Vec<EncodedEvent>>,
    upstream: Mutex<Option<Upstream>>,
    conflicts: Mutex<Vec<Conflict>>,
    begin: Mutex<Option<Begin>>,
}

/// The place that the first event comes behind, and the history before it that was fetched so far.
#[derive(Debug)]
struct Begin {
    base: Base,
    history: Vec<EncodedEvent>,
}

impl Begin {
    /// Whether the history is the one that the base stands for.
    fn is_whole(&self) -> bool {
        let mut chain = Chain::default();
        let checksum = self.history.iter().fold(START, |before, event| chain.next(before, event));
        let head = self.history.last().map_or(0, |event| event.seq.global);
        self.base == Base { seq: head, checksum }
    }
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

    fn begin(&self) -> MutexGuard<'_, Option<Begin>> {
        self.begin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the log has all events after `after`.
    fn check(&self, after: SeqNum) -> Result<(), EventlogError> {
        self.begin().as_ref().map_or(Ok(()), |begin| begin.base.check(after))
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

    fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.check(after)?;
        let events = self.events();
        let start = events.partition_point(|event| !is_after(event.seq, after));
        Ok(first_within(events.iter().skip(start), limit, max_bytes))
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        Ok(self.events().last().cloned())
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.check(after)?;
        let events = self.events();
        let start = events.partition_point(|event| !is_after(event.seq, after));
        Ok((events.len() - start) as u64)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        let events = self.events();
        let end = events.partition_point(|event| !is_after(event.seq, up_to));
        let nth = events.iter().take(end).nth_back(count);
        let nth = nth.map(|event| event.seq);
        Ok(nth.or_else(|| self.begin().as_ref().map(|begin| begin.base.place())))
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        let events = self.events();
        Ok(events.iter().filter(|event| *event.session_id == *session_id).count() as u64)
    }

    fn base(&self) -> Result<Option<Base>, EventlogError> {
        Ok(self.begin().as_ref().map(|begin| begin.base))
    }

    fn begin_at(
        &self,
        base: Base,
        event: &EncodedEvent,
        upstream: &Upstream,
    ) -> Result<(), EventlogError> {
        *self.begin() = (base.seq > 0).then(|| Begin { base, history: Vec::new() });
        self.events().push(event.clone());
        self.upstream().replace(upstream.clone());
        Ok(())
    }

    fn history_head(&self, base: Base) -> Result<Option<u64>, EventlogError> {
        let begin = self.begin();
        let begin = begin.as_ref().filter(|begin| begin.base == base);
        Ok(begin.map(|begin| begin.history.last().map_or(0, |event| event.seq.global)))
    }

    fn add_history(
        &self,
        base: Base,
        mut events: Vec<EncodedEvent>,
    ) -> Result<bool, EventlogError> {
        let mut begin = self.begin();
        let begin = begin.as_mut().filter(|begin| begin.base == base);
        let found = begin.map(|begin| begin.history.append(&mut events));
        Ok(found.is_some())
    }

    fn complete_history(&self, base: Base) -> Result<bool, EventlogError> {
        // In this order everywhere: first the events.
        let mut events = self.events();
        let mut begin = self.begin();
        let Some(found) = begin.as_mut().filter(|begin| begin.base == base) else {
            return Ok(false);
        };
        let history =
            if found.is_whole() { std::mem::take(&mut found.history) } else { Vec::new() };
        let is_whole = !history.is_empty();
        found.history.clear();
        if is_whole {
            events.splice(..0, history);
            *begin = None;
        }
        Ok(is_whole)
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
            let mut begin = self.begin();
            if begin.as_ref().is_some_and(|begin| !is_after(from, begin.base.place())) {
                *begin = None;
            }
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
