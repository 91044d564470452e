//! A log in a file.
//!
//! It has up to three connections, so that nobody waits: one writes, one reads, one makes checkpoints
//! in the background. The last two are opened when they are needed. Locks are taken in the order
//! writer, buffer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connection::LogConnection;
use super::{
    Durability, EventlogError, Fingerprint, LogChange, LogStorage, RecordedShape, Upstream,
    VisitArgs,
};
use crate::edge::Background;
use crate::event::{EncodedEvent, SeqNum};

/// The number of written events after which the background thread checks the WAL. A simulation has
/// it happen often.
const CHECKPOINT_EVERY: u64 = if cfg!(simulation) { 40 } else { 4_000 };

/// The number of frames (4 KiB each) that the WAL may have before a commit has to wait for its reset.
const WAL_LIMIT: i64 = if cfg!(simulation) { 64 } else { 8_192 };

/// Events in an SQLite file.
#[derive(Debug)]
pub(crate) struct FileLog {
    path: PathBuf,
    shared: Arc<Shared>,
    reader: Mutex<Option<LogConnection>>,
    background: Background,
    durability: Durability,
    since_checkpoint: AtomicU64,
    store_id: String,
    client_id: String,
}

#[derive(Debug)]
struct Shared {
    writer: Mutex<LogConnection>,
    buffer: Mutex<Buffer>,
}

/// Events that are committed but not written, with [`Durability::Buffered`].
#[derive(Debug, Default)]
struct Buffer {
    events: Vec<EncodedEvent>,
    /// Why the last attempt to write them failed.
    failed: Option<EventlogError>,
}

impl FileLog {
    /// Opens the log at `path`. If there is no file, it is created for the store `store_id`, with
    /// ids that `new_id` makes. A log in an earlier format becomes `store_id`'s. Any other may
    /// belong to a different store: see [`store_id`](Self::store_id).
    pub(crate) fn open(
        path: &Path,
        durability: Durability,
        store_id: &str,
        new_id: fn() -> String,
    ) -> Result<Self, EventlogError> {
        let writer = LogConnection::open_or_create(path, durability, store_id, new_id)?;
        let store_id = writer.store_id()?;
        writer.meta("history_id", new_id)?;
        let client_id = writer.meta("client_id", new_id)?;
        let shared =
            Arc::new(Shared { writer: Mutex::new(writer), buffer: Mutex::new(Buffer::default()) });
        let (theirs, path) = (Arc::clone(&shared), path.to_owned());
        let (mut checkpointer, their_path) = (None, path.clone());
        let tidy =
            move || theirs.tidy(&mut checkpointer, || LogConnection::open(&their_path, durability));
        let background = Background::new("livestore-log", tidy);
        if durability == Durability::Buffered {
            // Without the thread, nothing would be written.
            background.start().map_err(|error| EventlogError::NoThread(error.into()))?;
        }
        let (reader, since_checkpoint) = (Mutex::new(None), AtomicU64::new(0));
        Ok(Self {
            path,
            shared,
            reader,
            background,
            durability,
            since_checkpoint,
            store_id,
            client_id,
        })
    }

