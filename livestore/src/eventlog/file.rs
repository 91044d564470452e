//! A log in a file.
//!
//! It has up to three connections, so that nobody waits: one writes, one reads, one makes checkpoints
//! in the background. The last two are opened when they are needed. In a browser a file has one
//! connection, which does all of it. Locks are taken in the order writer, buffer.

use std::io;
use std::ops::Not;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::busy::Patience;
use super::connection::LogConnection;
use super::{
    Base, Durability, EventlogError, Fingerprint, LogChange, LogStorage, RecordedShape, Upstream,
    VisitArgs,
};
use crate::edge::Background;
use crate::edge::files::FileIdentity;
use crate::event::{Conflict, EncodedEvent, PendingCommand, SeqNum, UndoChange, UndoNotes};

/// The number of written events after which the background thread checks the WAL. A simulation has
/// it happen often.
const CHECKPOINT_EVERY: u64 = if cfg!(simulation) { 40 } else { 4_000 };

/// The number of frames (4 KiB each) that the WAL may have before a commit has to wait for its reset.
const WAL_LIMIT: i64 = if cfg!(simulation) { 64 } else { 8_192 };

/// The number of commits after which one looks whether the files are still there.
const LOOK_EVERY: u64 = 32;

/// Whether a file can have one connection only.
pub(super) const ONE_CONNECTION: bool = cfg!(target_family = "wasm");

/// Events in an SQLite file.
#[derive(Debug)]
pub(crate) struct FileLog {
    path: PathBuf,
    shared: Arc<Shared>,
    reader: Mutex<Option<LogConnection>>,
    background: Background,
    durability: Durability,
    since_checkpoint: AtomicU64,
    since_look: AtomicU64,
    store_id: String,
    client_id: String,
}

#[derive(Debug)]
struct Shared {
    writer: Mutex<LogConnection>,
    buffer: Mutex<Buffer>,
    /// Whether much was written since the last checkpoint.
    is_checkpoint_due: AtomicBool,
    files: FileWatch,
}

/// Events that are committed but not written, with [`Durability::Buffered`].
#[derive(Debug, Default)]
struct Buffer {
    events: Vec<EncodedEvent>,
    /// What changes with them of what can be undone.
    undo: Vec<UndoNotes>,
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
        writer.refuse_when_busy()?;
        let shared = Arc::new(Shared {
            writer: Mutex::new(writer),
            buffer: Mutex::new(Buffer::default()),
            is_checkpoint_due: AtomicBool::new(false),
            files: FileWatch::new(path)?,
        });
        let (theirs, path) = (Arc::clone(&shared), path.to_owned());
        let (mut checkpointer, their_path) = (None, path.clone());
        let tidy =
            move || theirs.tidy(&mut checkpointer, || LogConnection::open(&their_path, durability));
        let background = Background::new("livestore-log", tidy);
        if durability == Durability::Buffered {
            // Without the thread, nothing would be written.
            background.start().map_err(|error| EventlogError::NoThread(error.into()))?;
        }
        let (since_checkpoint, since_look) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self {
            path,
            shared,
            reader: Mutex::new(None),
            background,
            durability,
            since_checkpoint,
            since_look,
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
            self.shared.is_checkpoint_due.store(true, Ordering::Relaxed);
            self.background.wake();
        }
    }

    /// Looks whether the files are still there: before each synced commit, and now and then before
    /// others, which is as good as free.
    fn look_at_files(&self) -> Result<(), EventlogError> {
        let is_due = self.since_look.fetch_add(1, Ordering::Relaxed) + 1 >= LOOK_EVERY;
        if !is_due && self.durability != Durability::Synced {
            return Ok(());
        }
        self.shared.files.check()?;
        self.since_look.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn add(&self, events: &mut Vec<EncodedEvent>, undo: &[UndoNotes]) -> Result<(), EventlogError> {
        let added = events.len() as u64;
        if self.durability == Durability::Buffered {
            self.shared.retry()?;
            let mut buffer = lock(&self.shared.buffer);
            let was_empty = buffer.events.is_empty();
            buffer.events.append(events);
            buffer.undo.extend(undo.iter().cloned());
            drop(buffer);
            if was_empty {
                self.background.wake();
            }
        } else {
            self.look_at_files()?;
            lock(&self.shared.writer).append(events, undo)?;
        }
        self.count_written(added);
        Ok(())
    }

    /// Reads on the reader's connection, what is buffered, too. Files that are lost can still be read.
    fn read_with<T>(
        &self,
        read: impl FnOnce(&LogConnection) -> Result<T, EventlogError>,
    ) -> Result<T, EventlogError> {
        if self.durability == Durability::Buffered {
            self.shared.write_buffer(LostFiles::Write)?;
        }
        let mut reader = lock(&self.reader);
        if reader.is_none() && !ONE_CONNECTION {
            let open = || LogConnection::open(&self.path, self.durability);
            *reader = self.shared.files.open_again(open).ok();
        }
        match &*reader {
            Some(reader) => read(reader),
            // The writer can do it, too: only, commits have to wait.
            None => read(&lock(&self.shared.writer)),
        }
    }

    /// Reads little. As long as there is no reader, the writer does it if it is free, as it is while
    /// the store opens.
    fn look_up<T>(
        &self,
        read: impl FnOnce(&LogConnection) -> Result<T, EventlogError>,
    ) -> Result<T, EventlogError> {
        let has_reader = lock(&self.reader).is_some();
        if !has_reader && let Ok(writer) = self.shared.writer.try_lock() {
            self.shared.write_buffer_with(&writer, LostFiles::Write)?;
            return read(&writer);
        }
        self.read_with(read)
    }
}

