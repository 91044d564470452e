//! LiveStore for [Yew](https://yew.rs): hooks that read a store and render again what has changed.
//!
//! ```
//! use livestore::live::SharedRow;
//! use livestore::table::{Arrange as _, Compare as _, Narrow as _};
//! use livestore_yew::{use_document, use_live, use_store};
//! use yew::prelude::*;
//! # use livestore::table::Table as _;
//! # use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};
//!
//! #[component]
//! fn Items() -> Html {
//!     let store = use_store::<App>();
//!     let screen = use_document::<App, Screen>(&store);
//!     let query = match screen.get().is_ok_and(|screen| screen.only_open) {
//!         true => Item::filter(Item::DONE.eq(false)),
//!         false => Item::all(),
//!     };
//!     match use_live(&store, query.order_by(Item::PLACE.asc())) {
//!         Ok(items) => items.iter().map(|item| html! { <ItemView key={item.id} item={item.clone()} /> }).collect(),
//!         Err(error) => html! { <pre>{ error.to_string() }</pre> },
//!     }
//! }
//!
//! #[derive(Properties, PartialEq)]
//! struct ItemProps {
//!     item: SharedRow<Item>,       // compared by a pointer: only rows that changed are rendered again
//! }
//!
//! #[component]
//! fn ItemView(props: &ItemProps) -> Html {
//!     html! { <li>{ &props.item.title }</li> }
//! }
//! ```
//!
//! | to | use |
//! |---|---|
//! | give a store to all components | [`StoreProvider`] |
//! | read and commit | [`use_store`] |
//! | show a query, with parameters that may change | [`use_live`] |
//! | show and change a client document | [`use_document`] |
//!
//! **Rows.** A row is a [`SharedRow`](livestore::live::SharedRow): as a property of a component it is compared in one
//! step, so that of a long list, Yew renders only the rows that have changed.
//!
//! **Errors.** What [`use_live`] returns is a [`Result`](LiveResult): show why a query fails, or something else. A live
//! query that fails works again as soon as a fresh query does, and its component is rendered again. Only a component
//! whose first query fails has to be rendered for another reason to try it again.
//!
//! **Threads.** A change arrives through a local task, in the thread of the component. So a commit can be made
//! anywhere, even while a component is being rendered. When a component is removed, so is its task, and with the
//! last one the live query. On a server, where Yew runs no effects, components show what the store has.

mod document;
mod live;
mod store;

pub use document::{DocumentHandle, use_document};
pub use live::use_live;
pub use store::{StoreProvider, StoreProviderProps, use_store};

use std::sync::Arc;

use livestore::table::QueryError;

/// The value of a live query, or why it fails. Both are shared, not copied.
pub type LiveResult<V> = Result<Arc<V>, Arc<QueryError>>;
