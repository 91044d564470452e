//! Why a folder cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use crate::event::SeqNum;
use crate::eventlog::{EventlogError, IoError};
use crate::state::{ReplayError, StateError, Unusable};

/// Why a store's folder could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The folder has no eventlog.
    #[error("{} is not the folder of a store: it has no eventlog.db", path.display())]
    NoStore {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The operating system's reason.
        source: IoError,
    },
    /// The eventlog cannot be read.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// There is no snapshot that can be used.
    #[error(transparent)]
    Snapshot(#[from] SnapshotProblem),
    /// The app that has the store open does not show it.
    #[error("the app that has the store of {} open does not show it: {reason}", path.display())]
    Running {
        /// The store's folder.
        path: PathBuf,
        /// What it says, for people.
        reason: String,
    },
    /// The log has no such event.
    #[error("there is no event {seq}; the last one is {head}")]
    NoSuchEvent {
        /// The number that was asked for.
        seq: SeqNum,
        /// The last event of the log, or the last one before the number.
        head: SeqNum,
    },
    /// The state cannot be made.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Why a snapshot is not used. It is no loss: the app makes the state from the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotProblem {
    /// There is none: the app has not run long enough to make one.
    #[error("there is no snapshot of the state")]
    Missing,
    /// There is one that is not what was written.
    #[error("the snapshot of the state is damaged: {detail}")]
    Damaged {
        /// A description of the damage.
        detail: String,
    },
    /// There is one that is made of other events, or in another format.
    #[error("the snapshot of the state is not used: {reason}")]
    Unusable {
        /// The reason, for people.
        reason: String,
    },
}

impl InspectError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source: error.into() }
    }
}

impl From<Unusable> for InspectError {
    fn from(reason: Unusable) -> Self {
        match reason {
            Unusable::Missing => SnapshotProblem::Missing.into(),
            Unusable::Eventlog(error) => error.into(),
            Unusable::Damaged(detail) => SnapshotProblem::Damaged { detail }.into(),
            reason => SnapshotProblem::Unusable { reason: reason.to_string() }.into(),
        }
    }
}

impl From<ReplayError> for InspectError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Eventlog(error) => error.into(),
            ReplayError::State(error) => error.into(),
        }
    }
}
