//! What the page asks.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Cell, Source, Topic};

/// A request with its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The page's number for it, which the answer repeats.
    pub id: u64,
    /// The request.
    #[serde(flatten)]
    pub request: Request,
}

/// A request: `method` and `params`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "method",
    content = "params",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    /// Begins the conversation. Answer: [`Hello`](super::Hello).
    Hello {
        /// The page's [`VERSION`](super::VERSION).
        version: u32,
    },
    /// Has notifications of exactly these topics sent from now on. Answer: `{}`.
    Subscribe {
        /// The topics.
        topics: Vec<Topic>,
    },
    /// Ends a request that runs. That one gets the error `cancelled`. Answer: `{}`.
    Cancel {
        /// Its number.
        call: u64,
    },
    /// The tables and events. Answer: [`SchemaInfo`](super::SchemaInfo).
    Schema {},

    /// Some rows of a table. Answer: [`RowsPage`](super::RowsPage).
    Rows {
        /// The state.
        #[serde(default)]
        source: Source,
        /// The table.
        table: String,
        /// The order; rows that are equal in it, and all rows if it is empty, are in the order of the
        /// primary key.
        #[serde(default)]
        sort: Vec<Sort>,
        /// Conditions that a row has to meet, all of them.
        #[serde(default)]
        filter: Vec<Filter>,
        /// The number of rows to skip.
        #[serde(default)]
        offset: u64,
        /// The most rows; up to 1,000.
        limit: u64,
    },
    /// The place of a row among those that [`Rows`](Self::Rows) has. Answer: [`RowPlace`](super::RowPlace).
    RowPlace {
        /// The state.
        #[serde(default)]
        source: Source,
        /// The table.
        table: String,
        /// The order, as in `Rows`.
        #[serde(default)]
        sort: Vec<Sort>,
        /// Conditions that a row has to meet, all of them.
        #[serde(default)]
        filter: Vec<Filter>,
        /// The values of its primary key, in order.
        key: Vec<Cell>,
    },
    /// The events that have changed a row, from the first on. Replays the log. Answer:
    /// [`RowHistory`](super::RowHistory).
    RowHistory {
        /// The table.
        table: String,
        /// The values of its primary key, in order.
        key: Vec<Cell>,
    },
    /// What differs between two states. Answer: [`StateDiff`](super::StateDiff).
    Diff {
        /// The earlier one.
        from: Source,
        /// The later one.
        to: Source,
        /// The most rows for each table; up to 1,000.
        limit: u64,
    },
    /// Runs SQL that reads. Answer: [`SqlResult`](super::SqlResult).
    Sql {
        /// The state.
        #[serde(default)]
        source: Source,
        /// One statement.
        sql: String,
        /// The most rows; up to 10,000.
        limit: u64,
    },

    /// A page of the log. Answer: [`EventsPage`](super::EventsPage).
    Events {
        /// Of this fork; absent: of the store.
        #[serde(default)]
        fork: Option<u64>,
        /// The page's place.
        #[serde(flatten)]
        place: EventsPlace,
        /// The most events; up to 1,000.
        limit: u64,
        /// Which events.
        #[serde(default)]
        filter: EventFilter,
    },
    /// One event, and what it changed. Answer: [`EventDetails`](super::EventDetails).
    Event {
        /// In this fork; absent: in the store.
        #[serde(default)]
        fork: Option<u64>,
        /// Its number.
        seq: String,
    },
    /// Commits an event. Answer: [`CommittedInfo`](super::CommittedInfo).
    Commit {
        /// Into this fork; absent: into the store.
        #[serde(default)]
        fork: Option<u64>,
        /// Its wire name.
        name: String,
        /// Its args.
        args: Json,
    },
    /// Events as the Rust code of a test that fails. Answer: [`TestCode`](super::TestCode).
    AsTest {
        /// Of this fork; absent: of the store.
        #[serde(default)]
        fork: Option<u64>,
        /// The last event.
        to: String,
        /// What the test says about the state after them: the rows of this table.
        #[serde(default)]
        table: Option<String>,
    },

    /// Makes a store in memory that has the events up to this one. Answer: [`ForkInfo`](super::ForkInfo).
    Fork {
        /// The event; absent: the last one.
        #[serde(default)]
        at: Option<String>,
    },
    /// Drops a fork. Answer: `{}`.
    DropFork {
        /// Its number.
        fork: u64,
    },

    /// The live queries, computeds and signals. Answer: [`LiveGraph`](super::LiveGraph).
    Live {},
    /// Changes how the store syncs. Answer: `{}`.
    Sync {
        /// How.
        action: SyncAction,
    },
    /// The timings since the devtools were attached. Answer: [`Performance`](super::Performance).
    Performance {},
    /// The size of the log by event name, and of the state. Reads all of the log. Answer:
    /// [`Sizes`](super::Sizes).
    Sizes {},

    /// Events as lines of JSON, for a file. Ask again with the last one's number until there are none.
    /// Answer: [`Lines`](super::Lines).
    ExportEvents {
        /// Those after this one; absent: from the first on.
        #[serde(default)]
        after: Option<String>,
    },
    /// A piece of the state as an SQLite file. Answer: [`Piece`](super::Piece).
    ExportState {
        /// The state.
        #[serde(default)]
        source: Source,
        /// The first byte.
        offset: u64,
    },
    /// Commits the events of lines as [`ExportEvents`](Self::ExportEvents) writes them, as new events.
    /// Answer: [`CommittedInfo`](super::CommittedInfo).
    ImportEvents {
        /// Into this fork; absent: into the store.
        #[serde(default)]
        fork: Option<u64>,
        /// The lines, up to 1,000 at a time. If one cannot be committed, none is.
        lines: Vec<String>,
    },
}

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sort {
    /// Its name.
    pub column: String,
    /// Whether the greatest value comes first.
    #[serde(default)]
    pub descending: bool,
}

