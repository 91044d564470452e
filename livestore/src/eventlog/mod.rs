//! The eventlog: every event, in order, durably.
//!
//! The log is the only truth; the state can always be rebuilt from it. A store in memory has it in
//! a `Vec`, a store in a directory in one SQLite file, one row for each event. This module does not
//! know what an event means.
//!
//! A log identifies itself. It has the id of its store, and cannot be opened as any other; a
//! history id, which changes when confirmed events are removed; and a checksum for each event, over
//! the event and the checksum before it. So anything that is derived from a log can be tied to it
//! by a fingerprint: store id, history id, and the checksum of the last event.

mod base;
mod busy;
mod chain;
mod commands;
mod connection;
mod error;
mod file;
mod format;
mod memory;
mod migrate;
mod pages;
mod reader;
mod received;
mod shapes;
mod shared;
mod undo;
#[cfg(not(any(simulation, target_family = "wasm")))]
mod view;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use error::{EventlogError, IoError};

pub(crate) use base::Base;
pub(crate) use busy::Patience;
pub(crate) use chain::{Chain, START};
pub(crate) use commands::CommandNotes;
pub(crate) use file::FileLog;
pub(crate) use memory::MemoryLog;
pub(crate) use pages::{PAGE, PAGE_BYTES, Pages};
pub(crate) use received::Received;
pub(crate) use shapes::RecordedShape;
pub(crate) use shared::SharedLog;
#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) use view::FileView;

use crate::event::{Conflict, EncodedEvent, PendingCommand, SeqNum, UndoChange, UndoNotes};

/// How durable a commit is when it returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// It is in memory, and a background thread writes it within milliseconds. A crash of the
    /// process may lose the last commits, but never one before them. `flush()` and closing the
    /// store wait until all are written.
    Buffered,
    /// It is written to the file: it survives a crash of the process. If another session has the log, it
    /// is on its way there: it survives a crash of this session's process as long as the other goes on.
    #[default]
    Written,
    /// It is on disk: it survives a power cut.
    Synced,
}

/// Called with the args of one event after another.
pub(crate) type VisitArgs<'a> = &'a mut dyn FnMut(&str) -> ControlFlow<()>;

/// A place where events are stored.
pub(crate) trait LogStorage: std::fmt::Debug + Send + Sync {
    /// Adds events behind the head, all of them or none. It may take them out of the `Vec`, but leaves
    /// them there if it fails.
    fn append(&self, events: &mut Vec<EncodedEvent>) -> Result<(), EventlogError>;

    /// Adds events as [`append`](Self::append) does, and changes what can be undone, both or neither. Only a
    /// log that outlives its store needs the latter.
    fn append_with(
        &self,
        events: &mut Vec<EncodedEvent>,
        _undo: &UndoNotes,
    ) -> Result<(), EventlogError> {
        self.append(events)
    }

    /// Whether it stores what can be undone.
    fn keeps_undo(&self) -> bool {
        false
    }

    /// Changes what can be undone.
    fn note_undo(&self, _undo: &UndoNotes) -> Result<(), EventlogError> {
        Ok(())
    }

    /// What a window can undo and redo, as the changes that make it.
    fn undo_steps(&self, _window_id: &str) -> Result<Vec<UndoChange>, EventlogError> {
        Ok(Vec::new())
    }

    /// Removes the event at `from` and all behind it, which were appended last.
    fn retract(&self, from: SeqNum) -> Result<(), EventlogError>;

