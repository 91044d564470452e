//! What `../../peer/client.mjs` is in TypeScript. `../../src/client.rs` says what the commands are.

use std::time::Duration;

use livestore::event::EncodedEvent;
use livestore::prelude::*;
use livestore::schema::Schema;
use livestore::store::Builder;
use livestore::sync::{NetworkStatus, SyncOptions};
use livestore_sync::{Http, WebSocket};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{Change, Newer, Older};
use crate::state;

pub(crate) type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// A client. It has one store open at a time.
#[derive(Default)]
pub(crate) struct Client(Option<Opened>);

/// A store of either version of the app.
enum Opened {
    Older(Store<Older>),
    Newer(Store<Newer>),
}

/// How to open a store.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Open {
    url: String,
    transport: String,
    store_id: String,
    client_id: String,
    payload: Value,
    /// A page stores elsewhere.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "a page has no directories"))]
    dir: String,
    version: String,
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
struct Event {
    name: String,
    args: String,
}

impl Client {
    /// Does what a line says, and returns the answer to it.
    pub(crate) async fn answer(&mut self, line: &str) -> String {
        let answer = match self.obey(line).await {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        answer.to_string()
    }

    async fn obey(&mut self, line: &str) -> Result<Value> {
        let Command { name } = serde_json::from_str(line)?;
        match (name.as_str(), &self.0) {
            ("open", _) => {
                self.0 = Some(serde_json::from_str::<Open>(line)?.open().await?);
                Ok(Value::Null)
            }
            ("close", _) => self.close().await,
            (_, Some(Opened::Older(store))) => obey(store, &name, line).await,
            (_, Some(Opened::Newer(store))) => obey(store, &name, line).await,
            (_, None) => Err("no store is open".into()),
        }
    }

    async fn close(&mut self) -> Result<Value> {
        match self.0.take() {
            Some(Opened::Older(store)) => close(store).await?,
            Some(Opened::Newer(store)) => close(store).await?,
            None => {}
        }
        Ok(Value::Null)
    }
}

impl Open {
    async fn open(&self) -> Result<Opened> {
        match self.version.as_str() {
            "newer" => Ok(Opened::Newer(livestore_web::open(self.builder()).await?)),
            _ => Ok(Opened::Older(livestore_web::open(self.builder()).await?)),
        }
    }

    pub(crate) fn builder<S: Schema>(&self) -> Builder<S> {
        let builder = Store::builder(&self.store_id).client_id(&self.client_id);
        #[cfg(not(target_family = "wasm"))]
        let builder = builder.directory(&self.dir);
        builder.sync(self.backend().payload(self.payload.to_string()))
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

async fn obey<S: Schema>(store: &Store<S>, name: &str, line: &str) -> Result<Value> {
    match name {
        "commit" => commit(store, &serde_json::from_str::<Commit>(line)?.events),
        "status" => status(store),
        "log" => {
            livestore_web::load_history(store).await?;
            store.events().into_iter().map(|event| Ok(entry(&event?))).collect()
        }
        "state" => state::read(store),
        _ => Err(format!("there is no command {name}").into()),
    }
}

fn commit<S: Schema>(store: &Store<S>, events: &[Event]) -> Result<Value> {
    let changes = events.iter().map(|event| Change::decode(&event.name, &event.args));
    store.commit(changes.collect::<std::result::Result<Vec<_>, _>>()?)?;
    Ok(Value::Null)
}

fn status<S: Schema>(store: &Store<S>) -> Result<Value> {
    let status = store.sync_status()?;
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

/// In a page, what is not in the log yet would be added to it by the next store that is opened.
async fn close<S: Schema>(store: Store<S>) -> Result {
    store.flushed().await?;
    Ok(store.close()?)
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