    /// The store that the log belongs to.
    pub(crate) fn store_id(&self) -> &str {
        &self.store_id
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Wakes the background thread to check the WAL, once enough events are written.
    fn count_written(&self, rows: u64) {
        if self.since_checkpoint.fetch_add(rows, Ordering::Relaxed) + rows >= CHECKPOINT_EVERY {
            self.since_checkpoint.store(0, Ordering::Relaxed);
            self.background.wake();
        }
    }

    /// Reads on the reader's connection, what is buffered, too.
    fn read_with<T>(
        &self,
        read: impl FnOnce(&LogConnection) -> Result<T, EventlogError>,
    ) -> Result<T, EventlogError> {
        self.flush()?;
        let mut reader = lock(&self.reader);
        let reader = match &mut *reader {
            Some(reader) => reader,
            none => none.insert(LogConnection::open(&self.path, self.durability)?),
        };
        read(reader)
    }

    /// Reads little. As long as there is no reader, the writer does it if it is free, as it is while
    /// the store opens.
    fn look_up<T>(
        &self,
        read: impl FnOnce(&LogConnection) -> Result<T, EventlogError>,
    ) -> Result<T, EventlogError> {
        let has_reader = lock(&self.reader).is_some();
        if !has_reader && let Ok(writer) = self.shared.writer.try_lock() {
            self.shared.flush_with(&writer)?;
            return read(&writer);
        }
        self.read_with(read)
    }
}

impl LogStorage for FileLog {
    fn append(&self, events: Vec<EncodedEvent>) -> Result<(), EventlogError> {
        let added = events.len() as u64;
        if self.durability == Durability::Buffered {
            self.shared.retry()?;
            let mut buffer = lock(&self.shared.buffer);
            let was_empty = buffer.events.is_empty();
            buffer.events.extend(events);
            drop(buffer);
            if was_empty {
                self.background.wake();
            }
        } else {
            lock(&self.shared.writer).append(&events)?;
        }
        self.count_written(added);
        Ok(())
    }

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.read_with(|log| log.read(after, limit))
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        self.look_up(LogConnection::last)
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.read_with(|log| log.count(after))
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.look_up(|log| log.fingerprint(seq))
    }

    fn flush(&self) -> Result<(), EventlogError> {
        match self.durability {
            Durability::Buffered => self.shared.flush(),
            Durability::Written | Durability::Synced => Ok(()),
        }
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.look_up(LogConnection::upstream)
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.look_up(LogConnection::shapes)
    }

    fn record_shapes(&self, new: &[RecordedShape], outdated: &[&str]) -> Result<(), EventlogError> {
        lock(&self.shared.writer).record_shapes(new, outdated)
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.read_with(|log| log.visit_named(name, visit))
    }

    fn change(&self, change: &LogChange<'_>) -> Result<(), EventlogError> {
        // Confirmed events may still be buffered.
        self.flush()?;
        lock(&self.shared.writer).change(change)?;
        let added = change.append.len() + change.confirmed.len();
        self.count_written(added as u64);
        Ok(())
    }
}

impl Shared {
    /// The background thread's job: group commit, then a checkpoint when the WAL has grown.
    fn tidy(
        &self,
        checkpointer: &mut Option<LogConnection>,
        open: impl FnOnce() -> Result<LogConnection, EventlogError>,
    ) {
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "buffered events could not be written");
        }
        let opened = match checkpointer.take() {
            Some(opened) => Ok(opened),
            None => open(),
        };
        let checkpointed = opened.and_then(|opened| self.checkpoint(checkpointer.insert(opened)));
        if let Err(error) = checkpointed {
            tracing::warn!(%error, "the eventlog's checkpoint failed");
        }
    }

    /// Under steady load the WAL is never copied as a whole, and only then does it start over: once
    /// it is large, the writer waits while the last few frames are copied.
    fn checkpoint(&self, checkpointer: &LogConnection) -> Result<(), EventlogError> {
        if checkpointer.checkpoint()? > WAL_LIMIT {
            let _still = lock(&self.writer);
            checkpointer.checkpoint()?;
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), EventlogError> {
        self.flush_with(&lock(&self.writer))
    }

    fn flush_with(&self, writer: &LogConnection) -> Result<(), EventlogError> {
        let events = std::mem::take(&mut lock(&self.buffer).events);
        if events.is_empty() {
            return Ok(());
        }
        let written = writer.append(&events);
        let mut buffer = lock(&self.buffer);
        buffer.failed = written.as_ref().err().cloned();
        if written.is_err() {
            // Before the events that were committed meanwhile.
            let newer = std::mem::replace(&mut buffer.events, events);
            buffer.events.extend(newer);
        }
        written
    }

    /// After a failed write, a commit first writes the buffered events: they must not pile up while
    /// the disk is full.
    fn retry(&self) -> Result<(), EventlogError> {
        if lock(&self.buffer).failed.is_none() {
            return Ok(());
        }
        self.flush().map_err(|error| EventlogError::Unwritten(Box::new(error)))
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        if let Err(error) = self.shared.flush() {
            tracing::error!(%error, "buffered events could not be written");
        }
    }
}

/// A connection is whole after a panic: SQLite has rolled back or not begun.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
