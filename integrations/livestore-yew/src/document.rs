//! Client documents.

use std::fmt;

use livestore::Store;
use livestore::live::Live;
use livestore::schema::{Commit, Document, GetDocument, QueryIn, Schema};
use livestore::store::CommitError;
use yew::prelude::hook;

use crate::LiveResult;
use crate::live::use_live;

/// Shows the client document `D` of this window, and changes it: like Yew's own `use_state`, but stored, and shared
/// with whoever else reads it.
///
/// ```
/// # use livestore_yew::{use_document, use_store};
/// # use livestore_testing::sample::items::{App, Screen};
/// # use yew::prelude::*;
/// #[component]
/// fn OnlyOpen() -> Html {
///     let store = use_store::<App>();
///     let screen = use_document::<App, Screen>(&store);
///     let only_open = screen.get().is_ok_and(|screen| screen.only_open);
///     let toggle = move |_: MouseEvent| screen.set(|set| set.only_open(!only_open)).unwrap();
///     html! { <button onclick={toggle}>{ if only_open { "All" } else { "Open" } }</button> }
/// }
/// ```
#[hook]
pub fn use_document<S, D>(store: &Store<S>) -> DocumentHandle<S, D>
where
    S: Schema,
    D: Document + Send + Sync,
    GetDocument<D>: QueryIn<S> + Live<Value = D>,
{
    let value = use_live(store, D::get());
    DocumentHandle { store: store.clone(), value }
}

/// A client document as a component shows it, which [`use_document`] returns.
pub struct DocumentHandle<S, D> {
    store: Store<S>,
    value: LiveResult<D>,
}

impl<S: Schema, D: Document> DocumentHandle<S, D> {
    /// Returns the document as it was when the component was rendered.
    ///
    /// # Errors
    /// When the stored document cannot be read.
    pub fn get(&self) -> LiveResult<D> {
        self.value.clone()
    }

    /// Commits the event that sets some fields: `screen.set(|set| set.draft("Milk").only_open(true))`.
    ///
    /// # Errors
    /// As [`Store::commit`] has.
    pub fn set(&self, change: impl FnOnce(D::Set) -> D::Set) -> Result<(), CommitError>
    where
        D::Set: Commit<S>,
    {
        self.store.commit(change(D::set())).map(|_| ())
    }
}

impl<S, D> Clone for DocumentHandle<S, D> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), value: self.value.clone() }
    }
}

impl<S, D: fmt::Debug> fmt::Debug for DocumentHandle<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DocumentHandle").field(&self.value).finish()
    }
}
