//! Why a store could not be opened.

use std::fmt;
use std::path::PathBuf;

use super::{ReadError, WOULD_BLOCK};
use crate::error::{Unavailable, unavailable_becomes};
use crate::event::SeqNum;
use crate::eventlog::{EventlogError, IoError};
use crate::state::StateError;
use crate::store::IncompatibleEvent;
use crate::sync::{InvalidBackend, InvalidPayload};

/// Why a store could not be opened. No event was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store id cannot name a store.
    #[error("{id:?} is not a store id: {reason}")]
    StoreId {
        /// The id.
        id: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// The client id or window id is one that no sync backend would accept.
    #[error("{id:?} is not a {kind}: {reason}")]
    SessionId {
        /// `client id` or `window id`.
        kind: &'static str,
        /// The id.
        id: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// There is no eventlog that could be opened alone: [`open_log`](crate::store::Builder::open_log) creates
    /// none.
    #[error("there is no eventlog of store \"{store_id}\": check the store id and the directory")]
    NoLog {
        /// The store.
        store_id: String,
    },
    /// The directory cannot be made or written to.
    #[error("{} cannot be used as the store's directory", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The operating system's error.
        source: IoError,
    },
    /// The path of the store's files is too long.
    #[error("the path {} is too long: {reason}; choose a directory closer to the root", path.display())]
    PathTooLong {
        /// The store's folder.
        path: PathBuf,
        /// The limit.
        reason: String,
    },
    /// Another process, or another store of this one, has the directory open, and does not
    /// [share](crate::store::Builder::single_process) it.
    #[error("{} is in use, and not shared", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The session that has the directory open does not answer.
    #[error("{} is in use by a session that does not answer; end that process, or try again", path.display())]
    Unresponsive {
        /// The directory.
        path: PathBuf,
    },
    /// The session that has the directory open is of another version of LiveStore.
    #[error(
        "{} is in use by an app with another version of LiveStore; close it, or update both",
        path.display()
    )]
    OtherVersion {
        /// The directory.
        path: PathBuf,
    },
    /// The app that has the directory open has another schema.
    #[error(
        "{} is in use by an app with another schema ({}); close it, or run the same version of the app",
        path.display(),
        list_differences(differences)
    )]
    OtherSchema {
        /// The directory.
        path: PathBuf,
        /// The parts that differ. If there are none, the versions of LiveStore do.
        differences: Vec<SchemaDifference>,
    },
    /// The eventlog belongs to another store: its folder was renamed, or copied to where this store's
    /// would be. Under another store's id its events would be pushed to that store's backend.
    #[error(
        "{} is the eventlog of the store \"{found}\", not of \"{store_id}\"; \
         open it as \"{found}\", or move it away to begin an empty \"{store_id}\"",
        path.display()
    )]
    OtherStore {
        /// The eventlog.
        path: PathBuf,
        /// The store that it belongs to.
        found: String,
        /// The store that was to be opened.
        store_id: String,
    },
    /// The eventlog cannot be used.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state cannot be made from the eventlog.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log has events that the schema cannot read. Give them an upcaster, or open the store
    /// [without them](crate::store::IncompatibleEvents).
    #[error("this version of the app cannot read all events of the log: {}", list(events))]
    Incompatible {
        /// The events, each with the fields that cannot be read.
        events: Vec<IncompatibleEvent>,
    },
    /// The log has an event that the schema does not know, and the policy is to fail.
    #[error(
        "event {seq} is a \"{name}\", which this version of the app does not know; update the app"
    )]
    UnknownEvent {
        /// The event's place in the log.
        seq: SeqNum,
        /// Its wire name.
        name: String,
    },
    /// The sync payload is not JSON.
    #[error(transparent)]
    SyncPayload(#[from] InvalidPayload),
    /// The settings of the sync backend can never work, such as a malformed address.
    #[error(transparent)]
    SyncBackend(#[from] InvalidBackend),
    /// Waiting for the first sync would never end, because it blocks the thread that syncs.
    #[error("{WOULD_BLOCK}: {reason}; use `open_async().await`")]
    WouldBlock {
        /// Why it does.
        reason: String,
    },
    /// The store was closed while it was being opened, by a callback.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer opened a store.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

/// A part in which the schemas of two apps differ that have the same store open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaDifference {
    /// The part, such as "table `todo`".
    pub part: String,
    /// Whether this app's schema has it.
    pub is_here: bool,
    /// Whether the schema of the app that has the store open has it.
    pub is_there: bool,
}

/// ``table `todo` differs``
impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.is_here, self.is_there) {
            (true, true) => "differs",
            (true, false) => "is only in this app",
            (false, _) => "is only in the app that has it open",
        };
        write!(f, "{} {what}", self.part)
    }
}

fn list_differences(differences: &[SchemaDifference]) -> String {
    match differences {
        [] => "made by another version of LiveStore".to_owned(),
        differences => differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn list(events: &[IncompatibleEvent]) -> String {
    events.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

unavailable_becomes!(OpenError);

/// Waiting for the first sync, which `open` may do, reads the status only.
impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::State(error) => Self::State(error.into()),
            ReadError::WouldBlock { reason } => Self::WouldBlock { reason },
            ReadError::Closed => Self::Closed,
            ReadError::InMaterializer => Self::InMaterializer,
            ReadError::Reentrant => Self::Reentrant,
        }
    }
}
