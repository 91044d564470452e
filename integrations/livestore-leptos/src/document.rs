//! Client documents.

use std::fmt;
use std::marker::PhantomData;

use leptos::prelude::Signal;
use livestore::Store;
use livestore::live::Live;
use livestore::schema::{Commit, Document, GetDocument, QueryIn, Schema};
use livestore::store::CommitError;

use crate::{LiveResult, use_live};

/// Returns a signal of the client document `D` of this window, and what sets it: like Leptos' own `signal`, but
/// stored, and shared with whoever else reads it.
///
/// ```
/// # use leptos::prelude::*;
/// # use livestore_leptos::{use_document, use_store};
/// # use livestore_testing::sample::items::{App, Screen};
/// #[component]
/// fn Draft() -> impl IntoView {
///     let (screen, set_screen) = use_document::<App, Screen>(&use_store());
///     view! {
///         <input
///             prop:value=move || screen.get().map(|screen| screen.draft.clone()).unwrap_or_default()
///             on:input=move |event| set_screen.set(|set| set.draft(event_target_value(&event))).unwrap()
///         />
///     }
/// }
/// ```
pub fn use_document<S, D>(store: &Store<S>) -> (Signal<LiveResult<D>>, SetDocument<S, D>)
where
    S: Schema,
    D: Document + Send + Sync,
    GetDocument<D>: QueryIn<S> + Live<Value = D>,
{
    let set = SetDocument { store: store.clone(), document: PhantomData };
    (use_live(store, D::get), set)
}

/// What sets fields of a client document, which [`use_document`] returns.
pub struct SetDocument<S, D> {
    store: Store<S>,
    document: PhantomData<fn() -> D>,
}

impl<S: Schema, D: Document> SetDocument<S, D> {
    /// Commits the event that sets some fields: `set_screen.set(|set| set.draft("Milk").only_open(true))`.
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

impl<S, D> Clone for SetDocument<S, D> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), document: PhantomData }
    }
}

impl<S, D> fmt::Debug for SetDocument<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetDocument").finish_non_exhaustive()
    }
}
