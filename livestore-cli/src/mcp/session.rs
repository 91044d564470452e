//! The store that a client is connected to, and what each tool does with it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use livestore::inspect::{Folder, StateView};
use livestore::schema::SchemaDef;
use livestore::tools::SessionInfo;
use livestore::value::Value as SqlValue;
use livestore::{SeqNum, SqliteErrorKind};
use serde_json::{Map, Value, json};

use super::arguments::{self, Connect, Events, Explain, Export, Nothing, Query};
use super::tools::ToolName;
use super::write;
use crate::commands::{export, state};
use crate::exit::{Exit, Failure, Result};
use crate::line;
use crate::place::Place;

/// The number of rows and events that an answer has by default, and at most.
pub(super) const ROWS: usize = 200;
pub(super) const MAX_ROWS: usize = 5_000;
pub(super) const EVENTS: usize = 100;
pub(super) const MAX_EVENTS: usize = 2_000;

/// The most events of an export.
const MAX_EXPORT: u64 = 10_000;

/// The most bytes of rows or events in an answer: more is of no use to whom it is for.
const MAX_BYTES: usize = 1024 * 1024;

/// A query that takes longer is ended.
const MAX_TIME: Duration = Duration::from_secs(10);

/// What a client has asked for so far.
pub(super) struct Session {
    directory: PathBuf,
    schema: Option<&'static SchemaDef>,
    connected: Option<Connected>,
}

struct Connected {
    folder: Folder,
    /// The state that was asked for last, as of the event that was asked for.
    state: Option<(Option<SeqNum>, StateView)>,
}

impl Session {
    pub(super) fn new(directory: PathBuf, schema: Option<&'static SchemaDef>) -> Self {
        Self { directory, schema, connected: None }
    }

    /// Does what the tool is for.
    pub(super) fn call(&mut self, tool: ToolName, arguments: Map<String, Value>) -> Result<Value> {
        match tool {
            ToolName::Connect => self.connect(&arguments::read(arguments)?),
            ToolName::Schema => arguments::read(arguments).and_then(|Nothing {}| self.schema()),
            ToolName::Query => self.query(arguments::read(arguments)?),
            ToolName::Explain => self.explain(&arguments::read(arguments)?),
            ToolName::Events => self.events(&arguments::read(arguments)?),
            ToolName::Status => arguments::read(arguments).and_then(|Nothing {}| self.status()),
            ToolName::Export => self.export(&arguments::read(arguments)?),
            ToolName::Disconnect => {
                let Nothing {} = arguments::read(arguments)?;
                self.connected = None;
                Ok(json!({ "_tag": "disconnected" }))
            }
            ToolName::Commit => {
                let schema = self.schema;
                write::commit(&self.connected()?.folder, schema, arguments::read(arguments)?)
            }
            ToolName::Import => write::import(&self.directory, arguments::read(arguments)?),
        }
    }

    fn connected(&mut self) -> Result<&mut Connected> {
        self.connected.as_mut().ok_or_else(|| {
            Failure::usage("no store is connected: call livestore_instance_connect first")
        })
    }

    fn connect(&mut self, arguments: &Connect) -> Result<Value> {
        let place = Place { directory: self.directory.clone(), store: arguments.store_id.clone() };
        let folder = place.open()?;
        let info = folder.info()?;
        self.connected = Some(Connected { folder, state: None });
        let schema = self.schema;
        let connected = self.connected()?;
        let events: Vec<_> = connected.folder.names()?.into_iter().map(|name| name.name).collect();
        // Without a snapshot there are no tables to show.
        let tables = connected.state(schema, None).and_then(|state| Ok(state.tables()?));
        let tables: Vec<_> =
            tables.unwrap_or_default().into_iter().map(|table| table.name).collect();
        Ok(json!({
            "storeId": info.store_id,
            "clientId": info.client_id,
            "head": info.head.to_string(),
            "schemaInfo": { "tableNames": tables, "eventNames": events },
        }))
    }

    fn schema(&mut self) -> Result<Value> {
        let schema = self.schema;
        let connected = self.connected()?;
        let mut events = BTreeMap::new();
        for name in connected.folder.names()? {
            events.insert(
                name.name,
                json!({ "count": name.events, "bytes": name.bytes, "shapes": [] }),
            );
        }
        for (name, shape) in connected.folder.shapes()? {
            let event = events
                .entry(name)
                .or_insert_with(|| json!({ "count": 0, "bytes": 0, "shapes": [] }));
            if let Some(Value::Array(shapes)) = event.get_mut("shapes") {
                shapes.push(shape.into());
            }
        }
        let state = connected.state(schema, None);
        let (tables, why) = match state.and_then(tables) {
            Ok(tables) => (tables, None),
            Err(failure) => (Vec::new(), Some(failure.message())),
        };
        Ok(json!({ "tables": tables, "events": events, "noTables": why }))
    }

