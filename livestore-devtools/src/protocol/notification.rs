//! What the page is notified of.

use serde::{Deserialize, Serialize};

/// A subject that the page can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// [`Status`], when it has changed.
    Status,
    /// [`LogTail`], when the log has.
    Log,
    /// [`Activity`]s, as they happen.
    Activity,
}

/// A message that nobody asked for at that moment. It comes at most ten times a second for each topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "topic", content = "data", rename_all = "camelCase")]
pub enum Notification {
    /// The status.
    Status(Status),
    /// The end of the log.
    Log(LogTail),
    /// What happened since the last one, the oldest first.
    Activity(Vec<Activity>),
}

/// Heads, connection and sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The last event.
    pub local_head: String,
    /// The last event that the backend has, as far as the store knows.
    pub upstream_head: String,
    /// The number of events to push.
    pub pending: u64,
    /// The number of events that the backend has refused for good.
    pub refused: u64,
    /// The connection: `none`, `paused`, `connecting`, `pulling`, `online`, `readOnly`,
    /// `loginRequired`, `payloadFailed`, `offline` or `stopped`.
    pub network: String,
    /// The reason for that, if there is one.
    pub reason: Option<String>,
    /// The time of the next attempt to connect, in milliseconds since 1970.
    pub next_attempt: Option<i64>,
    /// The delay of messages, in milliseconds, that the page has asked for.
    pub delay: u32,
    /// The sessions of the client, the one that leads first.
    pub sessions: Vec<Session>,
    /// What can be said of a store that is looked at from outside; `null` for a store that the host has open.
    pub folder: Option<FolderStatus>,
}

/// A session of the store's client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whether it leads, and so has the log and the connection.
    pub leads: bool,
}

/// A store's folder, which the host does not write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FolderStatus {
    /// Whether another process has the store open.
    pub is_open: bool,
    /// Whether that process shows its tables; otherwise they are those of the last snapshot.
    pub is_live: bool,
    /// The event as of which the tables are. `null` if there are none.
    pub state_head: Option<String>,
}

/// The end of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogTail {
    /// The last event.
    pub head: String,
    /// The number of events.
    pub total: u64,
    /// Counts up when events that were in the log have other numbers now: read them again.
    pub rebases: u64,
}

/// Something that the store did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// What.
    #[serde(flatten)]
    pub what: ActivityKind,
}

/// What the store did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ActivityKind {
    /// It committed events.
    Committed {
        /// Their numbers.
        seqs: Vec<String>,
        /// Their wire names.
        names: Vec<String>,
        /// The time that it took, in microseconds.
        micros: f64,
    },
    /// It sent events to the backend.
    Pushed {
        /// The first one.
        first: String,
        /// Their number.
        count: u64,
    },
    /// The backend took what was pushed up to here.
    Acknowledged {
        /// The last one.
        last: String,
    },
    /// Events came from the backend.
    Pulled {
        /// The first one.
        first: String,
        /// Their number.
        count: u64,
        /// The time that it took to apply them, in microseconds.
        micros: f64,
    },
    /// Events came before pending ones, which were undone and done again behind them.
    Rebased {
        /// The numbers that were undone.
        undone: Vec<String>,
        /// The numbers under which they were done again, in the same order.
        redone: Vec<String>,
        /// The number of events that came before them.
        upstream: u64,
        /// The time that it took, in microseconds.
        micros: f64,
    },
    /// The connection changed.
    Network {
        /// As in [`Status::network`].
        network: String,
        /// The reason, if there is one.
        reason: Option<String>,
    },
    /// An event could not be applied.
    Quarantined {
        /// Its number.
        seq: String,
        /// Its wire name.
        name: String,
        /// The reason.
        reason: String,
    },
}
