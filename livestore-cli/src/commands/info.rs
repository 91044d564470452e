//! `livestore info`

use livestore::inspect::{Folder, Info, InspectError, NamedEvents, SnapshotInfo, SnapshotProblem};
use livestore_protocol::printable;
use serde_json::{Map, Value, json};

use crate::args;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Output, Style, counted, thousands};

pub(super) fn run(out: &mut Output, args: &args::Info) -> Result {
    let all = args.place.all()?;
    if all.is_empty() {
        let message = format!("there is no store in {}", args.place.directory.display());
        return Err(Failure::new(Exit::NotFound, message));
    }
    for (n, path) in all.iter().enumerate() {
        let folder = Folder::open(path)?;
        let info = folder.info()?;
        let snapshot = match folder.snapshot_info() {
            Ok(snapshot) => Ok(snapshot),
            Err(InspectError::Snapshot(problem)) => Err(problem),
            Err(error) => return Err(error.into()),
        };
        let names = folder.names()?;
        if out.json {
            out.json(&as_json(path, &info, &snapshot, &names))?;
            continue;
        }
        if n > 0 {
            out.line("")?;
        }
        out.field("folder", printable(&path.display().to_string()))?;
        show(out, &info, &snapshot, &names)?;
    }
    Ok(())
}

type Snapshot = Result<SnapshotInfo, SnapshotProblem>;

fn show(out: &mut Output, info: &Info, snapshot: &Snapshot, names: &[NamedEvents]) -> Result {
    let store = out.styled(Style::Strong, &info.store_id);
    out.field("store", store)?;
    out.field("client", printable(&info.client_id))?;
    out.field("open", if info.is_open { "yes, by an app" } else { "no" })?;
    let pending = match info.pending {
        0 => String::new(),
        pending => format!(", {} pending", thousands(pending)),
    };
    out.field("events", format!("{}{pending}, the last is {}", thousands(info.events), info.head))?;
    out.field(
        "backend",
        match (info.upstream_head, &info.backend_id) {
            (None, _) => "none so far".to_owned(),
            (Some(head), None) => format!("has e{head}"),
            (Some(head), Some(id)) => format!("has e{head}, its id is {}", printable(id)),
        },
    )?;
    out.field("log", counted(info.log_bytes, "byte"))?;
    out.field(
        "snapshot",
        match snapshot {
            Ok(snapshot) => format!("of {}, {}", snapshot.head, counted(snapshot.bytes, "byte")),
            Err(problem) => problem.to_string(),
        },
    )?;
    for name in names {
        let events = counted(name.events, "event");
        let bytes = counted(name.bytes, "byte");
        let shown = out.styled(Style::Strong, &name.name);
        out.line(format!("  {shown}  {events}, {bytes} of args"))?;
    }
    Ok(())
}

fn as_json(
    path: &std::path::Path,
    info: &Info,
    snapshot: &Snapshot,
    names: &[NamedEvents],
) -> Value {
    let named = |name: &NamedEvents| {
        (name.name.clone(), json!({ "events": name.events, "bytes": name.bytes }))
    };
    json!({
        "folder": path.display().to_string(),
        "storeId": info.store_id,
        "clientId": info.client_id,
        "historyId": info.history_id,
        "backendId": info.backend_id,
        "isOpen": info.is_open,
        "head": info.head.to_string(),
        "confirmedHead": info.confirmed_head.to_string(),
        "upstreamHead": info.upstream_head,
        "events": info.events,
        "pending": info.pending,
        "logBytes": info.log_bytes,
        "snapshot": match snapshot {
            Ok(snapshot) => json!({
                "head": snapshot.head.to_string(),
                "schemaHash": snapshot.schema_hash,
                "bytes": snapshot.bytes,
            }),
            Err(problem) => json!({ "unusable": problem.to_string() }),
        },
        "names": names.iter().map(named).collect::<Map<_, _>>(),
    })
}
