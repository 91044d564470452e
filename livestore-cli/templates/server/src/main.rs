//! A sync backend of one's own: here it is decided who may do what, and where events are stored. Without
//! any of that, `livestore server` does the same.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use livestore_server::auth::NoAuth;
use livestore_server::store::{Durability, SqliteStore, StoreLimits};
use livestore_server::{Limits, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = SqliteStore::open(Path::new("data"), Durability::Synced, StoreLimits::NONE)?;
    // Everybody may read and write: implement `livestore_server::auth::Authenticate` to change that.
    let auth = Arc::new(NoAuth);
    let server = Server::bind("127.0.0.1:8787", Arc::new(store), auth, Limits::default()).await?;
    println!("clients connect to ws://{}", server.local_addr()?);
    let stop = async {
        // Without a signal it goes on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    server.serve(stop).await;
    Ok(())
}
