//! Queries.

use std::hint::black_box;

use livestore::prelude::*;
use rusqlite::Connection;

use crate::Result;
use crate::app::{self, App, Created, Todo, TodoEvent};
use crate::floor::{self, Todos};
use crate::harness::{Measured, ROUNDS, compare, time};

/// One row by its primary key.
pub(crate) fn point() -> Result<Measured> {
    const ROWS: u64 = 100_000;
    const QUERIES: u32 = 10_000;
    let (store, state) = (ours(ROWS)?, floor(ROWS)?);
    // A prime step: rows in no order, none twice.
    let ids: Vec<_> = (0..u64::from(QUERIES)).map(|n| app::id(n * 7_919 % ROWS)).collect();
    let get = "SELECT id, text, completed, created_at, deleted_at FROM todo WHERE id = ?";
    compare(
        ROUNDS,
        QUERIES,
        || {
            time(|| {
                for id in &ids {
                    black_box(store.query(Todo::get(id))?);
                }
                Ok(())
            })
        },
        || {
            time(|| {
                for id in &ids {
                    black_box(state.prepare_cached(get)?.query_one([id], floor::todo)?);
                }
                Ok(())
            })
        },
    )
}

/// All rows of a table.
pub(crate) fn scan() -> Result<Measured> {
    const ROWS: u64 = 10_000;
    let (store, state) = (ours(ROWS)?, floor(ROWS)?);
    let all = "SELECT id, text, completed, created_at, deleted_at FROM todo";
    compare(
        ROUNDS * 5,
        1,
        || time(|| Ok(store.query(Todo::all())?)),
        || {
            time(|| {
                let mut statement = state.prepare_cached(all)?;
                let todos = statement.query_map([], floor::todo)?;
                Ok(todos.collect::<rusqlite::Result<Vec<_>>>()?)
            })
        },
    )
}

fn ours(rows: u64) -> Result<Store<App>> {
    let store = Store::<App>::builder("bench").open()?;
    store.commit((0..rows).map(|n| Created::nth(n).into()).collect::<Vec<TodoEvent>>())?;
    Ok(store)
}

fn floor(rows: u64) -> Result<Connection> {
    let state = floor::state()?;
    let mut todos = Todos::new(&state)?;
    (0..rows).try_for_each(|n| todos.insert(&Created::nth(n)))?;
    drop(todos);
    Ok(state)
}
