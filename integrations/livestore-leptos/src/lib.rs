//! LiveStore for [Leptos](https://leptos.dev): live queries as signals, and lists that render only the rows that
//! change.
//!
//! ```
//! use leptos::prelude::*;
//! use livestore::table::{Arrange as _, Compare as _, Table as _};
//! use livestore_leptos::{use_document, use_rows, use_store};
//! # use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};
//!
//! #[component]
//! fn Items() -> impl IntoView {
//!     let store = use_store::<App>();
//!     let (screen, set_screen) = use_document::<App, Screen>(&store);
//!     let open = || Item::filter(Item::DONE.eq(false)).order_by(Item::PLACE.asc());
//!     let items = use_rows(&store, open, |item| item.id);
//!     let done = move |id| store.commit(ItemEvent::Done { id }).map(drop);
//!     view! {
//!         <input
//!             prop:value=move || screen.get().map(|screen| screen.draft.clone()).unwrap_or_default()
//!             on:input=move |event| set_screen.set(|set| set.draft(event_target_value(&event))).unwrap()
//!         />
//!         <ErrorBoundary fallback=|errors| format!("{:?}", errors.get())>
//!             {move || items.with(|items| items.as_ref().map(|_| ()).map_err(Clone::clone))}
//!             <ul>
//!                 <For each=move || items.get().unwrap_or_default() key=|(id, _)| *id let((id, item))>
//!                     // Rendered when the row comes; the text alone when it changes.
//!                     <li on:click={ let done = done.clone(); move |_| done(id).unwrap() }>
//!                         {move || item.get().title.clone()}
//!                     </li>
//!                 </For>
//!             </ul>
//!         </ErrorBoundary>
//!     }
//! }
//! ```
//!
//! | to | use |
//! |---|---|
//! | give a store to all components | [`provide_store`] |
//! | read and commit | [`use_store`] |
//! | show a query, with parameters that may change | [`use_live`] |
//! | show a list, row by row | [`use_rows`] |
//! | show and change a client document | [`use_document`] |
//!
//! **Errors.** What a signal has is a [`Result`](LiveResult), which a view can have, too: the nearest
//! `ErrorBoundary` shows why a query fails. A live query that fails works again as soon as a fresh query does. Only if
//! the first one fails, it is tried again when a parameter changes.
//!
//! **Threads.** What other threads commit, such as the sync thread, arrives through a local task of Leptos'
//! executor, in the thread that made the signal. So a commit can be made anywhere, even while a signal is being
//! read. `mount_to_body` has such an executor; elsewhere, initialize one.
//!
//! **Owners.** Like all of Leptos' signals, these belong to the owner in which they are made, such as a component.
//! When it is gone, its live queries are.

mod document;
mod live;
mod rows;
mod shown;

pub use document::{SetDocument, use_document};
pub use live::use_live;
pub use rows::{Row, Rows, use_rows};

use std::sync::Arc;

use leptos::prelude::{provide_context, use_context};
use livestore::Store;
use livestore::schema::Schema;
use livestore::table::QueryError;

/// The value of a live query, or why it fails. Both are shared, not copied.
pub type LiveResult<V> = Result<Arc<V>, Arc<QueryError>>;

/// Gives a store to the components below.
///
/// ```
/// use leptos::prelude::*;
/// use livestore_leptos::{provide_store, use_store};
/// # use livestore::{Store, table::Table as _};
/// # use livestore_testing::sample::items::{App, Item, added};
///
/// # let store = Store::<App>::builder("items").open()?;
/// # Owner::new().with(|| {
/// provide_store(store);
/// // In a component below:
/// let store = use_store::<App>();
/// store.commit(added(1))?;
/// assert_eq!(store.query(Item::all().count())?, 1);
/// # Ok::<(), livestore::Error>(())
/// # })?;
/// # Ok::<(), livestore::Error>(())
/// ```
pub fn provide_store<S: Schema>(store: Store<S>) {
    provide_context(store);
}

/// Returns the store that a component above gives.
///
/// # Panics
/// When none does, by [`provide_store`].
#[track_caller]
pub fn use_store<S: Schema>() -> Store<S> {
    match use_context() {
        Some(store) => store,
        None => {
            panic!("no component above has called `provide_store` with a store of `{}`", S::NAME)
        }
    }
}