/// A condition on a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Its name.
    pub column: String,
    /// The comparison.
    pub op: FilterOp,
    /// What it is compared with; ignored by `isNull` and `isNotNull`.
    #[serde(default = "null")]
    pub value: Cell,
}

fn null() -> Cell {
    Cell::Null
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FilterOp {
    /// `=`.
    Eq,
    /// `<>`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// The value as text has this text in it, whatever the case.
    Contains,
    /// It is NULL.
    IsNull,
    /// It is not NULL.
    IsNotNull,
}

/// The place of a page of events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsPlace {
    /// From this position in the whole log on, which counts from 0. Not with a filter.
    pub index: Option<u64>,
    /// The events after this one.
    pub after: Option<String>,
    /// The events before this one, the last of them; the answer is in the log's order all the same.
    /// Absent like the others: the last events of the log.
    pub before: Option<String>,
}

/// Which events. Those for which all of it is true.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EventFilter {
    /// Of these wire names; empty: of any.
    pub names: Vec<String>,
    /// Whose client id begins like this.
    pub client: String,
    /// Whose session id begins like this.
    pub session: String,
    /// Whose args have this text in them, whatever the case.
    pub text: String,
    /// Of this kind.
    pub kind: Option<EventKind>,
}

impl EventFilter {
    /// Whether every event passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The kind of an event: where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    /// Its place is final.
    Confirmed,
    /// It has no place in the backend's order yet.
    Pending,
    /// It never leaves its client.
    ClientOnly,
    /// It could not be applied.
    Quarantined,
}

/// A change of how the store syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SyncAction {
    /// Disconnects until `resume`.
    Pause,
    /// Connects again.
    Resume,
    /// Connects before the next attempt is due.
    Reconnect,
    /// Drops the connection as a network does; the store connects again by itself.
    Drop,
    /// Holds every message to and from the backend back for this number of milliseconds; 0: not any
    /// more.
    Delay(u32),
}
