//! Opening from a snapshot with nothing after it.

use std::fs::{self, File};
use std::path::Path;

use livestore::prelude::*;
use rusqlite::{Connection, MAIN_DB};

use crate::app::{App, Todo};
use crate::harness::{Measured, ROUNDS, compare, time};
use crate::{Result, replay};

pub(crate) fn snapshot() -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let ours = directory.path();
    replay::fill_ours(ours)?;
    let floor = ours.join("floor.sqlite");
    fs::write(&floor, database(&ours.join("bench").join("state.snapshot"))?)?;
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
        || time(|| open_floor(&floor)),
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

fn open_floor(path: &Path) -> Result<Connection> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().try_into()?;
    let mut state = Connection::open_in_memory()?;
    state.deserialize_read_exact(MAIN_DB, file, length, false)?;
    state.query_row("SELECT COUNT(*) FROM todo", [], |row| row.get::<_, i64>(0))?;
    Ok(state)
}
