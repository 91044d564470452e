//! A store that is new to its client, and opened from an image of the state: in a page, and natively.

use std::time::Duration;

use livestore::prelude::*;
use livestore::store::Builder;
use livestore::sync::{InitialSync, SyncOptions};
use livestore_sync::WebSocket;
use serde_json::{Value, json};

use crate::checks::{App, Word, WordSaid};

/// The store's id.
const STORE: &str = "said";

/// The store, once it is open.
#[derive(Default)]
pub(crate) struct Client(Option<Store<App>>);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How the store is opened that syncs with the backend at this URL, and waits for an image.
pub(crate) fn builder(url: &str, wait: Duration) -> Builder<App> {
    let options = SyncOptions::new(WebSocket::new(url)).initial(InitialSync::Image(wait));
    Store::<App>::builder(STORE).sync(options)
}

/// How the page with this address opens the store, if it is about images: `?images=URL&wait=SECONDS`.
#[cfg(target_family = "wasm")]
pub(crate) fn builder_of(page_url: &str) -> Option<Builder<App>> {
    let (_, query) = page_url.split_once("?images=")?;
    let (url, wait) = query.split_once("&wait=")?;
    Some(builder(url, Duration::from_secs(wait.parse().ok()?)))
}

impl Client {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn store(&self) -> Option<&Store<App>> {
        self.0.as_ref()
    }

    /// Does what the command says, and says how the store is then, or what failed.
    pub(crate) async fn answer(&mut self, command: &str, builder: Option<Builder<App>>) -> Value {
        match self.obey(command, builder).await {
            Ok(answer) => answer,
            Err(error) => json!({ "failed": error.to_string() }),
        }
    }

    async fn obey(&mut self, command: &str, builder: Option<Builder<App>>) -> Result<Value> {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        if name == "open" {
            self.0 = Some(livestore_web::open(builder.ok_or("nothing to open")?).await?);
        }
        let store = self.0.as_ref().ok_or("the store is not open")?;
        match name {
            "say" => drop(store.commit(WordSaid { text: rest.to_owned() })?),
            "history" => {
                livestore_web::load_history(store).await?;
                store.verify_replay()?;
            }
            _ => {}
        }
        state(store)
    }
}

fn state(store: &Store<App>) -> Result<Value> {
    let status = store.sync_status()?;
    let (mut events, mut missing) = (0, None);
    for event in store.events() {
        match event {
            Ok(_) => events += 1,
            Err(error) => missing = Some(error.to_string()),
        }
    }
    Ok(json!({
        "words": store.query(Word::all().count())?,
        "hash": format!("{:x}", store.state_hash()?),
        "head": store.head()?.global,
        "isSynced": status.is_synced(),
        "noImage": status.no_image,
        "events": events,
        "missing": missing,
    }))
}
