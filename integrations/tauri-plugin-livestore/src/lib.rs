//! LiveStore for [Tauri](https://v2.tauri.app): the store is in Rust, and a page of any JavaScript framework
//! commits events, shows live queries and edits client documents, with the npm package
//! `tauri-plugin-livestore-api`.
//!
//! ```
//! use livestore::prelude::*;
//! use todo_schema::{App, Filter, UiState};
//!
//! # fn main() -> livestore::Result<()> {
//! let store = Store::<App>::builder("todos").open()?; // .directory(app.path().app_data_dir()?)
//!
//! let livestore = tauri_plugin_livestore::Builder::new(store)
//!     .list("todos", |filter: Filter| filter.todos())
//!     .value("open", |()| Filter::Active.todos().count())
//!     .document::<UiState>();
//!
//! let app = tauri::test::mock_builder(); // tauri::Builder::default()
//! # let _ =
//! app.plugin(livestore.build());
//! # Ok(())
//! # }
//! ```
//!
//! ```typescript
//! import { commit, document, live } from 'tauri-plugin-livestore-api'
//!
//! const todos = live('todos', 'active', (todos) => render(todos))
//! const ui = document('UiState', (state) => (input.value = state.newTodoText))
//! await commit('v1.TodoCompleted', { id })
//! todos.stop()
//! ```
//!
//! In a capability of the app's, `livestore:default` permits all of that; there is a permission for each
//! command, so that a window may be allowed to read only.
//!
//! **A page cannot run SQL.** It names a query that the app has registered, and gives the parameters.
//!
//! **What crosses the bridge** is what has changed: of a list, the rows that were inserted, removed, moved or
//! updated. Rows are sent as serde writes them. JavaScript has no integers beyond 2⁵³.
//!
//! **A live value ends** with [`stop`], when the page is left or reloaded, and when its window is closed. A query
//! that nobody shows any more is no longer kept up to date. When the app exits, the store is closed.
//!
//! **Threads.** Any thread may commit, and every page is notified. What a page commits is committed in the order
//! in which it says so.
//!
//! **Types.** [`Types`] writes those of the events and client documents, and of rows, for the page.
//!
//! [`stop`]: https://github.com/livestore-rs/livestore/tree/main/integrations/tauri-plugin-livestore/guest-js

mod builder;
mod commands;
mod error;
mod message;
mod pages;
mod shown;
mod types;

pub use builder::Builder;
pub use types::Types;