    fn query(&mut self, arguments: Query) -> Result<Value> {
        let limit = within(arguments.limit, ROWS, MAX_ROWS, "limit")?;
        let values = arguments.bind_values.iter().map(bound).collect::<Result<Vec<_>>>()?;
        let schema = self.schema;
        let state = self.connected()?.state(schema, arguments.at.map(|seq| seq.0))?;
        let query = state.query(&arguments.sql).map_err(state::refused)?.bind(values);
        let columns = state::distinct(query.columns());
        let (mut rows, mut bytes, mut truncated) = (Vec::new(), 0, false);
        let interrupt = state.interrupt();
        let done = std::thread::scope(|scope| {
            let (finished, waiting) = mpsc::channel::<()>();
            scope.spawn(move || {
                if waiting.recv_timeout(MAX_TIME) == Err(mpsc::RecvTimeoutError::Timeout) {
                    interrupt.interrupt();
                }
            });
            let done = query.for_each(|values| {
                if rows.len() == limit || bytes >= MAX_BYTES {
                    truncated = true;
                    return ControlFlow::Break(());
                }
                let values: Vec<_> = values.iter().map(state::json_of).collect();
                bytes += values.iter().map(String::len).sum::<usize>();
                let value = |json: &String| serde_json::from_str(json).unwrap_or(Value::Null);
                rows.push(
                    columns.iter().cloned().zip(values.iter().map(value)).collect::<Map<_, _>>(),
                );
                ControlFlow::Continue(())
            });
            drop(finished);
            done
        });
        match done {
            Err(error) if error.kind() == SqliteErrorKind::Interrupted => {
                let seconds = MAX_TIME.as_secs();
                return Err(Failure::failed(format!(
                    "the query was ended after {seconds} seconds"
                )));
            }
            done => done?,
        }
        let count = rows.len();
        let head = state.head().to_string();
        Ok(json!({ "rows": rows, "rowCount": count, "truncated": truncated, "stateHead": head }))
    }

    fn explain(&mut self, arguments: &Explain) -> Result<Value> {
        let schema = self.schema;
        let state = self.connected()?.state(schema, None)?;
        let steps = state.explain(&arguments.sql).map_err(state::refused)?;
        let live = match state.live_reads(&arguments.sql) {
            Ok(reads) => json!({ "tier": "rerun", "reason": "it is SQL as text", "reads": reads }),
            Err(error) => json!({ "refused": error.to_string() }),
        };
        Ok(json!({ "steps": steps, "live": live }))
    }

    fn events(&mut self, arguments: &Events) -> Result<Value> {
        let limit = within(arguments.limit, EVENTS, MAX_EVENTS, "limit")?;
        let last = arguments
            .last
            .map(|last| within(Some(last), EVENTS, MAX_EVENTS, "last"))
            .transpose()?;
        let folder = &self.connected()?.folder;
        let mut events = folder.events().after(arguments.after.map_or(SeqNum::ROOT, |seq| seq.0));
        if let Some(to) = arguments.to {
            events = events.to(to.0);
        }
        let (mut found, mut bytes, mut next) = (VecDeque::new(), 0, None);
        for event in events {
            let event = event?;
            let is_named = arguments.names.is_empty()
                || arguments.names.iter().any(|name| *name == event.name);
            let has_text = arguments.contains.as_ref().is_none_or(|text| event.args.contains(text));
            if !is_named || !has_text {
                continue;
            }
            match last {
                Some(last) if found.len() == last => drop(found.pop_front()),
                Some(_) => {}
                None if found.len() == limit || bytes >= MAX_BYTES => {
                    next = found.back().map(|(seq, _): &(SeqNum, Value)| seq.to_string());
                    break;
                }
                None => {}
            }
            bytes += event.args.len();
            found.push_back((event.seq, serde_json::to_value(line::of(&event)?)?));
        }
        let head = folder.head()?.to_string();
        let events: Vec<_> = found.into_iter().map(|(_, event)| event).collect();
        Ok(json!({ "events": events, "head": head, "next": next }))
    }

