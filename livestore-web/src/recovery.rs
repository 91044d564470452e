//! Commits in `localStorage`, until the leader has them.
//!
//! A page that is reloaded or closed right after a commit may be gone before its message is on its way, and
//! nothing else is written at once. Each page has entries of its own, and a lock for as long as it is
//! there: entries whose lock is free are of a page that is gone.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore::__private::web::{IfHeld, Journal, WebLock, recover};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::StorageEvent;

use crate::js;
use crate::locks::lock;

/// How often a leader is asked to take the commits of a page that is gone.
const ATTEMPTS: u32 = 5;

/// The journal of a page's store. What is committed in one task of the page is one entry, which is there
/// before the next task begins: nothing unloads a page in between.
pub(crate) struct LocalJournal(Arc<Entries>);

struct Entries {
    /// What their keys begin with.
    prefix: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The ends of those that are stored.
    ends: VecDeque<u64>,
    /// The next one, and its end.
    next: String,
    end: u64,
}

impl LocalJournal {
    /// A journal of the store in this folder, and the lock that says that this page is there. `None` if the
    /// browser has no `localStorage`.
    pub(crate) async fn new(folder: &Path) -> Option<(Self, WebLock)> {
        storage()?;
        let prefix = format!("{}{}", prefix(folder), random_id());
        let lock = lock(&prefix, IfHeld::GiveUp).await?;
        Some((Self(Arc::new(Entries { prefix, state: Mutex::default() })), lock))
    }
}

impl Journal for LocalJournal {
    fn add(&self, end: u64, commit: Vec<u8>) {
        let mut state = self.0.state();
        let is_first = state.next.is_empty();
        push_commit(&mut state.next, &commit);
        state.end = end;
        drop(state);
        if is_first {
            let entries = Arc::clone(&self.0);
            js::soon(move || entries.store());
        }
    }

    fn remove(&self, end: u64) {
        let mut state = self.0.state();
        while state.ends.front().is_some_and(|first| *first <= end)
            && let Some(first) = state.ends.pop_front()
            && let Some(storage) = storage()
        {
            let _ = storage.remove_item(&self.0.key(first));
        }
    }
}

impl Entries {
    fn store(&self) {
        let mut state = self.state();
        let (entry, end) = (std::mem::take(&mut state.next), state.end);
        let Some(storage) = storage() else { return };
        match storage.set_item(&self.key(end), &entry) {
            Ok(()) => state.ends.push_back(end),
            // It is on its way to the leader all the same.
            Err(error) => full(&error),
        }
    }

    fn key(&self, end: u64) -> String {
        format!("{} {end:016}", self.prefix)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(error: &JsValue) {
    tracing::warn!(?error, "localStorage is full: a commit may not survive an immediate reload");
}

/// Has the leader add the commits that pages which are gone have left behind.
pub(crate) async fn recover_all(folder: &Path, store_id: &str) {
    for page in pages(folder) {
        match lock(&page, IfHeld::GiveUp).await {
            Some(_lock) => recover_page(folder, store_id, &page).await,
            None => watch(folder, store_id, page),
        }
    }
}

/// Recovers what pages leave behind that are there now or come later, until it is dropped.
pub(crate) struct Watching {
    listener: Closure<dyn FnMut(StorageEvent)>,
}

impl Watching {
    pub(crate) fn start(folder: &Path, store_id: &str) -> Self {
        let (folder, store_id) = (folder.to_owned(), store_id.to_owned());
        // It happens in all pages but the one that changes the storage.
        let listener = Closure::new(move |event: StorageEvent| {
            if let Some(key) = event.key().filter(|key| key.starts_with(&prefix(&folder)))
                && let Some((page, _)) = key.rsplit_once(' ')
            {
                watch(&folder, &store_id, page.to_owned());
            }
        });
        if let Some(window) = web_sys::window() {
            let function = listener.as_ref().unchecked_ref();
            let _ = window.add_event_listener_with_callback(STORAGE, function);
        }
        Self { listener }
    }
}

const STORAGE: &str = "storage";

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let function = self.listener.as_ref().unchecked_ref();
            let _ = window.remove_event_listener_with_callback(STORAGE, function);
        }
    }
}

