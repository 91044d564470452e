//! A log in a file.
//!
//! Three connections, so that nobody waits: one writes, one reads, one makes checkpoints in the
//! background. Locks are taken in the order writer, buffer.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::writer::LogConnection;
use super::{Durability, EventlogError, RecordedShape, Settlement, Storage, Upstream, VisitArgs};
use crate::edge::Background;
use crate::event::{EncodedEvent, SeqNum};

/// After how many written events the background thread looks at the WAL. A simulation is to see it.
const CHECKPOINT_EVERY: u64 = if cfg!(simulation) { 40 } else { 4_000 };

/// How many frames (4 KiB each) the WAL may have before a commit has to wait for its reset.
const WAL_LIMIT: i64 = if cfg!(simulation) { 64 } else { 8_192 };

/// Events in an SQLite file.
#[derive(Debug)]
pub(crate) struct FileLog {
    shared: Arc<Shared>,
    reader: Mutex<LogConnection>,
    background: Background,
    durability: Durability,
    since_checkpoint: AtomicU64,
    /// Names this log, so that another log's snapshot is not taken for its own.
    log_id: String,
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
    /// Opens the log at `path`, and makes it if need be; `new_id` makes ids for a new one.
    pub(crate) fn open(
        path: &Path,
        durability: Durability,
        new_id: fn() -> String,
    ) -> Result<Self, EventlogError> {
        let writer = LogConnection::open(path, durability)?;
        let log_id = writer.meta("log_id", new_id)?;
        let client_id = writer.meta("client_id", new_id)?;
        let reader = Mutex::new(LogConnection::open(path, durability)?);
        let shared =
            Arc::new(Shared { writer: Mutex::new(writer), buffer: Mutex::new(Buffer::default()) });
        let (theirs, path) = (Arc::clone(&shared), path.to_owned());
        // Opened when there is something to do: an open store need not wait for it.
        let mut checkpointer = None;
        let tidy =
            move || theirs.tidy(&mut checkpointer, || LogConnection::open(&path, durability));
        let background = Background::spawn("livestore-log", tidy)
            .map_err(|error| EventlogError::NoThread(error.to_string()))?;
        let since_checkpoint = AtomicU64::new(0);
        Ok(Self { shared, reader, background, durability, since_checkpoint, log_id, client_id })
    }

    pub(crate) fn log_id(&self) -> &str {
        &self.log_id
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Has the background thread look at the WAL when it is time.
    fn count_written(&self, rows: u64) {
        if self.since_checkpoint.fetch_add(rows, Ordering::Relaxed) + rows >= CHECKPOINT_EVERY {
            self.since_checkpoint.store(0, Ordering::Relaxed);
            self.background.poke();
        }
    }

    /// What is buffered has to be in the file before the file is read.
    fn reader(&self) -> Result<MutexGuard<'_, LogConnection>, EventlogError> {
        self.flush()?;
        Ok(lock(&self.reader))
    }
}

impl Storage for FileLog {
    fn append(&self, events: Vec<EncodedEvent>) -> Result<(), EventlogError> {
        let added = events.len() as u64;
        if self.durability == Durability::Buffered {
            self.shared.retry()?;
            let mut buffer = lock(&self.shared.buffer);
            let was_empty = buffer.events.is_empty();
            buffer.events.extend(events);
            drop(buffer);
            if was_empty {
                self.background.poke();
            }
        } else {
            lock(&self.shared.writer).append(&events)?;
        }
        self.count_written(added);
        Ok(())
    }

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.reader()?.read(after, limit)
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        self.reader()?.last()
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.reader()?.count(after)
    }

    fn flush(&self) -> Result<(), EventlogError> {
        match self.durability {
            Durability::Buffered => self.shared.flush(),
            Durability::Written | Durability::Synced => Ok(()),
        }
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.reader()?.upstream()
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.reader()?.shapes()
    }

    fn record_shapes(&self, new: &[RecordedShape], outdated: &[&str]) -> Result<(), EventlogError> {
        lock(&self.shared.writer).record_shapes(new, outdated)
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.reader()?.visit_named(name, visit)
    }

    fn settle(&self, settlement: &Settlement<'_>) -> Result<(), EventlogError> {
        // What is settled may still be buffered.
        self.flush()?;
        lock(&self.shared.writer).settle(settlement)?;
        let added = settlement.added.len() + settlement.confirmed.len();
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

    /// Under steady load the WAL is never wholly copied, and only a copied WAL starts over: once
    /// it is large, the writer stands still for the last few frames.
    fn checkpoint(&self, checkpointer: &LogConnection) -> Result<(), EventlogError> {
        if checkpointer.checkpoint()? > WAL_LIMIT {
            let _still = lock(&self.writer);
            checkpointer.checkpoint()?;
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), EventlogError> {
        let writer = lock(&self.writer);
        let events = std::mem::take(&mut lock(&self.buffer).events);
        if events.is_empty() {
            return Ok(());
        }
        let written = writer.append(&events);
        let mut buffer = lock(&self.buffer);
        buffer.failed = written.as_ref().err().cloned();
        if written.is_err() && !mutant!("drop the buffer on a failed flush") {
            // In front of what was committed meanwhile.
            let newer = std::mem::replace(&mut buffer.events, events);
            buffer.events.extend(newer);
        }
        written
    }

    /// After a failed write, a commit first tries again: it must not pile up on a full disk.
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
