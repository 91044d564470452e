//! t
use livestore_server::auth::NoAuth;
use livestore_server::store::{Durability, SqliteStore, StoreLimits};
use livestore_server::{Limits, Server};
use std::sync::Arc;
#[tokio::main]
async fn main() {
    let data = std::env::args().nth(2).unwrap();
    let store = SqliteStore::open(data.as_ref(), Durability::Synced, StoreLimits::NONE).unwrap();
    let server = Server::bind(
        &std::env::args().nth(1).unwrap(),
        Arc::new(store),
        Arc::new(NoAuth),
        Limits::default(),
    )
    .await
    .unwrap();
    println!("listening on {}", server.local_addr().unwrap());
    server
        .serve(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await;
}
