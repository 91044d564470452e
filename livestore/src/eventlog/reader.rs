//! A log's file that another process may be writing: it is only read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::LogConnection;
use super::{
    Durability, EventlogError, Fingerprint, LogChange, LogStorage, RecordedShape, Upstream,
    VisitArgs,
};
use crate::edge::files::FileIdentity;
use crate::event::{EncodedEvent, SeqNum};

/// A log that is read from its file.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Mutex<LogConnection>,
    path: PathBuf,
    identity: FileIdentity,
}

impl FileReader {
    pub(super) fn open(path: &Path) -> Result<Self, EventlogError> {
        let file = LogConnection::open(path, Durability::Written)?;
        let identity = FileIdentity::at(path).map_err(|error| EventlogError::Io(error.into()))?;
        Ok(Self { file: Mutex::new(file), path: path.to_owned(), identity })
    }

    /// Fails if the path no longer leads to the file that is open.
    pub(super) fn check(&self) -> Result<(), EventlogError> {
        match FileIdentity::at(&self.path) {
            Ok(now) if now == self.identity => Ok(()),
            Ok(_) => Err(EventlogError::FileLost { path: self.path.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(EventlogError::FileLost { path: self.path.clone() })
            }
            Err(error) => Err(EventlogError::Io(error.into())),
        }
    }

    /// The store that the log belongs to.
    pub(super) fn store_id(&self) -> Result<String, EventlogError> {
        self.file().store_id()
    }

    fn file(&self) -> MutexGuard<'_, LogConnection> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What would write it, fails.
impl LogStorage for FileReader {
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
        self.file().read_within(after, limit, max_bytes)
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        self.file().last()
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.file().count(after)
    }

    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.file().skip(after, count)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.file().skip_back(up_to, count)
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        self.file().count_of_session(session_id)
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.file().fingerprint(seq)
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.file().upstream()
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.file().shapes()
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.file().visit_named(name, visit)
    }
}
