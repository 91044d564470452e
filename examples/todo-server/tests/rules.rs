//! The rules of the server, as a client sees them.

use std::sync::Arc;

use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::sync::SyncOptions;
use livestore_server::Server;
use livestore_server::store::{MemoryStore, StoreId, StoreLimits};
use livestore_sync::WebSocket;
use livestore_testing::wait_until;
use todo_schema::{App, Todo, TodoEvent};
use todo_server::{MAX_CHARS, configure};

#[tokio::test(flavor = "multi_thread")]
async fn a_todo_that_is_too_long_is_taken_back_with_the_reason() {
    let events = Arc::new(MemoryStore::new(StoreLimits::NONE));
    let server = configure(Server::builder(events)).bind("127.0.0.1:0").await.unwrap();
    let (states, url) = (server.states(), format!("ws://{}", server.local_addr().unwrap()));
    let serving = tokio::spawn(server.serve(std::future::pending()));

    let client = tokio::task::spawn_blocking(move || {
        let options = SyncOptions::new(WebSocket::new(url));
        let store = Store::<App>::builder("todos").sync(options).open().unwrap();
        for (id, text) in [("a", "Buy milk"), ("b", &*"x".repeat(MAX_CHARS + 1)), ("c", "Rest")] {
            store.commit(TodoEvent::created(id, text).unwrap()).unwrap();
        }
        wait_until(|| store.sync_status().unwrap().is_synced());
        store
    });
    let client = client.await.unwrap();
    let left = client.query(Todo::all().order_by(Todo::ID.asc()).select(Todo::ID)).unwrap();
    assert_eq!(left, ["a", "c"]);
    let refused = client.quarantined().unwrap();
    let reason = QuarantineReason::Refused("a todo has at most 500 characters".into());
    assert_eq!((refused.len(), &refused[0].reason), (1, &reason));
    let here = states.query(&StoreId::new("todos").unwrap(), Todo::all().count()).await;
    assert_eq!(here, Ok(2));
    serving.abort();
}
