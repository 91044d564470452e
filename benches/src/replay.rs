//! Opening without a snapshot: every event is read, decoded and materialized.

use std::fs;
use std::path::Path;

use livestore::prelude::*;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::Result;
use crate::app::{App, Created, TodoEvent};
use crate::floor::{self, Commits, Todos};
use crate::harness::{Measured, ROUNDS, compare, time};

const EVENTS: u64 = 100_000;

pub(crate) fn replay() -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let ours = directory.path();
    fill_ours(ours)?;
    let log = fill_floor(ours)?;
    let snapshot = ours.join("bench").join("state.snapshot");
    compare(
        ROUNDS,
        1,
        || {
            fs::remove_file(&snapshot)?;
            time(|| Ok(Store::<App>::builder("bench").directory(ours).open()?))
        },
        || time(|| replay_floor(&log)),
    )
}

pub(crate) fn fill_ours(directory: &Path) -> Result<()> {
    let store = Store::<App>::builder("bench").directory(directory).open()?;
    store.commit((0..EVENTS).map(|n| Created::nth(n).into()).collect::<Vec<TodoEvent>>())?;
    Ok(store.close()?)
}

pub(crate) fn fill_floor(directory: &Path) -> Result<Connection> {
    let (state, log) = (floor::state()?, floor::log(&directory.join("floor.db"))?);
    let events: Vec<_> = (0..EVENTS).map(Created::nth).collect();
    log.execute_batch("BEGIN")?;
    Commits::new(&state, &log)?.commit(&events)?;
    log.execute_batch("COMMIT")?;
    Ok(log)
}

fn replay_floor(log: &Connection) -> Result<Connection> {
    let state = floor::state()?;
    state.execute_batch("BEGIN")?;
    let mut todos = Todos::new(&state)?;
    let mut events = log.prepare("SELECT name, args FROM eventlog ORDER BY seq")?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        // There are no others, but whoever replays has to look.
        let (ValueRef::Text(b"v1.TodoCreated"), ValueRef::Text(args)) =
            (row.get_ref(0)?, row.get_ref(1)?)
        else {
            return Err("an event that the app does not know".into());
        };
        todos.insert(&serde_json::from_slice(args)?)?;
    }
    drop(todos);
    state.execute_batch("COMMIT")?;
    Ok(state)
}
