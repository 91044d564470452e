//! A log's confirmed events as its leader has sent them, for a session that cannot read the file.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pages::first_within;
use super::{EventlogError, Fingerprint, LogChange, LogStorage, Upstream, before, is_after};
use crate::event::{EncodedEvent, SeqNum};

/// The confirmed events behind a place in the log.
#[derive(Debug)]
pub(crate) struct Received(Mutex<Events>);

#[derive(Debug)]
struct Events {
    /// The place that the events come behind.
    after: SeqNum,
    /// The event of that place, if the leader has sent it.
    last: Option<EncodedEvent>,
    /// The log's identity there.
    fingerprint: Option<Fingerprint>,
    events: Vec<EncodedEvent>,
}

impl Received {
    /// The events behind `after`, where the log has this identity, and perhaps before them the event of that place.
    pub(crate) fn new(
        after: SeqNum,
        fingerprint: Option<Fingerprint>,
        mut events: Vec<EncodedEvent>,
    ) -> Self {
        let behind = events.partition_point(|event| !is_after(event.seq, after));
        let last = events.drain(..behind).next_back();
        Self(Mutex::new(Events { after, last, fingerprint, events }))
    }

    /// Returns the event with this number, which the log may have in the place that the others come behind.
    pub(super) fn event(&self, seq: SeqNum) -> Result<Option<EncodedEvent>, EventlogError> {
        let here = self.events();
        let found = match is_after(seq, here.after) {
            true => here.behind(before(seq))?.first(),
            false => here.last.as_ref(),
        };
        Ok(found.filter(|event| event.seq == seq).cloned())
    }

    /// Adds events that are confirmed now.
    pub(super) fn extend(&self, events: impl IntoIterator<Item = EncodedEvent>) {
        self.events().events.extend(events);
    }

    /// From now on, the log has these events, and no others.
    pub(super) fn replace(&self, events: Vec<EncodedEvent>) {
        *self.events() = Events { after: SeqNum::ROOT, last: None, fingerprint: None, events };
    }

    /// Puts the log's first events before those that are here. Does nothing if they do not end where
    /// these begin.
    pub(super) fn complete(&self, mut first: Vec<EncodedEvent>) {
        let mut here = self.events();
        let end = first.partition_point(|event| !is_after(event.seq, here.after));
        first.truncate(end);
        let last = first.last().map_or(SeqNum::ROOT, |event| event.seq);
        if last == here.after {
            first.append(&mut here.events);
            (here.events, here.after, here.last) = (first, SeqNum::ROOT, None);
        }
    }

    /// The place in the log that the first event comes behind.
    pub(super) fn begins_after(&self) -> SeqNum {
        self.events().after
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    /// Those behind `after`, if all of them are here.
    fn behind(&self, after: SeqNum) -> Result<&[EncodedEvent], EventlogError> {
        if is_after(self.after, after) {
            return Err(EventlogError::NotReceived { after: self.after });
        }
        let from = self.events.partition_point(|event| !is_after(event.seq, after));
        Ok(self.events.get(from..).unwrap_or_default())
    }
}

/// What would write it, fails.
impl LogStorage for Received {
    fn append(&self, _: &mut Vec<EncodedEvent>) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn retract(&self, _: SeqNum) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn change(&self, _: &LogChange<'_>) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn flush(&self) -> Result<(), EventlogError> {
        Ok(())
    }

    fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        Ok(first_within(self.events().behind(after)?.iter(), limit, max_bytes))
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        Ok(self.events().events.last().cloned())
    }

    fn head(&self) -> Result<SeqNum, EventlogError> {
        let here = self.events();
        Ok(here.events.last().map_or(here.after, |event| event.seq))
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        Ok(self.events().behind(after)?.len() as u64)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        let here = self.events();
        let end = here.events.partition_point(|event| !is_after(event.seq, up_to));
        match here.events.iter().take(end).nth_back(count) {
            Some(event) => Ok(Some(event.seq)),
            None if here.after == SeqNum::ROOT => Ok(None),
            None if count == end => Ok(Some(here.after)),
            None => Err(EventlogError::NotReceived { after: here.after }),
        }
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        let here = self.events();
        let events = here.behind(SeqNum::ROOT)?;
        Ok(events.iter().filter(|event| *event.session_id == *session_id).count() as u64)
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        let here = self.events();
        Ok(here.fingerprint.clone().filter(|_| seq == here.after))
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        Ok(None)
    }
}