    /// The first events after `after`, at most `limit` of them, in order. A damaged event is an
    /// error once it is the first.
    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.read_within(after, limit, usize::MAX)
    }

    /// As [`read`](Self::read), but ends once the events have `max_bytes` of args.
    fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError>;

    /// The last event, or none.
    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError>;

    /// The last event's number; `e0` if there is none.
    fn head(&self) -> Result<SeqNum, EventlogError> {
        Ok(self.last()?.map_or(SeqNum::ROOT, |event| event.seq))
    }

    /// The number of events after `after`.
    fn count(&self, after: SeqNum) -> Result<u64, EventlogError>;

    /// The number of the event that comes `count` events after `after`, or of the last one if there are
    /// fewer. `None` if there are none.
    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        Ok(self.read(after, count)?.last().map(|event| event.seq))
    }

    /// The number of the event behind which the last `count` events up to `up_to` come. `None` if there is
    /// none.
    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError>;

    /// The number of events that this session has committed. Reads the whole log.
    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError>;

    /// The identity of the history up to the event at `seq`. `None` if there is no such event, or
    /// if the log ends with its store.
    fn fingerprint(&self, _seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        Ok(None)
    }

    /// The place that the first event comes behind, if the log does not have all events.
    fn base(&self) -> Result<Option<Base>, EventlogError> {
        Ok(None)
    }

    /// Has a log without events begin with `event`, behind the base. Only who writes the log can.
    fn begin_at(&self, _: Base, _: &EncodedEvent, _: &Upstream) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    /// The last event of the history before the base that was fetched so far; `None` if the log has
    /// another base, or none.
    fn history_head(&self, _: Base) -> Result<Option<u64>, EventlogError> {
        Ok(None)
    }

    /// Adds the next events of the history before the base. Returns false, and does nothing, if the log
    /// has another base, or none.
    fn add_history(&self, _: Base, _: Vec<EncodedEvent>) -> Result<bool, EventlogError> {
        Ok(false)
    }

    /// Makes the history that was fetched a part of the log. If it is not the one that the base stands for,
    /// removes it, and returns false.
    fn complete_history(&self, _: Base) -> Result<bool, EventlogError> {
        Ok(false)
    }

    /// Waits until every appended event is as durable as the log makes it.
    fn flush(&self) -> Result<(), EventlogError>;

    /// How far the log and its backend agree; `None` if it never had one.
    fn upstream(&self) -> Result<Option<Upstream>, EventlogError>;

    /// Makes the change, all of it or nothing.
    fn change(&self, change: &LogChange<'_>) -> Result<(), EventlogError>;

    /// The commands of pending events, in the events' order. Only who writes the log needs them.
    fn commands(&self) -> Result<Vec<(SeqNum, PendingCommand)>, EventlogError> {
        Ok(Vec::new())
    }

    /// The commands that failed, and were not resolved, the oldest first.
    fn conflicts(&self) -> Result<Vec<Conflict>, EventlogError> {
        Ok(Vec::new())
    }

    /// The number of events that the log has more of this session than it has committed, because commands
    /// decided again.
    fn surplus(&self, _session_id: &str) -> Result<i64, EventlogError> {
        Ok(0)
    }

    /// The shapes that events may have been written in. A log that ends with its store needs none.
    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        Ok(Vec::new())
    }

    /// Adds shapes, and removes those of the `outdated` names.
    fn record_shapes(&self, _: &[RecordedShape], _outdated: &[&str]) -> Result<(), EventlogError> {
        Ok(())
    }

    /// Visits the args of the events with this name, until `visit` breaks.
    fn visit_named(&self, _name: &str, _visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        Ok(())
    }
}

/// The identity of a log's history up to an event: logs that have the same one have the same events
/// up to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// The store that the log belongs to.
    pub(crate) store_id: String,
    /// Changes when confirmed events are removed from the log.
    pub(crate) history_id: String,
    /// The checksum of the event, which is over all events up to it.
    pub(crate) checksum: i64,
}

/// How far a log and its sync backend agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// The backend whose order it is, once it is known.
    pub(crate) backend_id: Option<String>,
    /// The last event that has its place there.
    pub(crate) head: u64,
    /// The generation of events to come.
    pub(crate) generation: u64,
}

/// A change that brings the log into agreement with its backend.
#[derive(Debug)]
pub(crate) struct LogChange<'a> {
    /// Events that have their place now, with the backend's metadata.
    pub(crate) confirmed: Vec<(SeqNum, &'a str)>,
    /// All events from this one on leave the log.
    pub(crate) remove_from: Option<SeqNum>,
    /// Events that come behind those that are left.
    pub(crate) append: Vec<&'a EncodedEvent>,
    /// How far log and backend agree from now on; `None` if that stays as it is.
    pub(crate) upstream: Option<&'a Upstream>,
    /// The last event that is confirmed then: the commands of those up to it have no more to decide.
    pub(crate) confirmed_head: SeqNum,
    /// What it means for commands.
    pub(crate) commands: CommandNotes,
    /// The id of the log's new history, where confirmed events leave it: a snapshot of the old one
    /// is of no use, even if its file comes back after a power cut.
    pub(crate) new_history: Option<String>,
}

