//! What can go wrong with a store: one enum per operation. [`Error`](crate::Error) is all of them.

use std::path::PathBuf;

use super::IncompatibleEvent;
use crate::event::SeqNum;
use crate::eventlog::EventlogError;
use crate::schema::EncodeBatchError;
use crate::sqlite::SqliteError;
use crate::state::StateError;
use crate::sync::MAX_BATCH_BYTES;
use crate::table::MaterializeError;

/// Why a store could not be opened. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store id cannot name a store.
    #[error("\"{id}\" is not a store id: {reason}")]
    StoreId {
        /// The id.
        id: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The directory cannot be made or written to.
    #[error("{} cannot be used as the store's directory: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Another process, or another store of this one, has the directory open.
    #[error("{} is in use; a store is open once at a time", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The eventlog cannot be used.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state cannot be made.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log may have events that the schema cannot read. Give them an upcaster, or open the store
    /// [nevertheless](crate::store::IncompatibleEvents).
    #[error("this version of the app cannot read all events of the log: {}", list(events))]
    Incompatible {
        /// Which, and what about them.
        events: Vec<IncompatibleEvent>,
    },
    /// The log has an event that the schema does not know, and the policy is to fail.
    #[error("event {seq} is a \"{name}\", which this version of the app does not know; update it")]
    UnknownEvent {
        /// The event.
        seq: SeqNum,
        /// Its wire name.
        name: String,
    },
}

fn list(events: &[IncompatibleEvent]) -> String {
    events.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why a commit failed. Nothing of it was logged and nothing changed, except where said.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// An event has no JSON form.
    #[error(transparent)]
    Encode(#[from] EncodeBatchError),
    /// A materializer failed.
    #[error("event {index} of the commit, {event}, cannot be applied: {source}")]
    Materialize {
        /// Which event of the commit, from 0.
        index: usize,
        /// Its wire name.
        event: &'static str,
        /// What the materializer said.
        source: MaterializeError,
    },
    /// An event is larger than a sync backend can take. Keep large data elsewhere, and its address
    /// in the event.
    #[error(
        "event {index} of the commit, {event}, takes {bytes} bytes; \
         a sync backend takes up to {MAX_BATCH_BYTES}"
    )]
    TooLarge {
        /// Which event of the commit, from 0.
        index: usize,
        /// Its wire name.
        event: &'static str,
        /// How many bytes it takes on the wire.
        bytes: usize,
    },
    /// The events could not be logged. If it was the disk that failed and the process ends then, they
    /// may be found in the log all the same: a disk that fails does not say how far it came.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state could not take a write of the store's own.
    #[error("the state cannot be written: {0}")]
    State(SqliteError),
    /// The events are logged, but the state in memory could not keep them: it is full. The store
    /// is closed; opening it again makes the state from the log.
    #[error("the events are logged, but the state is full ({0}); open the store again")]
    StateLost(SqliteError),
    /// The store is closed.
    #[error("the store is closed; open it again to commit")]
    Closed,
}

/// Why past state cannot be looked at.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no such event.
    #[error("there is no event {seq}; the last one before it is {head}")]
    NoSuchEvent {
        /// The number asked for.
        seq: SeqNum,
        /// The last event before it.
        head: SeqNum,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state cannot be made.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Why a store did not close properly. It is closed all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the last commits could not be written: {0}")]
pub struct CloseError(#[from] pub EventlogError);
