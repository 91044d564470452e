//! A server that knows the schema, and Rust clients of it.

mod images;
mod queries;
mod side_effects;
mod validation;

use std::sync::Arc;
use std::time::Duration;

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_server::schema::{DeadLetters, SchemaBuilder, States};
use livestore_server::store::{
    Durability, EventStore, MemoryStore, SqliteStore, StoreId, StoreLimits,
};
use livestore_server::{Builder, Server};
use livestore_sync::WebSocket;
use livestore_testing::sample::notes::{App, Note};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::PATIENCE;

pub(crate) struct SchemaTestServer {
    pub(crate) address: String,
    pub(crate) states: States<App>,
    pub(crate) dead_letters: DeadLetters,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl SchemaTestServer {
    pub(crate) async fn start(
        events: Arc<dyn EventStore>,
        configure: impl FnOnce(Builder) -> SchemaBuilder<App>,
    ) -> Self {
        let server = configure(Server::builder(events)).bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        let (states, dead_letters) = (server.states(), server.dead_letters());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async move { drop(stopped.await) }));
        Self { address, states, dead_letters, stop: Some(stop), serving }
    }

    /// Opens a store in memory that syncs with the server.
    pub(crate) fn open(&self, store: &str, client: &str) -> Store<App> {
        self.open_with(store, client, &json!({}))
    }

    pub(crate) fn open_with(
        &self,
        store: &str,
        client: &str,
        payload: &serde_json::Value,
    ) -> Store<App> {
        let backend = WebSocket::new(format!("ws://{}", self.address));
        let options = SyncOptions::new(backend).payload(payload.to_string());
        Store::<App>::builder(store).client_id(client).sync(options).open().unwrap()
    }

    /// Ends the server as a crash does: nothing is finished.
    pub(crate) async fn crash(self) {
        self.serving.abort();
        assert!(self.serving.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        timeout(PATIENCE, &mut self.serving).await.unwrap().unwrap();
    }
}

/// A storage in memory, and one in SQLite, whose directory lives as long.
pub(crate) fn storages() -> Vec<(Arc<dyn EventStore>, Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path(), Durability::Written, StoreLimits::NONE);
    vec![(memory(), None), (Arc::new(sqlite.unwrap()), Some(directory))]
}

pub(crate) fn memory() -> Arc<dyn EventStore> {
    Arc::new(MemoryStore::new(StoreLimits::NONE))
}

pub(crate) fn id(store: &str) -> StoreId {
    StoreId::new(store).unwrap()
}

pub(crate) fn ids(store: &Store<App>) -> Vec<String> {
    store.query(Note::all().order_by(Note::ID.asc()).select(Note::ID)).unwrap()
}

/// Waits until a condition on a store holds, without blocking the server of the test.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("the condition is still false");
}

pub(crate) async fn synced(store: &Store<App>) {
    until(|| store.sync_status().unwrap().is_synced()).await;
}
