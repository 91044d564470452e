//! The status of a store's sync.

use std::fmt;

use crate::event::SeqNum;
use crate::value::Timestamp;

/// How far a store and its backend agree at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncStatus {
    /// The last event of the log.
    pub local_head: SeqNum,
    /// The last event that the backend has, as far as the store knows. Without a backend, the last one whose
    /// place in the log is final.
    pub upstream_head: SeqNum,
    /// The number of events that are to be pushed: committed here, and without a place in the
    /// backend's order yet. Client-only events are never pushed, and do not count.
    pub pending: usize,
    /// The number of events that the backend has refused for good. They are
    /// [quarantined](crate::Store::quarantined), and not among the pending ones.
    pub refused: usize,
    /// The connection.
    pub network: NetworkStatus,
    /// The time of the next attempt: to connect, if the store is offline, or to push, if the backend
    /// accepts no events for now. [`Store::reconnect_now`](crate::Store::reconnect_now) does not wait
    /// for it.
    pub next_attempt: Option<Timestamp>,
    /// The reason why the store was not opened from an [image](super::InitialSync::Image), although the app
    /// wanted that and the store had no events.
    pub no_image: Option<String>,
}

impl SyncStatus {
    /// Whether the store has every event that the backend has sent, and the backend every event
    /// that the store has.
    pub fn is_synced(&self) -> bool {
        self.pending == 0 && self.network == NetworkStatus::Online
    }
}

/// For people: `offline: no route to host (next attempt at 2026-11-22T13:05:09.210Z), 2 to push`.
impl fmt::Display for SyncStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.network.fmt(f)?;
        if let Some(at) = self.next_attempt {
            write!(f, " (next attempt at {at})")?;
        }
        match self.pending {
            0 => {}
            count => write!(f, ", {count} to push")?,
        }
        match self.refused {
            0 => Ok(()),
            count => write!(f, ", {count} refused by the backend"),
        }
    }
}

/// The connection between a store and its backend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkStatus {
    /// The store has no backend.
    None,
    /// The app has [paused sync](crate::Store::pause_sync).
    Paused,
    /// A connection is being made.
    Connecting,
    /// Connected, and fetching what happened meanwhile.
    Pulling,
    /// Events are exchanged as they happen.
    Online,
    /// Events are pulled, but the backend does not accept this client's for now. They are pushed again
    /// at growing intervals, of up to a minute.
    ReadOnly {
        /// The backend's reason.
        reason: String,
    },
    /// The backend does not accept the [payload](super::SyncOptions::payload), or the app's function for
    /// it has [said so](super::PayloadError::LoginRequired): the user has to log in again. Sync goes on
    /// after [`Store::set_sync_payload`](crate::Store::set_sync_payload), or once the function returns a
    /// payload that is accepted; it is called again at growing intervals, of up to a minute.
    LoginRequired {
        /// The reason.
        reason: String,
    },
    /// The app's [function for the payload](super::SyncOptions::payload_with) has failed, or does not
    /// return. Another attempt follows.
    PayloadFailed {
        /// The reason.
        reason: String,
    },
    /// No connection; another attempt follows.
    Offline {
        /// The reason.
        reason: String,
    },
    /// No connection, and no attempt before the app [resumes sync](crate::Store::resume_sync).
    Stopped(StopReason),
}

impl fmt::Display for NetworkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no backend"),
            Self::Paused => f.write_str("paused"),
            Self::Connecting => f.write_str("connecting"),
            Self::Pulling => f.write_str("pulling"),
            Self::Online => f.write_str("online"),
            Self::ReadOnly { reason } => write!(f, "read only: {reason}"),
            Self::LoginRequired { reason } => write!(f, "login required: {reason}"),
            Self::PayloadFailed { reason } => write!(f, "no sync payload: {reason}"),
            Self::Offline { reason } => write!(f, "offline: {reason}"),
            Self::Stopped(reason) => write!(f, "stopped: {reason}"),
        }
    }
}

/// The reason why a store has stopped syncing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// A different backend answers at the address of the known one.
    OtherBackend {
        /// The id of the backend that the log comes from.
        known: String,
        /// The id of the one that answers.
        found: String,
    },
    /// The state has no room for the backend's events, which were not added to the log. Delete rows, or
    /// [let it grow](crate::store::Builder::max_state_bytes).
    StateFull {
        /// The error, for people.
        reason: String,
    },
    /// The backend has fewer events than it had: it was restored from a backup.
    BackendLostEvents {
        /// The number of its last event.
        head: u64,
        /// The number of the last event that it is known to have had.
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
            Self::StateFull { reason } => write!(
                f,
                "the state in memory has no room for the backend's events ({reason}); delete rows \
                 or free memory, then resume sync"
            ),
            Self::BackendLostEvents { head, known } => write!(
                f,
                "the backend ends at e{head}, but had events up to e{known}; \
                 nothing local was deleted"
            ),
        }
    }
}

/// A policy for when the backend is not the one that the log comes from, or has lost some of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnBackendReset {
    /// Keep everything and stop syncing, until the app decides.
    #[default]
    KeepAndStop,
    /// Replace the log's confirmed history with the backend's. Pending events stay, and are pushed;
    /// confirmed and client-only events are deleted, and so are those that the backend has refused.
    Reset,
    /// Keep everything, and try again now and then: the right backend may come back.
    Ignore,
}