/// The eventlog of a store.
#[derive(Debug, Clone)]
pub(crate) struct Eventlog {
    storage: Arc<dyn LogStorage>,
}

impl Eventlog {
    pub(crate) fn new(storage: impl LogStorage + 'static) -> Self {
        Self { storage: Arc::new(storage) }
    }

    /// A log in a place that somebody else has, too.
    #[cfg(not(any(simulation, target_family = "wasm")))]
    pub(crate) fn shared(storage: Arc<impl LogStorage + 'static>) -> Self {
        Self { storage }
    }

    /// Adds events behind the head, all of them or none. It may take them out of the `Vec`, but leaves
    /// them there if it fails.
    pub(crate) fn append(&self, events: &mut Vec<EncodedEvent>) -> Result<(), EventlogError> {
        self.storage.append(events)
    }

    /// Adds events as [`append`](Self::append) does, and changes what can be undone, both or neither.
    pub(crate) fn append_with(
        &self,
        events: &mut Vec<EncodedEvent>,
        undo: &UndoNotes,
    ) -> Result<(), EventlogError> {
        self.storage.append_with(events, undo)
    }

    /// Whether it stores what can be undone: if it outlives its store.
    pub(crate) fn keeps_undo(&self) -> bool {
        self.storage.keeps_undo()
    }

    /// Changes what can be undone.
    pub(crate) fn note_undo(&self, undo: &UndoNotes) -> Result<(), EventlogError> {
        self.storage.note_undo(undo)
    }

    /// What a window can undo and redo, as the changes that make it. A log that ends with its store has nothing
    /// of it.
    pub(crate) fn undo_steps(&self, window_id: &str) -> Result<Vec<UndoChange>, EventlogError> {
        self.storage.undo_steps(window_id)
    }

    /// Removes the event at `from` and all behind it, which were appended last.
    pub(crate) fn retract(&self, from: SeqNum) -> Result<(), EventlogError> {
        self.storage.retract(from)
    }

    /// Returns the first events after `after`, at most `limit` of them, and checks their chain. If
    /// one that follows is damaged, it returns those before it; reading on from there returns the
    /// error.
    pub(crate) fn read(
        &self,
        after: SeqNum,
        limit: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        checked(after, self.storage.read(after, limit)?)
    }

