//! `livestore verify`

use livestore::inspect::{Folder, InspectError, SnapshotProblem};
use livestore::schema::SchemaDef;
use serde_json::json;

use crate::args::Verify;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Output, counted};

pub(super) fn run(out: &mut Output, args: &Verify, schema: Option<&'static SchemaDef>) -> Result {
    let folder = args.place.open()?;
    let mut events = 0;
    for event in folder.events() {
        event?;
        events += 1;
    }
    let snapshot = snapshot(&folder, schema)?;
    if out.json {
        let head = folder.head()?.to_string();
        return out.json(&json!({ "events": events, "head": head, "snapshot": snapshot }));
    }
    out.field("events", format!("{}, all as they were written", counted(events, "event")))?;
    out.field("snapshot", snapshot)
}

/// Checks the snapshot; returns what there is to say about it.
fn snapshot(folder: &Folder, schema: Option<&'static SchemaDef>) -> Result<String> {
    let state = match folder.snapshot() {
        Ok(state) => state,
        Err(InspectError::Snapshot(problem @ SnapshotProblem::Damaged { .. })) => {
            let message = format!("{problem}; the app makes another one from the log");
            return Err(Failure::new(Exit::Problem, message));
        }
        Err(InspectError::Snapshot(problem)) => return Ok(problem.to_string()),
        Err(error) => return Err(error.into()),
    };
    let head = state.head();
    let Some(schema) = schema else {
        return Ok(format!("of {head}, as it was written"));
    };
    match folder.compare_snapshot(schema) {
        Ok((head, None)) => Ok(format!("of {head}, equal to a replay")),
        Ok((_, Some(divergence))) => Err(Failure::new(Exit::Problem, divergence.to_string())),
        Err(InspectError::Snapshot(problem)) => Ok(problem.to_string()),
        Err(error) => Err(error.into()),
    }
}
