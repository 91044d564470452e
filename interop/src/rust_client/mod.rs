//! The client in Rust: what `peer/client.mjs` is in TypeScript. [`client`](crate::client) says what
//! the commands are.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use livestore::event::EncodedEvent;
use livestore::prelude::*;
use livestore::schema::Schema;
use livestore::sync::{NetworkStatus, SyncOptions};
use livestore_sync::{Http, WebSocket};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Result;

mod app;
mod kinds;
mod state;

use app::{Change, Newer, Older};

/// Answers commands until stdin ends.
pub(crate) fn run() -> Result {
    let mut store: Option<Box<dyn Opened>> = None;
    for line in std::io::stdin().lock().lines() {
        let answer = match obey(&mut store, &line?) {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(std::io::stdout().lock(), "{answer}")?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Command {
    #[serde(rename = "do")]
    name: String,
}

#[derive(Deserialize)]
struct Commit {
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    url: String,
    transport: String,
    store_id: String,
    client_id: String,
    payload: Value,
    dir: PathBuf,
    version: String,
}

#[derive(Deserialize)]
struct Event {
    name: String,
    args: String,
}

fn obey(store: &mut Option<Box<dyn Opened>>, line: &str) -> Result<Value> {
    let Command { name } = serde_json::from_str(line)?;
    if name == "open" {
        *store = Some(serde_json::from_str::<Open>(line)?.open()?);
        return Ok(Value::Null);
    }
    let opened = store.as_ref().ok_or("no store is open")?;
    match name.as_str() {
        "commit" => opened.commit(&serde_json::from_str::<Commit>(line)?.events),
        "status" => opened.status(),
        "log" => opened.log(),
        "state" => opened.state(),
        "close" => store.take().map_or(Ok(Value::Null), Opened::close),
        _ => Err(format!("there is no command {name}").into()),
    }
}

impl Open {
    fn open(&self) -> Result<Box<dyn Opened>> {
        match self.version.as_str() {
            "newer" => Ok(Box::new(self.store::<Newer>()?)),
            _ => Ok(Box::new(self.store::<Older>()?)),
        }
    }

    fn store<S: Schema>(&self) -> Result<Store<S>> {
        let store = Store::builder(&self.store_id).directory(&self.dir).client_id(&self.client_id);
        Ok(store.sync(self.backend().payload(self.payload.to_string())).open()?)
    }

    fn backend(&self) -> SyncOptions {
        match self.transport.as_str() {
            "http" => {
                let url = format!("http://{}", self.url);
                SyncOptions::new(Http::new(url).poll_every(Duration::from_millis(200)))
            }
            _ => SyncOptions::new(WebSocket::new(format!("ws://{}", self.url))),
        }
    }
}

/// A store of either version of the app.
trait Opened {
    fn commit(&self, events: &[Event]) -> Result<Value>;
    fn status(&self) -> Result<Value>;
    fn log(&self) -> Result<Value>;
    fn state(&self) -> Result<Value>;
    fn close(self: Box<Self>) -> Result<Value>;
}

impl<S: Schema> Opened for Store<S> {
    fn commit(&self, events: &[Event]) -> Result<Value> {
        let changes = events.iter().map(|event| Change::decode(&event.name, &event.args));
        self.commit(changes.collect::<std::result::Result<Vec<_>, _>>()?)?;
        Ok(Value::Null)
    }

    fn status(&self) -> Result<Value> {
        let status = self.sync_status()?;
        Ok(match status.network {
            NetworkStatus::Stopped(why) => json!({ "sync": "stopped", "why": why.to_string() }),
            _ => json!({
                "sync": "on",
                "local": status.local_head.global,
                "upstream": status.upstream_head.global,
                "pending": status.pending,
            }),
        })
    }

    fn log(&self) -> Result<Value> {
        self.events().into_iter().map(|event| Ok(entry(&event?))).collect()
    }

    fn state(&self) -> Result<Value> {
        state::read(self)
    }

    fn close(self: Box<Self>) -> Result<Value> {
        (*self).close()?;
        Ok(Value::Null)
    }
}

fn entry(event: &EncodedEvent) -> Value {
    json!({
        "global": event.seq.global,
        "client": event.seq.client,
        "generation": event.seq.generation,
        "parent": event.parent.global,
        "name": event.name,
        "args": event.args,
        "clientId": &*event.client_id,
        "sessionId": &*event.session_id,
    })
}
