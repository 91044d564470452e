//! LiveStore in a browser's page: the same schema, events, queries and sync as everywhere else,
//! compiled for `wasm32-unknown-unknown`.
//!
//! ```no_run
//! use livestore::prelude::*;
//! use livestore::store::Builder;
//! # use livestore_testing::sample::todos::*;
//! # fn spawn_local(_: impl Future<Output = Result<(), livestore_web::OpenError>>) {}
//!
//! /// How this app opens its store: in the page, and in the worker that has the files.
//! fn builder(store_id: &str) -> Builder<App> {
//!     Store::<App>::builder(store_id)
//! }
//!
//! fn main() {
//!     if livestore_web::worker(|request| builder(&request.store_id)) {
//!         return; // This is the worker: it needs nothing else.
//!     }
//!     spawn_local(async {
//!         let store = livestore_web::open(builder("todos")).await?;
//!         if let livestore_web::Storage::Memory { reason } = livestore_web::storage(&store) {
//!             // Show it: what was not pushed to a backend is gone with the page.
//!             println!("nothing is stored: {reason}");
//!         }
//!         Ok(())
//!     });
//! }
//! ```
//!
//! Commits and queries are synchronous, on the page's thread, and take microseconds. Events are stored in
//! the browser's [private file system][opfs], by a worker of the same WebAssembly module: that is why `main`
//! runs there, too, and asks first. The page's URL of the module is found by itself where it was made
//! by `wasm-bindgen --target web`, as `trunk` does it; otherwise call [`set_module_url`]. Where a content
//! security policy is set, it has to allow `worker-src blob:`.
//!
//! Several tabs are sessions of one client: the worker of one of them leads, and if that tab is closed,
//! another takes over. A commit survives an immediate reload, as it is in `localStorage` until the worker
//! has it.
//!
//! To sync, give the builder a backend: `livestore-sync` has `WebSocket` and `Http` for browsers. While a page
//! is open, the store connects again as soon as the browser is back online or the page is back in sight.
//!
//! # What a page does not have at once
//!
//! A page is sent the state and the newest events, not the whole log. `events` and `state_at` of what
//! came before return [`NotReceived`](livestore::eventlog::EventlogError::NotReceived) until
//! [`load_history`] has been called. If the store was opened from an
//! [image](livestore::sync::InitialSync::Image), it fetches them from the backend.
//!
//! [opfs]: https://developer.mozilla.org/docs/Web/API/File_System_API/Origin_private_file_system

use livestore::Store;
use livestore::schema::Schema;
use livestore::store::{Builder, LoadHistoryError};

#[cfg(target_family = "wasm")]
mod disk;
mod error;
#[cfg(target_family = "wasm")]
mod freeze;
#[cfg(target_family = "wasm")]
mod js;
#[cfg(target_family = "wasm")]
mod leader;
#[cfg(target_family = "wasm")]
mod locks;
#[cfg(target_family = "wasm")]
mod module;
#[cfg(target_family = "wasm")]
mod open;
#[cfg(target_family = "wasm")]
mod page;
#[cfg(target_family = "wasm")]
mod recovery;
mod storage;
#[cfg(target_family = "wasm")]
mod window;
#[cfg(target_family = "wasm")]
mod worker;

pub use error::OpenError;
pub use storage::{Storage, Usage, persist, storage, usage};

/// Opens a store in this page.
///
/// It may wait for an [image](livestore::sync::InitialSync::Image) of the state and the [first
/// sync](livestore::sync::InitialSync::Wait); meanwhile the page goes on. If the
/// browser does not store anything, as in some private windows, the store is in memory, and [`storage`] says
/// so. Unless the builder has a [`window_id`](Builder::window_id), this tab's is used, which a reload does not
/// change.
///
/// # Errors
/// See [`OpenError`].
pub async fn open<S: Schema>(builder: Builder<S>) -> Result<Store<S>, OpenError> {
    #[cfg(target_family = "wasm")]
    return open::open(builder).await;
    #[cfg(not(target_family = "wasm"))]
    return Ok(builder.open_async().await?);
}

/// What a page asks its worker for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerRequest {
    /// The id of the store that the page opens.
    pub store_id: String,
    /// The page's address, which a worker does not have itself.
    pub page_url: String,
}

/// Returns whether this is the worker that has a store's files. If the store is of this schema, it is opened
/// with what `builder` returns.
///
/// Call it first in `main`, and return if it is true. In a page it does nothing. An app with several schemas
/// calls it for each of them before it returns, whatever the first call says: `worker(one) | worker(other)`.
pub fn worker<S: Schema>(builder: impl FnOnce(WorkerRequest) -> Builder<S>) -> bool {
    #[cfg(target_family = "wasm")]
    return leader::serve(builder);
    #[cfg(not(target_family = "wasm"))]
    {
        drop(builder);
        false
    }
}

/// Sets the URL of the JavaScript file that `wasm-bindgen --target web` has made, where it cannot be
/// found by itself. Call it in the page, before [`open`].
pub fn set_module_url(url: impl Into<String>) {
    #[cfg(target_family = "wasm")]
    module::set_url(url.into());
    #[cfg(not(target_family = "wasm"))]
    drop(url.into());
}

/// Waits until this page has the log's events from the first on, so that `events` and `state_at` reach all
/// of them. Each takes about 200 bytes in memory, and its args.
///
/// If the store was opened from an [image](livestore::sync::InitialSync::Image), its worker fetches them from
/// the backend first, once for all tabs, unless the backend is silent for 30 s. What was fetched is stored.
///
/// # Errors
/// When the store is closed, or the backend does not send the events: see [`LoadHistoryError`].
pub async fn load_history<S: Schema>(store: &Store<S>) -> Result<(), LoadHistoryError> {
    livestore::__private::web::History::of(store).await
}
