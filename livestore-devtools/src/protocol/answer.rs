//! What the host answers.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::{Cell, EventKind};

/// The answer to a call: `result` or `error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The call's number.
    pub id: u64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It worked.
    Result(Json),
    /// It did not.
    Error(Refusal),
}

/// Why a call was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For the page.
    pub code: RefusalCode,
    /// For people: what happened, to what, and what to do.
    pub message: String,
}

/// The kind of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalCode {
    /// The page is of another version than the host.
    OtherVersion,
    /// The call is not one of this protocol.
    BadCall,
    /// There is no such table, column, event or fork.
    NotFound,
    /// The SQL does not work, or writes.
    Sql,
    /// The event was not committed.
    Commit,
    /// The call was cancelled.
    Cancelled,
    /// The host cannot do this: see [`Hello::can`].
    Unsupported,
    /// The store cannot be read, or is closed.
    Store,
}

/// The answer to [`hello`](super::Request::Hello).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The host's [`VERSION`](super::VERSION).
    pub version: u32,
    /// The version of `livestore`.
    pub livestore: String,
    /// The schema's name.
    pub schema: String,
    /// The store's id.
    pub store_id: String,
    /// The client's id.
    pub client_id: String,
    /// The id of the session that the devtools are attached to.
    pub session_id: String,
    /// The session id that events have which the page commits.
    pub devtools_session_id: String,
    /// What the host can do; the page hides the rest.
    pub can: Vec<Ability>,
}

/// Something that not every host can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ability {
    /// States of the past, row histories, forks, and what an event changed: it knows the materializers.
    TimeTravel,
    /// Committing events.
    Commit,
    /// The graph of live queries.
    Live,
    /// A connection to a backend.
    Sync,
}

/// The answer to [`schema`](super::Request::Schema).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaInfo {
    /// The tables, those of client documents last.
    pub tables: Vec<TableInfo>,
    /// The events.
    pub events: Vec<EventInfo>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Whether it is of a client document.
    pub is_document: bool,
    /// Its columns, in order.
    pub columns: Vec<ColumnInfo>,
    /// The SQL that makes it and its indexes.
    pub sql: String,
    /// The present number of rows.
    pub rows: u64,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type in SQL: `INTEGER`, `REAL`, `TEXT`, `BLOB`.
    pub sql_type: String,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// Its place in the primary key, from 1 on; 0 if it is not part of it.
    pub key: u32,
}

/// An event of the schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventInfo {
    /// Its wire name.
    pub name: String,
    /// The fields of its args, in order.
    pub fields: Vec<FieldInfo>,
    /// Whether it never leaves its client.
    pub client_only: bool,
    /// Why it should no longer be committed, if so.
    pub deprecated: Option<String>,
}

/// A field of an event's args.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldInfo {
    /// Its name in the JSON.
    pub name: String,
    /// Its Rust type, as `livestore.lock` writes it; empty if that is not known.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The answer to [`rows`](super::Request::Rows).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowsPage {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// The number of all rows that the filter lets through.
    pub total: u64,
    /// The last event of the state.
    pub seq: String,
}

/// The answer to [`rowPlace`](super::Request::RowPlace).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowPlace {
    /// The number of rows before it; `null` if no row that the filter lets through has the key.
    pub offset: Option<u64>,
    /// The last event of the state.
    pub seq: String,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowChange {
    /// The table.
    pub table: String,
    /// The values before, in the order of the table's columns; `null` if there was no such row.
    pub before: Option<Vec<Cell>>,
    /// The values after; `null` if the row is gone.
    pub after: Option<Vec<Cell>>,
}

/// The answer to [`rowHistory`](super::Request::RowHistory).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowHistory {
    /// The table's columns.
    pub columns: Vec<String>,
    /// The changes, in the log's order; the last 1,000 if there are more.
    pub changes: Vec<HistoryChange>,
    /// The number of all changes.
    pub total: u64,
}

/// A change of a row by an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryChange {
    /// The event.
    pub event: EventRow,
    /// The values before.
    pub before: Option<Vec<Cell>>,
    /// The values after.
    pub after: Option<Vec<Cell>>,
}

/// The answer to [`diff`](super::Request::Diff).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateDiff {
    /// The tables in which rows differ.
    pub tables: Vec<TableDiff>,
}

/// What differs in a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableDiff {
    /// Its name.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The number of rows that are only in the later state.
    pub added: u64,
    /// The number of rows that are only in the earlier state.
    pub removed: u64,
    /// The number of rows that are in both, with other values.
    pub changed: u64,
    /// The first of these rows.
    pub rows: Vec<RowChange>,
}

/// The answer to [`sql`](super::Request::Sql).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SqlResult {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there are more rows than the limit.
    pub truncated: bool,
    /// The time that it took, in microseconds.
    pub micros: u64,
    /// SQLite's plan, a line for each step.
    pub plan: Vec<PlanStep>,
    /// The last event of the state.
    pub seq: String,
}

/// A step of a query plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanStep {
    /// The number of steps that it is nested in.
    pub depth: u32,
    /// SQLite's words.
    pub detail: String,
}

