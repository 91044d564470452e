//! The tools: their names, which are LiveStore's where it has them, and what they take.

use std::sync::Arc;

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToolName {
    Connect,
    Schema,
    Query,
    Explain,
    Events,
    Status,
    Export,
    Disconnect,
    Commit,
    Import,
}

use ToolName as T;

/// Those that only read, and then those that write.
const READS: [ToolName; 8] =
    [T::Connect, T::Schema, T::Query, T::Explain, T::Events, T::Status, T::Export, T::Disconnect];
const WRITES: [ToolName; 2] = [T::Commit, T::Import];

impl ToolName {
    pub(super) fn all(allow_write: bool) -> impl Iterator<Item = Self> {
        let writes = WRITES.into_iter().filter(move |_| allow_write);
        READS.into_iter().chain(writes)
    }

    pub(super) fn find(name: &str, allow_write: bool) -> Option<Self> {
        Self::all(allow_write).find(|tool| tool.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            T::Connect => "livestore_instance_connect",
            T::Schema => "livestore_instance_schema",
            T::Query => "livestore_instance_query",
            T::Explain => "livestore_instance_explain",
            T::Events => "livestore_instance_events",
            T::Status => "livestore_instance_status",
            T::Export => "livestore_sync_export",
            T::Disconnect => "livestore_instance_disconnect",
            T::Commit => "livestore_instance_commit_events",
            T::Import => "livestore_sync_import",
        }
    }

    fn description(self) -> &'static str {
        match self {
            T::Connect => {
                "Connect to a store of the directory that this server was started for, to look into it. One is \
                 connected at a time; another call replaces it. The store is not changed, and an app may have it \
                 open. Returns its ids, and the names of its tables and events."
            }
            T::Schema => {
                "Show the tables of the store with their columns, and the events of its log with their numbers and \
                 the shapes of their args as livestore.lock has them."
            }
            T::Query => {
                "Run one SQL query on the state, which may only read; SQLite's dialect. `bindValues` are the values \
                 of its `?`. Returns at most `limit` rows, and `truncated` if there are more. `stateHead` is the \
                 event as of which the state is: the app's own, if one has the store open, and otherwise the newest \
                 snapshot's. With `at`, an earlier one can be asked for, as far as it can be made: without the \
                 app's materializers, only the snapshot's."
            }
            T::Explain => {
                "Show how SQLite would run a query: the steps of its plan. `live` says what a live query of this SQL \
                 would depend on: it would run again whenever a commit changes one of these columns, or any column of \
                 a table for which none is named. A live query that an app builds from its types may be brought up to date row by row \
                 instead; the devtools show those."
            }
            T::Events => {
                "Read the eventlog: what happened, in order. Begins behind `after`, or with the last `last` events. \
                 Returns at most `limit` events; `next` is what to give as `after` to go on."
            }
            T::Status => {
                "Report whether a store is connected, and how far it is: its last event, what is pending, what the \
                 sync backend has, whether an app has it open, that app's connection and sessions, and the number of \
                 rows of each table."
            }
            T::Export => {
                "Export events as the data that `livestore_sync_import` takes, here and in LiveStore. Events that \
                 stay on their client are left out. For more than 10,000 events use the command `livestore export`."
            }
            T::Disconnect => "Disconnect from the store.",
            T::Commit => {
                "Commit events, all of them or none. `name` has to be one that the log or the schema knows, and \
                 `args` an object. They are in the log then, and the app applies them when it opens the store; no \
                 app may have it open meanwhile."
            }
            T::Import => {
                "Add the events of an export to a store of the directory; it is created if it is missing. Events that \
                 it has already are compared, and others have to come right behind them. No app may have the store \
                 open meanwhile."
            }
        }
    }

    pub(super) fn definition(self) -> Tool {
        let writes = WRITES.contains(&self);
        let annotations = ToolAnnotations::new()
            .read_only(!writes)
            .destructive(writes)
            .idempotent(self != T::Commit)
            .open_world(false);
        Tool::new(self.name(), self.description(), Arc::new(self.input()))
            .with_annotations(annotations)
    }

    /// The JSON schema of the arguments.
    fn input(self) -> Map<String, Value> {
        let seq = |what: &str| json!({ "type": "string", "pattern": r"^e?\d+(\.\d+)?(r\d+)?$", "description": what });
        let text = |what: &str| json!({ "type": "string", "description": what });
        let limit = |most: usize, default: usize| {
            let what = format!("The most that are returned; {default} by default");
            json!({ "type": "integer", "minimum": 1, "maximum": most, "description": what })
        };
        let sql = text("The SQL of one query");
        let at = seq("The state as of this event, such as e12");
        let (properties, required) = match self {
            T::Connect => (
                json!({ "storeId": text("The store; may be left out if the directory has one only") }),
                vec![],
            ),
            T::Schema | T::Status | T::Disconnect => (json!({}), vec![]),
            T::Query => {
                let values = json!({
                    "type": "array", "description": "The values of the query's `?`, in order",
                    "items": { "type": ["string", "number", "boolean", "null"] },
                });
                let limit = limit(super::session::MAX_ROWS, super::session::ROWS);
                (json!({ "sql": sql, "bindValues": values, "at": at, "limit": limit }), vec!["sql"])
            }
            T::Explain => (json!({ "sql": sql }), vec!["sql"]),
            T::Events => {
                let names = json!({
                    "type": "array", "items": { "type": "string" }, "description": "Only events of these names",
                });
                let last = limit(super::session::MAX_EVENTS, super::session::EVENTS);
                (
                    json!({
                        "after": seq("Begin behind this event"),
                        "to": seq("End with this event"),
                        "last": last,
                        "names": names,
                        "contains": text("Only events with this text in their args"),
                        "limit": limit(super::session::MAX_EVENTS, super::session::EVENTS),
                    }),
                    vec![],
                )
            }
            T::Export => {
                let (after, to) = (seq("Begin behind this event"), seq("End with this event"));
                (json!({ "after": after, "to": to }), vec![])
            }
            T::Commit => {
                let event = json!({
                    "type": "object",
                    "properties": { "name": text("The event's name"), "args": { "type": "object" } },
                    "required": ["name"],
                    "additionalProperties": false,
                });
                let events = json!({ "type": "array", "minItems": 1, "items": event });
                (json!({ "events": events }), vec!["events"])
            }
            T::Import => {
                let flag = |what: &str| json!({ "type": "boolean", "description": what });
                (
                    json!({
                        "storeId": text("The store, unless it is the one that the data names"),
                        "data": { "type": "object", "description": "An export" },
                        "force": flag("Import the events of another store, too"),
                        "dryRun": flag("Only check the data"),
                    }),
                    vec!["data"],
                )
            }
        };
        let schema = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        match schema {
            Value::Object(schema) => schema,
            _ => Map::new(),
        }
    }
}