thread_local! {
    /// The pages whose end this one waits for.
    static WATCHED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Waits until the page is gone, and recovers what it leaves behind. One that was just reloaded is there
/// for another moment.
fn watch(folder: &Path, store_id: &str, page: String) {
    if !WATCHED.with(|watched| watched.borrow_mut().insert(page.clone())) {
        return;
    }
    let (folder, store_id) = (folder.to_owned(), store_id.to_owned());
    wasm_bindgen_futures::spawn_local(async move {
        if let Some(_lock) = lock(&page, IfHeld::Wait).await {
            recover_page(&folder, &store_id, &page).await;
        }
        WATCHED.with(|watched| watched.borrow_mut().remove(&page));
    });
}

/// Recovers the commits of a page that is gone, whose lock this one has.
async fn recover_page(folder: &Path, store_id: &str, page: &str) {
    let Some(storage) = storage() else { return };
    let prefix = format!("{page} ");
    let mut keys: Vec<_> = keys(&storage).filter(|key| key.starts_with(&prefix)).collect();
    keys.sort();
    let commit = |key: &String| storage.get_item(key).ok().flatten();
    let commits: Vec<_> =
        keys.iter().filter_map(commit).flat_map(|entry| commits_of(&entry)).collect();
    if has_recovered(folder, store_id, &commits).await {
        keys.iter().for_each(|key| drop(storage.remove_item(key)));
    }
}

async fn has_recovered(folder: &Path, store_id: &str, commits: &[Vec<u8>]) -> bool {
    for _ in 0..ATTEMPTS {
        let recovered = match recover(folder, store_id, commits) {
            Ok(recovery) => recovery.await,
            Err(error) => Err(error.to_string()),
        };
        match recovered {
            Ok(()) => return true,
            Err(reason) => tracing::warn!(reason, "commits of an earlier page are not stored yet"),
        }
    }
    false
}

/// The pages that have entries.
fn pages(folder: &Path) -> BTreeSet<String> {
    let Some(storage) = storage() else { return BTreeSet::new() };
    let prefix = prefix(folder);
    let keys = keys(&storage).filter(|key| key.starts_with(&prefix));
    keys.filter_map(|key| Some(key.rsplit_once(' ')?.0.to_owned())).collect()
}

fn keys(storage: &web_sys::Storage) -> impl Iterator<Item = String> + '_ {
    let count = storage.length().unwrap_or(0);
    (0..count).filter_map(|n| storage.key(n).ok().flatten())
}

fn prefix(folder: &Path) -> String {
    format!("livestore {} ", folder.display())
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Appends a commit to an entry: its length, and a character for each byte, which browsers store in one.
fn push_commit(entry: &mut String, commit: &[u8]) {
    entry.push_str(&commit.len().to_string());
    entry.push(':');
    entry.extend(commit.iter().map(|byte| char::from(*byte)));
}

/// The commits in an entry. What is not one is the last item, as it is, so that it is not taken for
/// recovered.
fn commits_of(entry: &str) -> Vec<Vec<u8>> {
    let mut commits = Vec::new();
    let mut rest = entry;
    while let Some((length, behind)) = rest.split_once(':')
        && let Ok(length) = length.parse::<usize>()
    {
        let commit: Vec<_> =
            behind.chars().take(length).map_while(|c| u8::try_from(c).ok()).collect();
        if commit.len() != length {
            break;
        }
        commits.push(commit);
        rest = behind.char_indices().nth(length).map_or("", |(at, _)| &behind[at..]);
    }
    if !rest.is_empty() {
        commits.push(rest.as_bytes().to_vec());
    }
    commits
}

pub(crate) fn random_id() -> String {
    livestore::new_id()
}
