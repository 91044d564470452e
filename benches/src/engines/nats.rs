use std::sync::Arc;
use std::sync::mpsc::channel;

use async_nats::{Client, HeaderMap};
use livestore_server::store::{NatsStore, StoreLimits};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::nats_server::Nats;
use super::{EVENTS, PUSHES, Pushed, event};
use crate::Result;
use crate::harness::{Measured, compare, time};
use crate::sync::{Backend, delivered_between};

const ROUNDS: usize = 11;

/// Pushes to one store, one after the other.
pub(crate) fn one() -> Result<Measured> {
    let nats = Nats::start();
    let storage = NatsStore::connect(&nats.url(), StoreLimits::NONE)?;
    let mut store = Pushed::open(&storage, "store")?;
    let runtime = Runtime::new()?;
    let mut floor = runtime.block_on(Floor::connect(&nats.url()))?;
    compare(
        ROUNDS,
        u32::try_from(PUSHES * EVENTS)?,
        || {
            time(|| {
                for _ in 0..PUSHES {
                    let (sender, answer) = channel();
                    store.push(&storage, move |result| drop(sender.send(result)));
                    answer.recv()??;
                }
                Ok(())
            })
        },
        || time(|| runtime.block_on(floor.round())),
    )
}

/// The same number of bytes in the same batches, and nothing else.
struct Floor {
    client: Client,
    batches: u64,
    message: String,
}

impl Floor {
    async fn connect(url: &str) -> Result<Self> {
        let client = async_nats::connect(url).await?;
        let config = json!({"name": "floor", "subjects": ["floor"], "storage": "file",
            "num_replicas": 1, "discard": "new", "allow_direct": true, "allow_atomic": true});
        client.request("$JS.API.STREAM.CREATE.floor", config.to_string().into()).await?;
        // As long as an event with its names, ids and numbers.
        let stored = event(0);
        let stored = stored.event();
        let message = json!({"name": stored.name, "args": "", "clientId": &*stored.client_id,
            "sessionId": &*stored.session_id, "createdAt": 1_795_352_709_210_u64,
            "totalBytes": 123_456, "checksum": i64::MIN});
        let message = message.to_string().replace("\"\"", &stored.args);
        Ok(Self { client, batches: 0, message })
    }

    async fn round(&mut self) -> Result<()> {
        for _ in 0..PUSHES {
            self.batches += 1;
            let headers = |n: u64| {
                let mut headers = HeaderMap::new();
                headers.insert("Nats-Batch-Id", format!("batch-{:020}", self.batches));
                headers.insert("Nats-Batch-Sequence", n.to_string());
                headers
            };
            let message = || self.message.clone().into();
            for n in 1..EVENTS {
                self.client.publish_with_headers("floor", headers(n), message()).await?;
            }
            let mut commit = headers(EVENTS);
            commit.insert("Nats-Batch-Commit", "1");
            let answer = self.client.request_with_headers("floor", commit, message()).await?;
            let answer: Value = serde_json::from_slice(&answer.payload)?;
            if answer.get("error").is_some() {
                return Err(answer.to_string().into());
            }
        }
        Ok(())
    }
}

/// From a commit at one server to a callback at the other one's client: the median.
pub(crate) fn latency() -> Result<Measured> {
    let nats = Nats::start();
    let start = || -> Result<Backend> {
        let storage = NatsStore::connect(&nats.url(), StoreLimits::NONE)?;
        Backend::over(Arc::new(storage), tempfile::tempdir()?)
    };
    delivered_between(&start()?, &start()?, 0.5)
}
