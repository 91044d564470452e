//! LiveStore in a browser's page: the same schema, events, queries and sync as everywhere else,
//! compiled for `wasm32-unknown-unknown`.
//!
//! ```no_run
//! use livestore::prelude::*;
//! # use livestore_testing::sample::todos::*;
//! # async fn run() -> livestore::Result<()> {
//! let store = livestore_web::open(Store::<App>::builder("todos")).await?;
//! if let livestore_web::Storage::Memory = livestore_web::storage(&store) {
//!     // Say so: what was not pushed to a backend is gone with the page.
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Commits and queries are synchronous, on the page's thread, and take microseconds. To sync, give
//! the builder a backend: `livestore-sync` has `WebSocket` and `Http` for browsers, too. While the
//! page is open, the store connects again as soon as the browser is back online or the page is back
//! in sight.
//!
//! # What is not there yet
//!
//! Nothing is stored in the browser: each page has a store of its own in memory, as [`storage`]
//! says. With a backend, another page or a reload gets everything that was pushed.

use livestore::Store;
use livestore::schema::Schema;
use livestore::store::{Builder, OpenError};

#[cfg(target_family = "wasm")]
mod page;

/// The place where a store's events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// The page's memory: events that were not pushed to a backend are gone with the page.
    Memory,
}

/// Opens a store in this page.
///
/// It may wait for the [first sync](livestore::sync::InitialSync::Wait); meanwhile the page goes on.
///
/// # Errors
/// See [`OpenError`].
pub async fn open<S: Schema>(builder: Builder<S>) -> Result<Store<S>, OpenError> {
    let store = builder.open_async().await?;
    #[cfg(target_family = "wasm")]
    page::reconnect_with(&store);
    Ok(store)
}

/// Returns where the store's events are, which an app should show while that is memory.
pub fn storage<S: Schema>(_: &Store<S>) -> Storage {
    Storage::Memory
}
