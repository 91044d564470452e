//! `livestore state`

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use livestore::inspect::{Folder, InspectError, SnapshotProblem, StateView};
use livestore::schema::SchemaDef;
use livestore::value::Value;
use livestore::{SeqNum, SqliteError, SqliteErrorKind};
use livestore_protocol::printable;
use serde_json::json;

use crate::args::State;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Output, Style, counted, quote};

pub(super) fn run(out: &mut Output, args: &State, schema: Option<&'static SchemaDef>) -> Result {
    let folder = args.place.open()?;
    let state = of(&folder, args.at, schema)?;
    match &args.query {
        _ if args.quarantined => quarantined(out, &state),
        None => tables(out, &folder, &state),
        Some(sql) if args.explain => {
            state.explain(sql)?.iter().try_for_each(|step| match out.json {
                true => out.json(&json!({ "step": step })),
                false => out.line(printable(step)),
            })
        }
        Some(sql) => query(out, &state, sql, args.timeout),
    }
}

/// The state that is asked for, as far as it can be made.
pub(crate) fn of(
    folder: &Folder,
    at: Option<SeqNum>,
    schema: Option<&'static SchemaDef>,
) -> Result<StateView> {
    if let Some(schema) = schema {
        let to = at.map_or_else(|| folder.head(), Ok)?;
        return Ok(folder.replay(schema, to)?);
    }
    let newest = match at {
        Some(_) => folder.snapshot(),
        None => folder.state(),
    };
    let state = match newest {
        Err(InspectError::Snapshot(problem)) => return Err(no_state(problem)),
        state => state?,
    };
    match at {
        Some(at) if (at.global, at.client) != (state.head().global, state.head().client) => {
            let head = state.head();
            let message = format!(
                "the state as of {at} takes the app's materializers, which this command does not have; \
                 the newest snapshot has the state as of {head}. A command that the app links with its schema \
                 can do it: see `livestore_cli::run_with`"
            );
            Err(Failure::new(Exit::NotFound, message))
        }
        _ => Ok(state),
    }
}

fn no_state(problem: SnapshotProblem) -> Failure {
    let failure = Failure::from(InspectError::from(problem));
    let message = format!(
        "{}. Without the app's materializers there is no other state; the app writes a snapshot while it \
         runs, or when it is closed, once that saves it time",
        failure.message()
    );
    Failure::new(failure.exit, message)
}

fn tables(out: &mut Output, folder: &Folder, state: &StateView) -> Result {
    let head = folder.head()?;
    let tables = state.tables()?;
    if !out.json {
        let behind = if state.head() == head {
            String::new()
        } else {
            format!(", the log ends with {head}")
        };
        out.field("state", format!("as of {}{behind}", state.head()))?;
        match state.quarantined()?.len() {
            0 => {}
            count => out.field("quarantine", counted(count as u64, "event"))?,
        }
    }
    for table in tables {
        let rows = state.count(&table.name)?;
        if out.json {
            let columns = table.columns.iter().map(|column| {
                json!({
                    "name": column.name, "type": column.kind, "nullable": column.nullable, "key": column.key,
                })
            });
            let columns: Vec<_> = columns.collect();
            out.json(&json!({
                "table": table.name, "rows": rows, "columns": columns, "stateHead": state.head().to_string(),
            }))?;
            continue;
        }
        let name = out.styled(Style::Strong, &table.name);
        out.line(format!("{name}  {}", counted(rows, "row")))?;
        for column in &table.columns {
            let key = if column.key > 0 { " primary key" } else { "" };
            let null = if column.nullable { " or null" } else { "" };
            let kind = column.kind.to_lowercase();
            out.line(format!("  {} {kind}{null}{key}", printable(&column.name)))?;
        }
    }
    Ok(())
}

fn quarantined(out: &mut Output, state: &StateView) -> Result {
    for event in state.quarantined()? {
        let (seq, reason) = (event.seq.to_string(), event.reason.to_string());
        if out.json {
            out.json(&json!({
                "seqNum": seq, "name": event.name, "args": event.args, "reason": reason,
            }))?;
        } else {
            let name = out.styled(Style::Strong, &event.name);
            out.line(format!("{seq} {name} {}", printable(&event.args)))?;
            out.line(format!("  {}", printable(&reason)))?;
        }
    }
    Ok(())
}

/// Writes row after row, as SQLite finds them.
fn query(out: &mut Output, state: &StateView, sql: &str, timeout: Option<f64>) -> Result {
    let query = state.query(sql).map_err(refused)?;
    let columns = distinct(query.columns());
    let keys: Vec<_> = columns.iter().map(|column| quote(column)).collect();
    if !out.json {
        let names: Vec<_> = columns.iter().map(|name| out.styled(Style::Faint, name)).collect();
        out.line(names.join("\t"))?;
    }
    let mut failed = None;
    let interrupt = state.interrupt();
    let done = std::thread::scope(|scope| {
        let (finished, waiting) = mpsc::channel::<()>();
        if let Some(seconds) = timeout {
            let wait = Duration::try_from_secs_f64(seconds)
                .map_err(|_| Failure::usage(format!("{seconds} is not a number of seconds")))?;
            scope.spawn(move || {
                if waiting.recv_timeout(wait) == Err(mpsc::RecvTimeoutError::Timeout) {
                    interrupt.interrupt();
                }
            });
        }
        let done = query.for_each(|values| match row(out, &keys, values) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        });
        drop(finished);
        Ok::<_, Failure>(done)
    })?;
    match (failed, done) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) if error.kind() == SqliteErrorKind::Interrupted => {
            let seconds = timeout.unwrap_or_default();
            Err(Failure::failed(format!("the query was ended after {seconds} seconds")))
        }
        (None, done) => Ok(done?),
    }
}

/// Why a query is not run.
pub(crate) fn refused(error: SqliteError) -> Failure {
    match error.kind() {
        SqliteErrorKind::Denied => Failure::failed("a query may only read the tables of the state"),
        _ => error.into(),
    }
}

/// Names that are there twice get a number, as the keys of an object have to be different.
pub(crate) fn distinct(mut columns: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashMap::new();
    for column in &mut columns {
        let count = seen.entry(column.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            *column = format!("{column}:{count}");
        }
    }
    columns
}

fn row(out: &mut Output, keys: &[String], values: &[Value<'_>]) -> Result {
    if out.json {
        let fields = keys.iter().zip(values);
        let fields: Vec<_> =
            fields.map(|(key, value)| format!("{key}:{}", json_of(value))).collect();
        return Ok(writeln!(out, "{{{}}}", fields.join(","))?);
    }
    let values: Vec<_> = values.iter().map(text_of).collect();
    out.line(values.join("\t"))
}

/// A value as JSON. Bytes are hexadecimal text, and so are numbers that JSON does not have.
pub(crate) fn json_of(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => serde_json::Number::from_f64(*real)
            .map_or_else(|| quote(&real.to_string()), |number| number.to_string()),
        Value::Text(text) => quote(text),
        Value::Blob(bytes) => quote(&hex(bytes)),
    }
}

fn text_of(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => real.to_string(),
        Value::Text(text) => printable(text).to_string(),
        Value::Blob(bytes) => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
