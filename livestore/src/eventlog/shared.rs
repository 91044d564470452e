//! The log of a leader, as another session reads it.
//!
//! What is confirmed is read from the file, which the leader writes and this session never does, or is
//! what the leader has sent. What comes behind, the session has in memory: the leader may be ahead of
//! what it has said so far, and the session's own commits may not have arrived.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pages::{bytes_of, first_within};
use super::reader::FileReader;
use super::received::Received;
use super::{
    EventlogError, Fingerprint, LogChange, LogStorage, RecordedShape, Upstream, VisitArgs, before,
    is_after,
};
use crate::event::{EncodedEvent, SeqNum};

/// Behind every event.
const END: SeqNum = SeqNum { global: u64::MAX, client: u64::MAX, generation: 0 };

/// A leader's log, up to the events that a session knows of.
#[derive(Debug, Clone)]
pub(crate) struct SharedLog {
    confirmed: Confirmed,
    tail: Arc<Mutex<Tail>>,
    store_id: Arc<str>,
}

/// Where confirmed events are read.
#[derive(Debug, Clone)]
enum Confirmed {
    File(Arc<FileReader>),
    Received(Arc<Received>),
}

#[derive(Debug)]
struct Tail {
    /// The last confirmed event.
    confirmed: SeqNum,
    /// The events behind it.
    pending: VecDeque<EncodedEvent>,
}

impl SharedLog {
    /// Opens the log at `path`, which another process may be writing, up to its end.
    pub(crate) fn open(path: &Path) -> Result<Self, EventlogError> {
        let file = FileReader::open(path)?;
        let store_id = file.store_id()?.into();
        let tail = Tail { confirmed: END, pending: VecDeque::new() };
        let (confirmed, tail) = (Confirmed::File(Arc::new(file)), Arc::new(Mutex::new(tail)));
        Ok(Self { confirmed, tail, store_id })
    }

    /// The log of this store as its leader has sent it.
    pub(crate) fn received(events: Received, store_id: &str) -> Self {
        let tail = Tail { confirmed: END, pending: VecDeque::new() };
        let confirmed = Confirmed::Received(Arc::new(events));
        Self { confirmed, tail: Arc::new(Mutex::new(tail)), store_id: store_id.into() }
    }

    /// Fails if the log's file was deleted, moved or replaced, if the session reads one.
    pub(crate) fn check_file(&self) -> Result<(), EventlogError> {
        match &self.confirmed {
            Confirmed::File(file) => file.check(),
            Confirmed::Received(_) => Ok(()),
        }
    }

    /// The store that the log belongs to.
    pub(crate) fn store_id(&self) -> &str {
        &self.store_id
    }

    /// From now on, the log's confirmed events end with `confirmed`, and then come these.
    pub(crate) fn set(&self, confirmed: SeqNum, pending: impl IntoIterator<Item = EncodedEvent>) {
        *self.tail() = Tail { confirmed, pending: pending.into_iter().collect() };
    }

    /// From now on, the first `count` of the pending events are confirmed, and `confirmed` is the last
    /// event that is.
    pub(crate) fn confirm(&self, count: usize, confirmed: SeqNum) {
        let mut tail = self.tail();
        let count = count.min(tail.pending.len());
        tail.confirmed = confirmed;
        let events = tail.pending.drain(..count);
        if let Confirmed::Received(received) = &self.confirmed {
            received.extend(events);
        }
    }

    /// Notes confirmed events that are new to the session; a leader that has a file has written them.
    pub(crate) fn add_confirmed(&self, new: &[EncodedEvent]) {
        if let Confirmed::Received(received) = &self.confirmed {
            received.extend(new.iter().cloned());
        }
    }

    /// Notes that these are all confirmed events: others have left the log.
    pub(crate) fn replace_confirmed(&self, all: &[EncodedEvent]) {
        if let Confirmed::Received(received) = &self.confirmed {
            received.replace(all.to_vec());
        }
    }

    /// Whether the session has no file to read.
    pub(crate) fn is_received(&self) -> bool {
        matches!(self.confirmed, Confirmed::Received(_))
    }

    /// The place in the log behind which the session has all events: its beginning, if it reads the file.
    pub(crate) fn begins_after(&self) -> SeqNum {
        match &self.confirmed {
            Confirmed::File(_) => SeqNum::ROOT,
            Confirmed::Received(received) => received.begins_after(),
        }
    }

    /// Adds the log's first events, for a session that has no file to read.
    pub(crate) fn complete(&self, first: Vec<EncodedEvent>) {
        if let Confirmed::Received(received) = &self.confirmed {
            received.complete(first);
        }
    }

