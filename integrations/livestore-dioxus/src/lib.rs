//! LiveStore for [Dioxus](https://dioxuslabs.com): hooks that read a store and draw again what has changed.
//!
//! ```
//! use dioxus::prelude::*;
//! use livestore::table::{Arrange as _, Compare as _, Table as _};
//! use livestore_dioxus::{Row, use_document, use_rows, use_store};
//! # use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};
//!
//! fn items() -> Element {
//!     let store = use_store::<App>();
//!     let items = use_rows(store, Item::filter(Item::DONE.eq(false)).order_by(Item::PLACE.asc()), |item| item.id);
//!     let screen = use_document::<App, Screen>(store);
//!     rsx! {
//!         input {
//!             value: "{screen.get()?.draft}",
//!             oninput: move |event| Ok(screen.set(|set| set.draft(event.value()))?),
//!         }
//!         ul {
//!             for (id, item) in items()?.iter().cloned() {
//!                 ItemView { key: "{id}", item }
//!             }
//!         }
//!     }
//! }
//!
//! #[component]
//! fn ItemView(item: Row<Item>) -> Element {        // drawn again when this row changes, and only then
//!     let store = use_store::<App>();
//!     let item = item.get();
//!     let id = item.id;
//!     rsx! {
//!         li {
//!             onclick: move |_| {
//!                 store().commit(ItemEvent::Done { id })?;
//!                 Ok(())
//!             },
//!             "{item.title}"
//!         }
//!     }
//! }
//! ```
//!
//! | to | use |
//! |---|---|
//! | give a store to all components | [`use_store_provider`], or Dioxus' own `with_context` |
//! | read and commit | [`use_store`] |
//! | show a query | [`use_live`]; [`use_live_with`] if signals decide what it asks for |
//! | show a list, row by row | [`use_rows`], [`use_rows_with`] |
//! | show and change a client document | [`use_document`] |
//!
//! **Errors.** What a hook returns is a [`Result`](LiveResult). With `?` in a component, the nearest
//! `ErrorBoundary` shows why a query fails; `match` on it to do something else. A live query that fails
//! works again as soon as a fresh query does, and is then drawn again. Only a component whose first query fails
//! has to be drawn for another reason to try it again.
//!
//! **Threads.** What other threads commit, such as the sync thread, arrives through a task of the component
//! that shows it, in the thread of the `VirtualDom`. So a commit can be made anywhere, even while a signal is
//! being read. When a component is removed, so is its task, and with the last one the live query.

mod document;
mod live;
mod rows;
mod shown;
mod store;

pub use document::{LiveDocument, use_document};
pub use live::{use_live, use_live_with};
pub use rows::{Row, Rows, use_rows, use_rows_with};
pub use store::{use_store, use_store_provider};

use std::sync::Arc;

use livestore::table::QueryError;

/// The value of a live query, or why it fails. Both are shared, not copied.
pub type LiveResult<V> = Result<Arc<V>, Arc<QueryError>>;
