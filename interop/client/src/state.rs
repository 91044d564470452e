//! All rows, as SQLite has them.

use livestore::prelude::*;
use livestore::schema::Schema;
use serde_json::{Value, json};

use crate::client::Result;

/// The rows of every table, each table in the order of its ids.
pub(crate) fn read<S: Schema>(store: &Store<S>) -> Result<Value> {
    Ok(json!({
        "todos": todos(store)?,
        "samples": samples(store)?,
        "notes": pairs(store, "notes", "text")?,
        "kinds": pairs(store, "kinds", "args")?,
        "tags": tags(store)?,
    }))
}

fn todos<S: Schema>(store: &Store<S>) -> Result<Vec<Value>> {
    let rows =
        raw::<(String, String, i64)>("SELECT id, text, completed FROM todos ORDER BY id", ());
    let object = |(id, text, completed)| json!({ "id": id, "text": text, "completed": completed });
    Ok(store.query(rows)?.into_iter().map(object).collect())
}

/// A float goes as its bits, in hexadecimal: two languages write it in two ways.
fn samples<S: Schema>(store: &Store<S>) -> Result<Vec<Value>> {
    type Sample = (String, String, i64, i64, f64, i64, Option<String>, Option<String>);
    let columns = "id, text, at, whole, ratio, flag, nullable, maybe";
    let rows =
        store.query(raw::<Sample>(format!("SELECT {columns} FROM samples ORDER BY id"), ()))?;
    let nested = store.query(raw::<(String,)>("SELECT nested FROM samples ORDER BY id", ()))?;
    let rows = rows.into_iter().zip(nested);
    rows.map(|((id, text, at, whole, ratio, flag, nullable, maybe), (nested,))| {
        Ok(json!({
            "id": id, "text": text, "at": at, "whole": whole,
            "ratio": format!("{:x}", ratio.to_bits()), "flag": flag, "nullable": nullable,
            "maybe": maybe, "nested": serde_json::from_str::<Value>(&nested)?,
        }))
    })
    .collect()
}

/// The older app has no such table.
fn tags<S: Schema>(store: &Store<S>) -> Result<Vec<Value>> {
    let table = raw::<(i64,)>("SELECT count(*) FROM sqlite_schema WHERE name = 'tags'", ());
    match store.query(table.one())? {
        (0,) => Ok(Vec::new()),
        _ => pairs(store, "tags", "tag"),
    }
}

fn pairs<S: Schema>(store: &Store<S>, table: &str, column: &str) -> Result<Vec<Value>> {
    let rows = raw::<(String, String)>(format!("SELECT id, {column} FROM {table} ORDER BY id"), ());
    let object = |(id, text)| json!({ "id": id, column: text });
    Ok(store.query(rows)?.into_iter().map(object).collect())
}
