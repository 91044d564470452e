//! The eventlog of a store that is not open.

use std::fmt;
use std::sync::Arc;

use super::EventsIter;
use crate::edge::DirectoryLock;
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, EventlogError};

/// A store's eventlog without its state, opened by [`Builder::open_log`](super::Builder::open_log): to
/// export it, or to see what is in it when the state cannot be made.
///
/// While it has the log, nobody else can open the store; if a session has the store open already, this
/// reads what that one has written. The log is closed when this is dropped.
pub struct Log {
    log: Eventlog,
    _lock: Option<Arc<DirectoryLock>>,
}

impl Log {
    pub(super) fn new(log: Eventlog, lock: Option<Arc<DirectoryLock>>) -> Self {
        Self { log, _lock: lock }
    }

    /// Returns all events, in order, those that are quarantined or pending, too.
    pub fn events(&self) -> EventsIter {
        EventsIter::all(&self.log)
    }

    /// Returns the last event's number; `e0` if there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or its last event is damaged.
    pub fn head(&self) -> Result<SeqNum, EventlogError> {
        self.log.head()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}