impl LogStorage for FileLog {
    fn append(&self, events: &mut Vec<EncodedEvent>) -> Result<(), EventlogError> {
        self.add(events, &[])
    }

    fn append_with(
        &self,
        events: &mut Vec<EncodedEvent>,
        undo: &UndoNotes,
    ) -> Result<(), EventlogError> {
        self.add(events, std::slice::from_ref(undo))
    }

    fn keeps_undo(&self) -> bool {
        true
    }

    fn note_undo(&self, undo: &UndoNotes) -> Result<(), EventlogError> {
        self.shared.write_buffer(LostFiles::Refuse)?;
        lock(&self.shared.writer).note_undo(undo)
    }

    fn undo_steps(&self, window_id: &str) -> Result<Vec<UndoChange>, EventlogError> {
        self.look_up(|log| log.undo_steps(window_id))
    }

    fn retract(&self, from: SeqNum) -> Result<(), EventlogError> {
        self.shared.write_buffer(LostFiles::Write)?;
        lock(&self.shared.writer).retract(from)
    }

    fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.read_with(|log| log.read_within(after, limit, max_bytes))
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        self.look_up(LogConnection::last)
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.read_with(|log| log.count(after))
    }

    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.read_with(|log| log.skip(after, count))
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.read_with(|log| log.skip_back(up_to, count))
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        self.read_with(|log| log.count_of_session(session_id))
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.look_up(|log| log.fingerprint(seq))
    }

    fn base(&self) -> Result<Option<Base>, EventlogError> {
        self.look_up(LogConnection::base)
    }

    fn begin_at(
        &self,
        base: Base,
        event: &EncodedEvent,
        upstream: &Upstream,
    ) -> Result<(), EventlogError> {
        while_busy(|| lock(&self.shared.writer).begin_at(base, event, upstream))
    }

    fn history_head(&self, base: Base) -> Result<Option<u64>, EventlogError> {
        self.read_with(|log| log.history_head(base))
    }

    fn add_history(&self, base: Base, events: Vec<EncodedEvent>) -> Result<bool, EventlogError> {
        let added = while_busy(|| lock(&self.shared.writer).add_history(base, &events))?;
        self.count_written(events.len() as u64);
        Ok(added)
    }

    fn complete_history(&self, base: Base) -> Result<bool, EventlogError> {
        let completed = while_busy(|| lock(&self.shared.writer).complete_history(base))?;
        self.count_written(base.seq);
        Ok(completed)
    }

    fn flush(&self) -> Result<(), EventlogError> {
        self.shared.flush()?;
        self.shared.files.check()
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.look_up(LogConnection::upstream)
    }

    fn commands(&self) -> Result<Vec<(SeqNum, PendingCommand)>, EventlogError> {
        self.look_up(LogConnection::commands)
    }

    fn conflicts(&self) -> Result<Vec<Conflict>, EventlogError> {
        self.look_up(LogConnection::conflicts)
    }

    fn surplus(&self, session_id: &str) -> Result<i64, EventlogError> {
        self.read_with(|log| log.surplus(session_id))
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.look_up(LogConnection::shapes)
    }

    fn record_shapes(&self, new: &[RecordedShape], outdated: &[&str]) -> Result<(), EventlogError> {
        while_busy(|| lock(&self.shared.writer).record_shapes(new, outdated))
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.read_with(|log| log.visit_named(name, visit))
    }

    fn change(&self, change: &LogChange<'_>) -> Result<(), EventlogError> {
        // Confirmed events may still be buffered.
        self.shared.write_buffer(LostFiles::Refuse)?;
        self.shared.files.check()?;
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
        let is_due = self.is_checkpoint_due.swap(false, Ordering::Relaxed);
        if ONE_CONNECTION {
            // Everything waits for it: it is made when it is worth it.
            if is_due && let Err(error) = lock(&self.writer).checkpoint() {
                tracing::warn!(%error, "the eventlog's checkpoint failed");
            }
            return;
        }
        let opened = match checkpointer.take() {
            Some(opened) => Ok(opened),
            None => self.files.open_again(open),
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
        while_busy(|| self.write_buffer(LostFiles::Refuse))
    }

    fn write_buffer(&self, lost_files: LostFiles) -> Result<(), EventlogError> {
        self.write_buffer_with(&lock(&self.writer), lost_files)
    }

    fn write_buffer_with(
        &self,
        writer: &LogConnection,
        lost_files: LostFiles,
    ) -> Result<(), EventlogError> {
        let (events, undo) = {
            let mut buffer = lock(&self.buffer);
            (std::mem::take(&mut buffer.events), std::mem::take(&mut buffer.undo))
        };
        if events.is_empty() && lock(&self.buffer).failed.is_none() {
            return Ok(());
        }
        let found = match lost_files {
            LostFiles::Refuse => self.files.check(),
            LostFiles::Write => Ok(()),
        };
        let written = found.and_then(|()| writer.append(&events, &undo));
        let mut buffer = lock(&self.buffer);
        buffer.failed = match lost_files {
            LostFiles::Refuse => written.as_ref().err().cloned(),
            // What can be read is not safe for that.
            LostFiles::Write => written.as_ref().err().cloned().or(self.files.check().err()),
        };
        if written.is_err() {
            // Before the events that were committed meanwhile.
            let newer = std::mem::replace(&mut buffer.events, events);
            buffer.events.extend(newer);
            let newer = std::mem::replace(&mut buffer.undo, undo);
            buffer.undo.extend(newer);
        }
        written
    }

    /// After a failed write, a commit first writes the buffered events: they must not pile up while
    /// the disk is full.
    fn retry(&self) -> Result<(), EventlogError> {
        if lock(&self.buffer).failed.is_none() {
            return Ok(());
        }
        let written = self.write_buffer(LostFiles::Refuse);
        written.map_err(|error| EventlogError::Unwritten(Box::new(error)))
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        if let Err(error) = self.shared.flush() {
            tracing::error!(%error, "buffered events could not be written");
        }
    }
}