    /// Adds events behind all others.
    pub(crate) fn extend(&self, events: impl IntoIterator<Item = EncodedEvent>) {
        self.tail().pending.extend(events);
    }

    /// The leader's confirmed events behind `after` up to `to`, whatever the session knows.
    pub(crate) fn read_confirmed(
        &self,
        after: SeqNum,
        to: SeqNum,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        let mut events = Vec::new();
        let mut at = after;
        while is_after(to, at) {
            let page = self.confirmed().read(at, super::PAGE)?;
            let Some(last) = page.last() else { break };
            at = last.seq;
            events.extend(page.into_iter().filter(|event| !is_after(event.seq, to)));
        }
        Ok(events)
    }

    /// The event that the leader's log has under this number, whatever the session knows.
    pub(crate) fn confirmed_event(
        &self,
        seq: SeqNum,
    ) -> Result<Option<EncodedEvent>, EventlogError> {
        match &self.confirmed {
            Confirmed::File(file) => {
                let page = file.read(before(seq), 1)?;
                Ok(page.into_iter().find(|event| event.seq == seq))
            }
            Confirmed::Received(received) => received.event(seq),
        }
    }

    fn confirmed(&self) -> &dyn LogStorage {
        match &self.confirmed {
            Confirmed::File(file) => &**file,
            Confirmed::Received(received) => &**received,
        }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogStorage for SharedLog {
    fn append(&self, events: &mut Vec<EncodedEvent>) -> Result<(), EventlogError> {
        self.extend(events.drain(..));
        Ok(())
    }

    fn retract(&self, from: SeqNum) -> Result<(), EventlogError> {
        let mut tail = self.tail();
        let end = tail.pending.partition_point(|event| is_after(from, event.seq));
        tail.pending.truncate(end);
        Ok(())
    }

    fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        let confirmed = self.tail().confirmed;
        let mut events = Vec::new();
        if is_after(confirmed, after) {
            events = self.confirmed().read_within(after, limit, max_bytes)?;
            let len = events.len();
            events.retain(|event| !is_after(event.seq, confirmed));
            let is_full = len == limit || bytes_of(&events) >= max_bytes;
            if events.len() == len && is_full {
                return Ok(events);
            }
        }
        let at = events.last().map_or(after, |event| event.seq);
        let tail = self.tail();
        let behind = tail.pending.iter().filter(|event| is_after(event.seq, at));
        let (left, bytes_left) =
            (limit - events.len(), max_bytes.saturating_sub(bytes_of(&events)));
        events.extend(first_within(behind, left, bytes_left));
        Ok(events)
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        let (confirmed, last) = {
            let tail = self.tail();
            (tail.confirmed, tail.pending.back().cloned())
        };
        match last {
            Some(last) => Ok(Some(last)),
            None if confirmed == END || self.is_received() => self.confirmed().last(),
            None => {
                let events = self.confirmed().read(super::before(confirmed), 1)?;
                Ok(events.into_iter().next().filter(|event| !is_after(event.seq, confirmed)))
            }
        }
    }

    fn head(&self) -> Result<SeqNum, EventlogError> {
        let last = self.tail().pending.back().map(|event| event.seq);
        match (last, &self.confirmed) {
            (Some(last), _) => Ok(last),
            (None, Confirmed::Received(received)) => received.head(),
            (None, Confirmed::File(_)) => Ok(self.last()?.map_or(SeqNum::ROOT, |event| event.seq)),
        }
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        let (confirmed, pending) = {
            let tail = self.tail();
            let behind = tail.pending.iter().filter(|event| is_after(event.seq, after)).count();
            (tail.confirmed, behind as u64)
        };
        let log = self.confirmed();
        let beyond = if confirmed == END { 0 } else { log.count(confirmed)? };
        Ok(log.count(after)?.saturating_sub(beyond) + pending)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        let (confirmed, pending, found) = {
            let tail = self.tail();
            let end = tail.pending.partition_point(|event| !is_after(event.seq, up_to));
            let found = tail.pending.iter().take(end).nth_back(count).map(|event| event.seq);
            (tail.confirmed, end, found)
        };
        match found {
            Some(found) => Ok(Some(found)),
            None => {
                let up_to = if is_after(up_to, confirmed) { confirmed } else { up_to };
                self.confirmed().skip_back(up_to, count - pending)
            }
        }
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        self.confirmed().count_of_session(session_id)
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.confirmed().fingerprint(seq)
    }

    /// Only its leader can write it.
    fn flush(&self) -> Result<(), EventlogError> {
        Ok(())
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.confirmed().upstream()
    }

    /// Nothing here writes a leader's log.
    fn change(&self, _: &LogChange<'_>) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.confirmed().shapes()
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.confirmed().visit_named(name, visit)
    }
}