/// The answer to [`events`](super::Request::Events).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsPage {
    /// The events, in the log's order.
    pub events: Vec<EventRow>,
    /// The position of the first one in the whole log, if there is no filter.
    pub index: Option<u64>,
    /// The number of events in the whole log.
    pub total: u64,
    /// Whether there are more in the direction that was asked for. With a filter, there may be none
    /// in a page of which this is true: ask again, from `scanned` on.
    pub more: bool,
    /// The last event that was looked at, in the direction that was asked for.
    pub scanned: Option<String>,
}

/// An event, in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRow {
    /// Its number.
    pub seq: String,
    /// Its wire name.
    pub name: String,
    /// The start of its args: up to 300 bytes of JSON.
    pub args: String,
    /// The number of bytes of its args.
    pub args_length: usize,
    /// Its client.
    pub client_id: String,
    /// Its session.
    pub session_id: String,
    /// Where it stands.
    pub kind: EventKind,
    /// Whether it is of one commit with the event before it.
    pub continues: bool,
}

/// The answer to [`event`](super::Request::Event).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventDetails {
    /// The event.
    pub event: EventRow,
    /// Its args, whole; `null` if it has none.
    pub args: Box<RawValue>,
    /// The event that it followed when it was committed or rebased last.
    pub parent: String,
    /// The rebase generation of its number: how often its client had rebased when it got it.
    pub rebases: u64,
    /// The schema hash of the app that committed it.
    pub schema_hash: String,
    /// What the backend has noted beside it, such as the time at which it came; `null` if nothing.
    pub sync_metadata: Option<Box<RawValue>>,
    /// The numbers of all events of the same commit.
    pub commit: Vec<String>,
    /// Why it could not be applied, if so.
    pub quarantined: Option<String>,
    /// The rows that it has changed; `null` if the host cannot know.
    pub changes: Option<Vec<RowChange>>,
}

/// The answer to [`commit`](super::Request::Commit).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommittedInfo {
    /// The numbers that the events got.
    pub seqs: Vec<String>,
}

/// The answer to [`asTest`](super::Request::AsTest).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCode {
    /// Rust code.
    pub code: String,
}

/// The answer to [`fork`](super::Request::Fork).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForkInfo {
    /// Its number.
    pub fork: u64,
    /// Its last event.
    pub seq: String,
}

/// The answer to [`live`](super::Request::Live).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveGraph {
    /// The nodes: tables that are read, live queries, computeds, signals.
    pub nodes: Vec<LiveNode>,
    /// The edges: `to` reads `from`. Both are ids of nodes.
    pub edges: Vec<LiveEdge>,
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveNode {
    /// Its id; a table's is `table:` and its name.
    pub id: String,
    /// What it is.
    pub kind: LiveKind,
    /// A query's SQL, a table's name, or the place in the source at which a value was made.
    pub label: String,
    /// How a query is kept up to date; `null` for other nodes.
    pub tier: Option<String>,
    /// Why, in a few words; `null` for other nodes.
    pub reason: Option<String>,
    /// The number of times that it ran.
    pub runs: u64,
    /// The number of times that its value changed.
    pub changes: u64,
    /// The number of subscribers.
    pub subscribers: u64,
    /// The time that all runs took, in microseconds.
    pub micros: f64,
    /// The time that the last run took, in microseconds.
    pub last_micros: f64,
    /// Whether the last commit reached it.
    pub reached: bool,
    /// Why its value is not up to date, if so.
    pub error: Option<String>,
}

/// The kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LiveKind {
    /// A table that live queries read.
    Table,
    /// A live query.
    Query,
    /// A value that is computed from others.
    Computed,
    /// A value that the app sets.
    Signal,
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveEdge {
    /// The node that is read.
    pub from: String,
    /// The node that reads it.
    pub to: String,
}

/// The answer to [`performance`](super::Request::Performance).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Performance {
    /// Whole commits of this session.
    pub commits: Histogram,
    /// Queries of the app that are not live.
    pub queries: Histogram,
    /// Materializers, by event name, the ones that took longest in all first.
    pub materializers: Vec<NamedHistogram>,
    /// The bytes of the state in memory.
    pub state_bytes: u64,
}

/// The distribution of times.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Histogram {
    /// The number of times.
    pub count: u64,
    /// Their sum, in microseconds.
    pub sum_micros: f64,
    /// The longest, in microseconds.
    pub max_micros: f64,
    /// The number of times from 2^(n-1) to 2^n microseconds, for each n from 0 on.
    pub buckets: Vec<u64>,
}

/// A distribution with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedHistogram {
    /// The name.
    pub name: String,
    /// The distribution.
    #[serde(flatten)]
    pub histogram: Histogram,
}

/// The answer to [`sizes`](super::Request::Sizes).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sizes {
    /// The events by name, the largest in all first.
    pub events: Vec<EventSize>,
    /// The bytes of the state in memory.
    pub state_bytes: u64,
}

/// The size of all events of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSize {
    /// The wire name.
    pub name: String,
    /// Their number.
    pub count: u64,
    /// The bytes of their args.
    pub bytes: u64,
}

/// The answer to [`exportEvents`](super::Request::ExportEvents).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// One event each, without the end of the line.
    pub lines: Vec<String>,
    /// The last one's number; `null` if there are none.
    pub last: Option<String>,
}

/// The answer to [`exportState`](super::Request::ExportState).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Piece {
    /// Bytes from the offset on, as base64.
    pub base64: String,
    /// The number of bytes of the whole.
    pub total: u64,
}