/// A policy for files that are lost.
#[derive(Debug, Clone, Copy)]
enum LostFiles {
    /// Writing fails.
    Refuse,
    /// They are written: for as long as they are open, they can be read.
    Write,
}

/// The files of a log, as they were when it was opened.
#[derive(Debug)]
struct FileWatch(Vec<(PathBuf, FileIdentity)>);

impl FileWatch {
    fn new(path: &Path) -> Result<Self, EventlogError> {
        let main = FileIdentity::at(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => EventlogError::FileLost { path: path.to_owned() },
            _ => EventlogError::Io(error.into()),
        })?;
        // Some file systems do not allow for a WAL.
        let beside = ["-wal", "-shm"].into_iter().filter_map(|suffix| {
            let mut beside = path.as_os_str().to_owned();
            beside.push(suffix);
            let beside = PathBuf::from(beside);
            Some((FileIdentity::at(&beside).ok()?, beside))
        });
        let beside = beside.map(|(identity, path)| (path, identity));
        Ok(Self([(path.to_owned(), main)].into_iter().chain(beside).collect()))
    }

    /// Fails if a path no longer leads to the file that is open.
    fn check(&self) -> Result<(), EventlogError> {
        let is_lost = |(path, then): &&(PathBuf, FileIdentity)| {
            FileIdentity::at(path).is_ok_and(|now| now == *then).not()
        };
        match self.0.iter().find(is_lost) {
            Some((path, _)) => Err(EventlogError::FileLost { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// Opens one more connection, if the path still leads to the same file.
    fn open_again(
        &self,
        open: impl FnOnce() -> Result<LogConnection, EventlogError>,
    ) -> Result<LogConnection, EventlogError> {
        self.check()?;
        let opened = open()?;
        self.check()?;
        Ok(opened)
    }
}

/// Tries again for a while if another program has the file locked.
fn while_busy<T>(mut work: impl FnMut() -> Result<T, EventlogError>) -> Result<T, EventlogError> {
    let mut patience = Patience::new();
    loop {
        match work() {
            Err(EventlogError::Busy(_)) if patience.wait() => {}
            done => return done,
        }
    }
}

/// A connection is whole after a panic: SQLite has rolled back or not begun.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
