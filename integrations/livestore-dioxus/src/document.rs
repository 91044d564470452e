//! Client documents.

use dioxus::prelude::{ReadSignal, ReadableExt as _};
use livestore::live::Live;
use livestore::schema::{Commit, Document, GetDocument, QueryIn, Schema};
use livestore::store::CommitError;

use crate::{LiveResult, use_live};

/// Shows the client document `D` of this window, and changes it.
///
/// ```
/// # use dioxus::prelude::*;
/// # use livestore_dioxus::{use_document, use_store};
/// # use livestore_testing::sample::items::{App, Screen};
/// fn draft() -> Element {
///     let screen = use_document::<App, Screen>(use_store());
///     rsx! {
///         input {
///             value: "{screen.get()?.draft}",
///             oninput: move |event| Ok(screen.set(|set| set.draft(event.value()))?),
///         }
///     }
/// }
/// ```
pub fn use_document<S, D>(store: ReadSignal<livestore::Store<S>>) -> LiveDocument<S, D>
where
    S: Schema,
    D: Document + Send + Sync,
    GetDocument<D>: QueryIn<S> + Live<Value = D>,
{
    LiveDocument { store, value: use_live(store, D::get()) }
}

/// A client document on the screen, which [`use_document`] returns.
pub struct LiveDocument<S: 'static, D: 'static> {
    store: ReadSignal<livestore::Store<S>>,
    value: ReadSignal<LiveResult<D>>,
}

impl<S: Schema, D: Document> LiveDocument<S, D> {
    /// Returns the document. The component is drawn again when it changes, no matter who changes it.
    ///
    /// # Errors
    /// When the stored document cannot be read.
    pub fn get(&self) -> LiveResult<D> {
        self.value.cloned()
    }

    /// Commits the event that sets some fields: `ui.set(|set| set.draft("Milk").only_open(true))`.
    ///
    /// # Errors
    /// As [`Store::commit`](livestore::Store::commit) has.
    pub fn set(&self, change: impl FnOnce(D::Set) -> D::Set) -> Result<(), CommitError>
    where
        D::Set: Commit<S>,
    {
        // The store's signal is not being read during the commit.
        let store = self.store.peek().clone();
        store.commit(change(D::set())).map(|_| ())
    }
}

impl<S, D> Clone for LiveDocument<S, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, D> Copy for LiveDocument<S, D> {}

impl<S, D> PartialEq for LiveDocument<S, D> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
