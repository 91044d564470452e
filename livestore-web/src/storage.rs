//! Where events are, and how much room there is.

#[cfg(target_family = "wasm")]
use std::cell::RefCell;
#[cfg(target_family = "wasm")]
use std::collections::BTreeMap;

use livestore::Store;
use livestore::schema::Schema;

/// The place where a store's events are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// The browser's private file system: events outlive the page. The browser may remove them when there
    /// is little room on the disk, unless [`persist`] was granted.
    Browser,
    /// The page's memory: events that were not pushed to a backend are gone with the page.
    Memory {
        /// Why nothing is stored, for people.
        reason: String,
    },
}

/// How much this origin stores, and may store, in bytes. Both are estimates of the browser's.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// What is stored.
    pub used: f64,
    /// What may be stored in all.
    pub quota: f64,
}

#[cfg(target_family = "wasm")]
thread_local! {
    /// By the id of the session.
    static STORAGES: RefCell<BTreeMap<String, Storage>> = RefCell::default();
}

#[cfg(target_family = "wasm")]
pub(crate) fn note<S: Schema>(store: &Store<S>, storage: Storage) {
    let id = store.session_id().to_owned();
    STORAGES.with(|storages| storages.borrow_mut().insert(id, storage));
}

/// Returns where the store's events are, which an app should show while that is memory.
pub fn storage<S: Schema>(store: &Store<S>) -> Storage {
    #[cfg(target_family = "wasm")]
    let found = STORAGES.with(|storages| storages.borrow().get(store.session_id()).cloned());
    #[cfg(not(target_family = "wasm"))]
    let found: Option<Storage> = {
        let _ = store;
        None
    };
    found.unwrap_or_else(|| Storage::Memory {
        reason: "it was not opened by livestore_web".to_owned(),
    })
}

/// Asks the browser not to remove what this origin stores, as it may when there is little room. Some
/// browsers ask the user. Returns whether it was granted.
pub async fn persist() -> bool {
    #[cfg(target_family = "wasm")]
    return crate::js::persist().await.unwrap_or(false);
    #[cfg(not(target_family = "wasm"))]
    false
}

/// Returns how much is stored; `None` if the browser does not say.
pub async fn usage() -> Option<Usage> {
    #[cfg(target_family = "wasm")]
    return crate::js::usage().await;
    #[cfg(not(target_family = "wasm"))]
    None
}
