//! Opening from a snapshot with nothing after it.

use std::fs::{self, File};
use std::path::Path;

use livestore::prelude::*;
use rusqlite::{Connection, MAIN_DB};

use crate::app::{App, Todo};
use crate::harness::{Measured, ROUNDS, compare, time};
use crate::{Result, floor, replay};

pub(crate) fn snapshot() -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let ours = directory.path();
    replay::fill_ours(ours)?;
    let state = ours.join("floor.sqlite");
    fs::write(&state, database(&ours.join("bench").join("state.snapshot"))?)?;
    let head = replay::fill_floor(ours)?.last_insert_rowid();
    compare(
        ROUNDS,
        1,
        || {
            time(|| {
                let store = Store::<App>::builder("bench").directory(ours).open()?;
                store.query(Todo::all().count())?;
                Ok(store)
            })
        },
        || time(|| open_floor(&state, ours, head)),
    )
}

/// The database in a snapshot, which has a header before it.
fn database(snapshot: &Path) -> Result<Vec<u8>> {
    let mut bytes = fs::read(snapshot)?;
    let magic = b"SQLite format 3\0";
    let start = bytes
        .windows(magic.len())
        .position(|window| window == magic)
        .ok_or("the snapshot holds no database")?;
    Ok(bytes.split_off(start))
}

/// Opens the log, as there will be commits, and the state if it is the one after the last event.
fn open_floor(path: &Path, directory: &Path, head: i64) -> Result<(Connection, Connection)> {
    let log = floor::open_log(&directory.join("floor.db"))?;
    let last = "SELECT seq FROM eventlog ORDER BY seq DESC LIMIT 1";
    if log.query_row(last, [], |row| row.get::<_, i64>(0))? != head {
        return Err("the state is not the one after the last event".into());
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len().try_into()?;
    let mut state = Connection::open_in_memory()?;
    state.deserialize_read_exact(MAIN_DB, file, length, false)?;
    state.query_row("SELECT COUNT(*) FROM todo", [], |row| row.get::<_, i64>(0))?;
    Ok((log, state))
}
