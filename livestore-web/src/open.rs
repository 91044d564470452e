//! Opening a store in a page.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures_channel::mpsc::UnboundedReceiver;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use livestore::__private::web::{
    Journal, WebLock, find_leader, folder_of, store_id, without_files,
};
use livestore::Store;
use livestore::schema::Schema;
use livestore::store::Builder;

use crate::freeze::PageWorker;
use crate::recovery::{LocalJournal, Watching, recover_all};
use crate::worker::{Said, Spawned};
use crate::{OpenError, Storage, js, leader, page, storage, window};

/// How long to wait for another tab's worker before it is asked whether it is there.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take to answer that.
const ANSWER: Duration = Duration::from_secs(10);

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
    let store_id = id.to_owned();
    let worker = PageWorker::new(worker, move || start_again::<S>(&store_id));
    let opening = async {
        recover_all(folder, id).await;
        let part = Part::new(folder, id, worker).await;
        let window_id = window::id().await;
        without_files(builder, window_id, part).open_async().await
    };
    let opened = match select(pin!(opening), pin!(trouble(&mut said, url, folder, id))).await {
        Either::Left((opened, _)) => opened?,
        Either::Right((error, _)) => return Err(error),
    };
    wasm_bindgen_futures::spawn_local(watch(said, url.to_owned()));
    Ok(opened)
}

/// Starts another worker for the page of an open store.
fn start_again<S: Schema>(store_id: &str) -> Option<Spawned> {
    let started = Spawned::start::<S>(store_id);
    let started = started.inspect_err(|error| tracing::error!(%error, "the page has no worker"));
    let (worker, url, said) = started.ok()?;
    wasm_bindgen_futures::spawn_local(watch(said, url));
    Some(worker)
}

/// Waits until the store cannot be opened, and returns the reason: what this page's worker says, or that the
/// one that leads is not there. This page's may take as long as it takes, once it leads.
async fn trouble(
    said: &mut UnboundedReceiver<Said>,
    url: &str,
    folder: &Path,
    store_id: &str,
) -> OpenError {
    let silence = async {
        loop {
            js::sleep(PATIENCE).await;
            let answer = pin!(find_leader(folder, store_id));
            if let Either::Right(_) = select(answer, pin!(js::sleep(ANSWER))).await {
                return;
            }
        }
    };
    match select(said.next(), pin!(silence)).await {
        Either::Left((Some(Said::Leads), _)) => why(said.next().await, url),
        Either::Left((said, _)) => why(said, url),
        Either::Right(_) => OpenError::Unresponsive,
    }
}

/// Says what the worker says once the store is open: commits wait then, and are not lost.
async fn watch(mut said: UnboundedReceiver<Said>, url: String) {
    while let Some(said) = said.next().await {
        if let Said::Ready | Said::Leads = said {
            continue;
        }
        let error = why(Some(said), &url);
        tracing::error!(%error, "the worker of this page cannot store events");
    }
}

fn why(said: Option<Said>, url: &str) -> OpenError {
    match said {
        Some(Said::Unserved) => OpenError::NoWorker,
        Some(Said::Failed(reason) | Said::Denied(reason)) => OpenError::Worker { reason },
        Some(Said::Unloaded(reason)) => OpenError::WorkerNotLoaded { url: url.to_owned(), reason },
        Some(Said::Ready | Said::Leads) | None => {
            OpenError::Worker { reason: "it has ended".to_owned() }
        }
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
    by_id: BTreeMap<u64, (PageWorker, Watching, Option<WebLock>)>,
}

thread_local! {
    /// What belongs to this thread: the workers, and the locks of journals.
    static PARTS: RefCell<Parts> = RefCell::default();
}

impl Part {
    async fn new(folder: &Path, store_id: &str, worker: PageWorker) -> Self {
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
