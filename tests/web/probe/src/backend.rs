//! A server that knows the schema and sends images, and a client of it: `livestore-web-probe backend EVENTS`.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use livestore::Store;
use livestore_server::Server;
use livestore_server::schema::ImageLimits;
use livestore_server::store::{MemoryStore, StoreLimits};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::checks::{App, WordSaid};
use crate::images::{Client, builder};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Has a store with as many events, says where the server is, and has the client answer the commands in
/// stdin, until that ends.
pub(crate) async fn run(events: usize) -> Result {
    let storage = Arc::new(MemoryStore::new(StoreLimits::NONE));
    let server = Server::builder(storage).schema::<App>().images(ImageLimits::default());
    let server = server.bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", server.local_addr()?);
    tokio::spawn(server.serve(std::future::pending()));
    let mut client = Client::default();
    let opened = client.answer("open", Some(builder(&url, Duration::from_secs(10)))).await;
    fill(client.store().ok_or_else(|| opened.to_string())?, events).await?;
    println!("listening on {url}");
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    while let Some(command) = commands.next_line().await? {
        writeln!(std::io::stdout().lock(), "{}", client.answer(&command, None).await)?;
    }
    Ok(())
}

async fn fill(store: &Store<App>, events: usize) -> Result {
    let words: Vec<_> = (0..events).map(|n| WordSaid { text: format!("word {n}") }).collect();
    for some in words.chunks(100) {
        store.commit(some.to_vec())?;
    }
    Ok(store.synced().await?)
}
