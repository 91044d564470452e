//! The log of a leader, as another session reads it.
//!
//! What is confirmed is read from the file, which the leader writes and this session never does. What
//! comes behind, the session has in memory: the leader may be ahead of what it has said so far, and the
//! session's own commits may not have arrived.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connection::LogConnection;
use super::{
    Durability, EventlogError, Fingerprint, LogChange, LogStorage, RecordedShape, Upstream,
    VisitArgs, is_after,
};
use crate::event::{EncodedEvent, SeqNum};

/// Behind every event.
const END: SeqNum = SeqNum { global: u64::MAX, client: u64::MAX, generation: 0 };

/// A leader's log, up to the events that a session knows of.
#[derive(Debug, Clone)]
pub(crate) struct SharedLog {
    file: Arc<Mutex<LogConnection>>,
    tail: Arc<Mutex<Tail>>,
    store_id: Arc<str>,
}

#[derive(Debug)]
struct Tail {
    /// The last event that is read from the file.
    confirmed: SeqNum,
    /// The events behind it.
    pending: VecDeque<EncodedEvent>,
}

impl SharedLog {
    /// Opens the log at `path`, which another process may be writing, up to its end.
    pub(crate) fn open(path: &Path) -> Result<Self, EventlogError> {
        let file = LogConnection::open(path, Durability::Written)?;
        let store_id = file.store_id()?.into();
        let tail = Tail { confirmed: END, pending: VecDeque::new() };
        let (file, tail) = (Arc::new(Mutex::new(file)), Arc::new(Mutex::new(tail)));
        Ok(Self { file, tail, store_id })
    }

    /// The store that the log belongs to.
    pub(crate) fn store_id(&self) -> &str {
        &self.store_id
    }

    /// From now on, the log is the file up to `confirmed`, and these events.
    pub(crate) fn set(&self, confirmed: SeqNum, pending: impl IntoIterator<Item = EncodedEvent>) {
        *self.tail() = Tail { confirmed, pending: pending.into_iter().collect() };
    }

    /// From now on, the first `count` of the events behind the file's are the file's, up to
    /// `confirmed`.
    pub(crate) fn confirm(&self, count: usize, confirmed: SeqNum) {
        let mut tail = self.tail();
        let count = count.min(tail.pending.len());
        tail.pending.drain(..count);
        tail.confirmed = confirmed;
    }

    /// Adds events behind all others.
    pub(crate) fn extend(&self, events: impl IntoIterator<Item = EncodedEvent>) {
        self.tail().pending.extend(events);
    }

    /// The events of the file behind `after` up to `to`, whatever the session knows.
    pub(crate) fn read_file(
        &self,
        after: SeqNum,
        to: SeqNum,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        let mut events = Vec::new();
        let mut at = after;
        while is_after(to, at) {
            let page = self.file().read(at, super::PAGE)?;
            let Some(last) = page.last() else { break };
            at = last.seq;
            events.extend(page.into_iter().filter(|event| !is_after(event.seq, to)));
        }
        Ok(events)
    }

    fn file(&self) -> MutexGuard<'_, LogConnection> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, EventlogError> {
        let confirmed = self.tail().confirmed;
        let mut events = Vec::new();
        if is_after(confirmed, after) {
            events = self.file().read(after, limit)?;
            let len = events.len();
            events.retain(|event| !is_after(event.seq, confirmed));
            if events.len() == len && len == limit {
                return Ok(events);
            }
        }
        let at = events.last().map_or(after, |event| event.seq);
        let tail = self.tail();
        let behind = tail.pending.iter().filter(|event| is_after(event.seq, at));
        let left = limit - events.len();
        events.extend(behind.take(left).cloned());
        Ok(events)
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        let (confirmed, last) = {
            let tail = self.tail();
            (tail.confirmed, tail.pending.back().cloned())
        };
        match last {
            Some(last) => Ok(Some(last)),
            None if confirmed == END => self.file().last(),
            None => {
                let events = self.file().read(super::before(confirmed), 1)?;
                Ok(events.into_iter().next().filter(|event| !is_after(event.seq, confirmed)))
            }
        }
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        let (confirmed, pending) = {
            let tail = self.tail();
            let behind = tail.pending.iter().filter(|event| is_after(event.seq, after)).count();
            (tail.confirmed, behind as u64)
        };
        let file = self.file();
        let beyond = if confirmed == END { 0 } else { file.count(confirmed)? };
        Ok(file.count(after)?.saturating_sub(beyond) + pending)
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.file().fingerprint(seq)
    }

    /// Only its leader can write it.
    fn flush(&self) -> Result<(), EventlogError> {
        Ok(())
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.file().upstream()
    }

    /// Nothing here writes a leader's log.
    fn change(&self, _: &LogChange<'_>) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.file().shapes()
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.file().visit_named(name, visit)
    }
}
