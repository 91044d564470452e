//! How it stands between a store and its backend.

use std::fmt;

use crate::event::SeqNum;

/// How far a store and its backend agree, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncStatus {
    /// The last event of the log.
    pub local_head: SeqNum,
    /// The last event that the backend has, as far as the store knows.
    pub upstream_head: SeqNum,
    /// How many events wait for their place in the backend's order; client-only ones that stand
    /// behind such an event count, too.
    pub pending: usize,
    /// The connection.
    pub network: NetworkStatus,
}

impl SyncStatus {
    /// Whether the store has all that the backend has told it of, and the backend all that the
    /// store has.
    pub fn is_synced(&self) -> bool {
        self.pending == 0 && self.network == NetworkStatus::Online
    }
}

/// The connection between a store and its backend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkStatus {
    /// The store has no backend.
    None,
    /// The app [holds sync back](crate::Store).
    Held,
    /// A connection is being made.
    Connecting,
    /// Connected, and fetching what happened meanwhile.
    Pulling,
    /// Events go and come as they happen.
    Online,
    /// Events come; the backend does not take this client's.
    ReadOnly {
        /// What it said.
        reason: String,
    },
    /// No connection; another attempt follows.
    Offline {
        /// Why.
        reason: String,
    },
    /// No connection, and no attempt before the app [asks for one](crate::Store).
    Stopped(StopReason),
}

impl fmt::Display for NetworkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no backend"),
            Self::Held => f.write_str("held back"),
            Self::Connecting => f.write_str("connecting"),
            Self::Pulling => f.write_str("pulling"),
            Self::Online => f.write_str("online"),
            Self::ReadOnly { reason } => write!(f, "read only: {reason}"),
            Self::Offline { reason } => write!(f, "offline: {reason}"),
            Self::Stopped(reason) => write!(f, "stopped: {reason}"),
        }
    }
}

/// Why a store does not sync any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// There is another backend where the known one was.
    OtherBackend {
        /// The id of the backend that the log comes from.
        known: String,
        /// The id of the one that answers.
        found: String,
    },
    /// The backend has fewer events than it had: it was restored from a backup.
    BackendLostEvents {
        /// Its last event.
        head: u64,
        /// The last event that it is known to have had.
        known: u64,
    },
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherBackend { known, found } => write!(
                f,
                "the backend is {found}, the log comes from {known}; nothing local was deleted"
            ),
            Self::BackendLostEvents { head, known } => write!(
                f,
                "the backend ends at e{head}, but had events up to e{known}; \
                 nothing local was deleted"
            ),
        }
    }
}

/// What to do when the backend is not the one that the log comes from, or lost some of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnBackendReset {
    /// Keep everything and stop syncing, until the app decides.
    #[default]
    KeepAndStop,
    /// Take the backend's history in place of the log's. Pending events are kept and pushed; what
    /// was confirmed, and client-only events, are gone.
    Reset,
    /// Keep everything, and try again now and then: the right backend may come back.
    Ignore,
}