    /// As [`read`](Self::read), but ends once the events have `max_bytes` of args.
    pub(crate) fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        checked(after, self.storage.read_within(after, limit, max_bytes)?)
    }

    pub(crate) fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.storage.count(after)
    }

    /// The number of the event that comes `count` events after `after`, or of the last one if there are
    /// fewer. `None` if there are none.
    pub(crate) fn skip(
        &self,
        after: SeqNum,
        count: usize,
    ) -> Result<Option<SeqNum>, EventlogError> {
        self.storage.skip(after, count)
    }

    /// The number of the event behind which the last `count` events up to `up_to` come. `None` if there is
    /// none.
    pub(crate) fn skip_back(
        &self,
        up_to: SeqNum,
        count: usize,
    ) -> Result<Option<SeqNum>, EventlogError> {
        self.storage.skip_back(up_to, count)
    }

    /// The number of events that this session has committed. Reads the whole log.
    pub(crate) fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        self.storage.count_of_session(session_id)
    }

    /// The identity of the history up to the event at `seq`; `None` if there is no such event.
    pub(crate) fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.storage.fingerprint(seq)
    }

    /// The place that the first event comes behind, if the log does not have all events.
    pub(crate) fn base(&self) -> Result<Option<Base>, EventlogError> {
        self.storage.base()
    }

    /// Has a log without events begin with `event`, behind the base.
    pub(crate) fn begin_at(
        &self,
        base: Base,
        event: &EncodedEvent,
        upstream: &Upstream,
    ) -> Result<(), EventlogError> {
        self.storage.begin_at(base, event, upstream)
    }

    /// The last event of the history before the base that was fetched so far; `None` if the log has
    /// another base, or none.
    pub(crate) fn history_head(&self, base: Base) -> Result<Option<u64>, EventlogError> {
        self.storage.history_head(base)
    }

    /// Adds the next events of the history before the base. Returns false, and does nothing, if the log
    /// has another base, or none.
    pub(crate) fn add_history(
        &self,
        base: Base,
        events: Vec<EncodedEvent>,
    ) -> Result<bool, EventlogError> {
        self.storage.add_history(base, events)
    }

    /// Makes the history that was fetched a part of the log. If it is not the one that the base stands for,
    /// removes it, and returns false.
    pub(crate) fn complete_history(&self, base: Base) -> Result<bool, EventlogError> {
        self.storage.complete_history(base)
    }

    pub(crate) fn flush(&self) -> Result<(), EventlogError> {
        self.storage.flush()
    }

    pub(crate) fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.storage.upstream()
    }

    pub(crate) fn change(&self, change: &LogChange<'_>) -> Result<(), EventlogError> {
        self.storage.change(change)
    }

    /// The commands of pending events, in the events' order.
    pub(crate) fn commands(&self) -> Result<Vec<(SeqNum, PendingCommand)>, EventlogError> {
        self.storage.commands()
    }

    /// The commands that failed, and were not resolved, the oldest first.
    pub(crate) fn conflicts(&self) -> Result<Vec<Conflict>, EventlogError> {
        self.storage.conflicts()
    }

    /// The number of events that the log has more of this session than it has committed.
    pub(crate) fn surplus(&self, session_id: &str) -> Result<i64, EventlogError> {
        self.storage.surplus(session_id)
    }

    pub(crate) fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.storage.shapes()
    }

    /// Adds shapes, and removes those of the `outdated` names.
    pub(crate) fn record_shapes(
        &self,
        new: &[RecordedShape],
        outdated: &[&str],
    ) -> Result<(), EventlogError> {
        self.storage.record_shapes(new, outdated)
    }

    /// Visits the args of the events with this name, until `visit` breaks. Reads the whole log.
    pub(crate) fn visit_named(
        &self,
        name: &str,
        visit: VisitArgs<'_>,
    ) -> Result<(), EventlogError> {
        self.storage.visit_named(name, visit)
    }

    /// The last event's number; `e0` in an empty log.
    pub(crate) fn head(&self) -> Result<SeqNum, EventlogError> {
        self.storage.head()
    }

    /// The event at this place, if there is one.
    pub(crate) fn event(&self, seq: SeqNum) -> Result<Option<EncodedEvent>, EventlogError> {
        let place = |seq: SeqNum| (seq.global, seq.client);
        let event = self.read(before(seq), 1)?.into_iter().next();
        Ok(event.filter(|event| place(event.seq) == place(seq)))
    }

    /// Every event after `after` up to `to`, page by page, of about [`PAGE_BYTES`] at most.
    pub(crate) fn pages(&self, after: SeqNum, to: SeqNum) -> Pages {
        Pages::new(self.clone(), after, to)
    }
}

/// Whether `seq` comes after `other` in a log, where the generation does not matter.
pub(crate) fn is_after(seq: SeqNum, other: SeqNum) -> bool {
    (seq.global, seq.client) > (other.global, other.client)
}

/// The place right before an event's: all events up to there come before it.
pub(crate) fn before(seq: SeqNum) -> SeqNum {
    match seq.client.checked_sub(1) {
        Some(client) => SeqNum { client, ..seq },
        // There is no event before the first client-only ones.
        None if seq.global == 0 => SeqNum::ROOT,
        None => SeqNum { global: seq.global - 1, client: u64::MAX, generation: 0 },
    }
}

/// The events behind `after`, up to the first one that does not follow the one before it: that is an error once
/// it is the first.
fn checked(
    after: SeqNum,
    mut events: Vec<EncodedEvent>,
) -> Result<Vec<EncodedEvent>, EventlogError> {
    let mut at = after;
    for (n, event) in events.iter().enumerate() {
        match check_chain(at, event) {
            Ok(()) => at = event.seq,
            Err(error) if n == 0 => return Err(error),
            Err(_) => {
                events.truncate(n);
                break;
            }
        }
    }
    Ok(events)
}

/// Checks that an event names the one before it as its parent, so that a gap in the log is noticed.
fn check_chain(before: SeqNum, event: &EncodedEvent) -> Result<(), EventlogError> {
    let (next, parent) = before.next(event.is_client_only());
    let place = |seq: SeqNum| (seq.global, seq.client);
    if place(event.seq) == place(next) && place(event.parent) == place(parent) {
        Ok(())
    } else {
        let parent = event.parent;
        let detail = format!("its parent is {parent}, but the event before it is {before}");
        Err(EventlogError::corrupt(Some(event.seq), detail))
    }
}
