//! Opening a store in a page.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;

use futures_channel::mpsc::UnboundedReceiver;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use livestore::__private::web::{Journal, WebLock, folder_of, store_id, without_files};
use livestore::Store;
use livestore::schema::Schema;
use livestore::store::Builder;

use crate::recovery::{LocalJournal, Watching, recover_all};
use crate::worker::{Said, Spawned};
use crate::{OpenError, Storage, leader, page, storage, window};

pub(crate) async fn open<S: Schema>(builder: Builder<S>) -> Result<Store<S>, OpenError> {
    if leader::is_worker() {
        return Err(OpenError::InWorker);
    }
    let id = store_id(&builder).to_owned();
    let folder = folder_of(&id)?;
    let (worker, url, mut said) = Spawned::start::<S>(&id)?;
    let (store, storage) = match said.next().await {
        Some(Said::Ready) => {
            let store = open_session(builder, worker, said, &url, &id, &folder).await?;
            (store, Storage::Browser)
        }
        Some(Said::Denied(reason)) => (builder.open_async().await?, Storage::Memory { reason }),
        other => return Err(why(other, &url)),
    };
    storage::note(&store, storage);
    page::reconnect_with(&store);
    Ok(store)
}

/// Opens a session of the store that a worker of this page or another one leads.
async fn open_session<S: Schema>(
    builder: Builder<S>,
    worker: Spawned,
    mut said: UnboundedReceiver<Said>,
    url: &str,
    id: &str,
    folder: &Path,
) -> Result<Store<S>, OpenError> {
    let opening = async {
        recover_all(folder, id).await;
        let part = Part::new(folder, id, worker).await;
        let window_id = window::id().await;
        without_files(builder, window_id, part).open_async().await
    };
    let opening = pin!(opening);
    match select(opening, said.next()).await {
        Either::Left((opened, _)) => {
            wasm_bindgen_futures::spawn_local(watch(said, url.to_owned()));
            Ok(opened?)
        }
        Either::Right((said, _)) => Err(why(said, url)),
    }
}

/// Says what the worker says once the store is open: commits wait then, and are not lost.
async fn watch(mut said: UnboundedReceiver<Said>, url: String) {
    while let Some(said) = said.next().await {
        let error = why(Some(said), &url);
        tracing::error!(%error, "the worker of this page cannot store events");
    }
}

fn why(said: Option<Said>, url: &str) -> OpenError {
    match said {
        Some(Said::Unserved) => OpenError::NoWorker,
        Some(Said::Failed(reason) | Said::Denied(reason)) => OpenError::Worker { reason },
        Some(Said::Unloaded(reason)) => OpenError::WorkerNotLoaded { url: url.to_owned(), reason },
        Some(Said::Ready) | None => OpenError::Worker { reason: "it has ended".to_owned() },
    }
}

/// What a page has for as long as its store is open: its worker, and its journal.
struct Part {
    id: u64,
    journal: Option<LocalJournal>,
}

#[derive(Default)]
struct Parts {
    count: u64,
    by_id: BTreeMap<u64, (Spawned, Watching, Option<WebLock>)>,
}

thread_local! {
    /// What belongs to this thread: the workers, and the locks of journals.
    static PARTS: RefCell<Parts> = RefCell::default();
}

impl Part {
    async fn new(folder: &Path, store_id: &str, worker: Spawned) -> Self {
        let watching = Watching::start(folder, store_id);
        let (journal, lock) = LocalJournal::new(folder).await.unzip();
        let id = PARTS.with(|parts| {
            let mut parts = parts.borrow_mut();
            parts.count += 1;
            let id = parts.count;
            parts.by_id.insert(id, (worker, watching, lock));
            id
        });
        Self { id, journal }
    }
}

impl Journal for Part {
    fn add(&self, end: u64, commit: Vec<u8>) {
        if let Some(journal) = &self.journal {
            journal.add(end, commit);
        }
    }

    fn remove(&self, end: u64) {
        if let Some(journal) = &self.journal {
            journal.remove(end);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let part = PARTS.with(|parts| parts.borrow_mut().by_id.remove(&self.id));
        drop(part);
    }
}