    fn status(&mut self) -> Result<Value> {
        let schema = self.schema;
        let Some(connected) = &mut self.connected else {
            return Ok(json!({ "_tag": "disconnected" }));
        };
        let info = connected.folder.info()?;
        let running = connected.folder.running()?;
        let session = |session: &SessionInfo| json!({ "id": session.id, "leads": session.leads });
        let sessions: Vec<_> =
            running.iter().flat_map(|running| &running.sessions).map(session).collect();
        let network = running.as_ref().map(|running| running.status.network.to_string());
        let mut counts = Map::new();
        let mut state_head = None;
        if let Ok(state) = connected.state(schema, None) {
            state_head = Some(state.head().to_string());
            for table in state.tables()? {
                counts.insert(table.name.clone(), state.count(&table.name)?.into());
            }
        }
        Ok(json!({
            "_tag": "connected",
            "storeId": info.store_id,
            "clientId": info.client_id,
            "head": info.head.to_string(),
            "events": info.events,
            "isOpen": info.is_open,
            "stateHead": state_head,
            "tableCounts": counts,
            "sync": {
                "backendId": info.backend_id,
                "upstreamHead": info.upstream_head,
                "confirmedHead": info.confirmed_head.to_string(),
                "pending": info.pending,
                "network": network,
            },
            "sessions": sessions,
        }))
    }

    fn export(&mut self, arguments: &Export) -> Result<Value> {
        let folder = &self.connected()?.folder;
        let mut events = folder.events().after(arguments.after.map_or(SeqNum::ROOT, |seq| seq.0));
        events = events.to(arguments.to.map_or_else(|| folder.head(), |seq| Ok(seq.0))?);
        let mut count = 0;
        let events = events.take_while(|_| {
            count += 1;
            count <= MAX_EXPORT
        });
        let mut data = Vec::new();
        let written = export::write_livestore(&mut data, folder.store_id(), events)?;
        if count > MAX_EXPORT {
            let message = "there are more than 10,000 events: choose some with `after` and `to`, or use the \
                           command `livestore export`";
            return Err(Failure::usage(message));
        }
        let data: Value = serde_json::from_slice(&data)?;
        let exported_at = data.get("exportedAt").cloned();
        Ok(json!({
            "storeId": folder.store_id(), "eventCount": written, "exportedAt": exported_at, "data": data,
        }))
    }
}

impl Connected {
    /// The state as of an event, or the newest that can be shown.
    fn state(
        &mut self,
        schema: Option<&'static SchemaDef>,
        at: Option<SeqNum>,
    ) -> Result<&StateView> {
        let newest = match schema {
            Some(_) => at.map_or_else(|| self.folder.head(), Ok)?,
            None => match self.folder.running()?.filter(|_| at.is_none()) {
                Some(running) => running.status.local_head,
                None => self.folder.snapshot_info().map_or(SeqNum::ROOT, |info| info.head),
            },
        };
        let is_known = self
            .state
            .as_ref()
            .is_some_and(|(asked, state)| *asked == at && state.head() == newest);
        if !is_known {
            self.state = Some((at, state::of(&self.folder, at, schema)?));
        }
        match &self.state {
            Some((_, state)) => Ok(state),
            None => Err(Failure::new(Exit::NotFound, "there is no state")),
        }
    }
}

fn tables(state: &StateView) -> Result<Vec<Value>> {
    let tables = state.tables()?.into_iter().map(|table| {
        let columns = table.columns.iter().map(|column| {
            let (name, kind) = (&column.name, &column.kind);
            json!({ "name": name, "type": kind, "nullable": column.nullable, "key": column.key })
        });
        json!({ "name": table.name, "columns": columns.collect::<Vec<_>>() })
    });
    Ok(tables.collect())
}

/// A number of rows or events that is asked for.
fn within(asked: Option<usize>, default: usize, most: usize, what: &str) -> Result<usize> {
    match asked {
        None => Ok(default),
        Some(asked) if (1..=most).contains(&asked) => Ok(asked),
        Some(asked) => {
            Err(Failure::usage(format!("`{what}` is {asked}, and can be from 1 to {most}")))
        }
    }
}

/// A value as SQLite has it.
fn bound(value: &Value) -> Result<SqlValue<'static>> {
    match value {
        Value::Null => Ok(SqlValue::Null),
        Value::Bool(bool) => Ok(SqlValue::Integer((*bool).into())),
        Value::String(text) => Ok(SqlValue::text(text.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(SqlValue::Integer(integer)),
            (None, Some(real)) => Ok(SqlValue::Real(real)),
            (None, None) => Err(Failure::usage(format!("{number} does not fit into a column"))),
        },
        Value::Array(_) | Value::Object(_) => {
            Err(Failure::usage("`bindValues` has a list or an object; give it as JSON text"))
        }
    }
}

/// Args as text, for the log.
pub(super) fn args_text(args: &Map<String, Value>) -> Result<String> {
    Ok(serde_json::to_string(args)?)
}
