//! Lists, row by row.

use std::cell::RefCell;
use std::fmt;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use dioxus::core::{ReactiveContext, Subscribers};
use dioxus::prelude::ReadSignal;
use futures_util::{StreamExt as _, future};
use livestore::live::{Diff, Diffs, List, Live, LiveQuery, Reactive as _, SharedRow};
use livestore::schema::{QueryIn, Schema};
use livestore::table::QueryError;

use crate::live::{use_shown, use_shown_with};
use crate::shown::{Beginning, Output, Show};

/// The rows of a list, each with its key.
pub type Rows<K, T> = Rc<Entries<K, T>>;

type Entries<K, T> = Vec<(K, Row<T>)>;

/// Shows a list, row by row: a component that reads a [`Row`] is drawn again when that row changes, and the
/// one that reads the list when rows come, go or move.
///
/// `key` returns what stays the same as long as a row does, such as its primary key; it differs between the
/// rows of the list. The query may differ from one rendering to the next, as in [`use_live`](crate::use_live);
/// `key` may not. The front page has an example.
pub fn use_rows<S, Q, T, K>(
    store: ReadSignal<livestore::Store<S>>,
    query: Q,
    key: impl Fn(&T) -> K + 'static,
) -> ReadSignal<Result<Rows<K, T>, Arc<QueryError>>>
where
    S: Schema,
    Q: QueryIn<S> + Live<Value = List<T>>,
    T: Send + Sync + 'static,
    K: Clone + Eq + Hash + 'static,
{
    use_shown(store, query, || Keyed::new(key))
}

/// Shows a list that signals decide about, row by row: [`use_rows`], with a `query` that is called again when
/// a signal that it reads changes. A row that both queries return stays as it is.
///
/// ```
/// # use dioxus::prelude::*;
/// # use livestore::table::{Compare as _, Table as _};
/// # use livestore_dioxus::{Row, use_rows_with, use_store};
/// # use livestore_testing::sample::items::{App, Item};
/// #[component]
/// fn Items(done: ReadSignal<bool>) -> Element {
///     let query = move || Item::filter(Item::DONE.eq(done()));
///     let items = use_rows_with(use_store::<App>(), query, |item| item.id);
///     rsx! {
///         for (id, item) in items()?.iter().cloned() {
///             ItemView { key: "{id}", item }
///         }
///     }
/// }
///
/// #[component]
/// fn ItemView(item: Row<Item>) -> Element {
///     rsx! { p { "{item.get().title}" } }
/// }
/// ```
pub fn use_rows_with<S, Q, T, K>(
    store: ReadSignal<livestore::Store<S>>,
    query: impl FnMut() -> Q + 'static,
    key: impl Fn(&T) -> K + 'static,
) -> ReadSignal<Result<Rows<K, T>, Arc<QueryError>>>
where
    S: Schema,
    Q: QueryIn<S> + Live<Value = List<T>>,
    T: Send + Sync + 'static,
    K: Clone + Eq + Hash + 'static,
{
    use_shown_with(store, query, || Keyed::new(key))
}

/// A row of a list on the screen. A clone is the same row; two are equal if they are one.
pub struct Row<T>(Rc<RowState<T>>);

struct RowState<T> {
    row: RefCell<SharedRow<T>>,
    readers: Subscribers,
}

impl<T: 'static> Row<T> {
    fn new(row: &SharedRow<T>) -> Self {
        Self(Rc::new(RowState { row: RefCell::new(row.clone()), readers: Subscribers::new() }))
    }

    /// Returns the row as it is now. The component is drawn again when it changes.
    pub fn get(&self) -> SharedRow<T> {
        if let Some(reader) = ReactiveContext::current() {
            reader.subscribe(self.0.readers.clone());
        }
        self.peek()
    }

    /// Returns the row as it is now, for an event handler for example: nothing is drawn again for this.
    pub fn peek(&self) -> SharedRow<T> {
        self.0.row.borrow().clone()
    }

    fn set(&self, row: &SharedRow<T>) {
        let before = self.0.row.replace(row.clone());
        if before.matches(row) {
            return;
        }
        // Nothing is locked while the readers are notified: they may read other rows.
        let mut readers = Vec::new();
        self.0.readers.visit(|reader| readers.push(*reader));
        for reader in readers.iter().filter(|reader| !reader.mark_dirty()) {
            self.0.readers.remove(reader);
        }
    }
}

/// Shows each row as a [`Row`].
struct Keyed<K, T, F> {
    key: Rc<F>,
    /// They stay when the query changes.
    rows: Rc<RefCell<Entries<K, T>>>,
}

impl<K, T, F> Keyed<K, T, F> {
    fn new(key: F) -> Self {
        Self { key: Rc::new(key), rows: Rc::default() }
    }
}

impl<K: Clone + Eq + Hash, T: 'static, F: Fn(&T) -> K> Keyed<K, T, F> {
    /// Takes the steps. Returns whether rows have come, gone or moved.
    fn take(&self, steps: &[Diff<T>]) -> bool {
        let mut rows = self.rows.borrow_mut();
        let mut has_changed = false;
        for step in steps {
            has_changed |= step.apply_keyed(
                &mut rows,
                |row| (self.key)(row),
                Row::new,
                |old, new| old.set(new),
            );
        }
        has_changed
    }

    fn rows(&self) -> Rows<K, T> {
        Rc::new(self.rows.borrow().clone())
    }
}

impl<K, T, F> Show<List<T>> for Keyed<K, T, F>
where
    T: Send + Sync + 'static,
    K: Clone + Eq + Hash + 'static,
    F: Fn(&T) -> K + 'static,
{
    type Output = Rows<K, T>;

    fn start(&self, live: &LiveQuery<List<T>>) -> Beginning<Output<List<T>, Self>> {
        let mut diffs: Diffs<T> = live.diffs();
        while let Some(steps) = diffs.try_next() {
            self.take(&steps);
        }
        let mut error = live.error();
        let first = error.clone().map_or_else(|| Ok(self.rows()), Err);
        let (this, live) =
            (Self { key: Rc::clone(&self.key), rows: Rc::clone(&self.rows) }, live.clone());
        let news = diffs.filter_map(move |steps| {
            let has_changed = this.take(&steps);
            let before = std::mem::replace(&mut error, live.error());
            future::ready(match &error {
                Some(error) if before.as_ref() != Some(error) => Some(Err(Arc::clone(error))),
                None if has_changed || before.is_some() => Some(Ok(this.rows())),
                _ => None,
            })
        });
        Beginning { first, news: Box::pin(news) }
    }
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: fmt::Debug> fmt::Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Row").field(&*self.0.row.borrow()).finish()
    }
}
