//! Lists, row by row.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, future};
use leptos::prelude::{ArcRwSignal, Get as _, GetUntracked as _, Set as _, Signal};
use livestore::Store;
use livestore::live::{Diff, List, Live, LiveQuery, Reactive as _, SharedRow};
use livestore::schema::{QueryIn, Schema};
use livestore::table::QueryError;

use crate::shown::{Beginning, Output, Show, shown};

/// The rows of a list, each with its key: what `For` takes.
pub type Rows<K, T> = Vec<(K, Row<T>)>;

/// Returns a signal of a list, row by row: it changes when rows come, go or move. When a row changes, only what
/// reads that [`Row`] is rendered again.
///
/// `key` returns what stays the same as long as a row does, such as its primary key; it differs between the
/// rows of the list. `query` is called again when a signal that it reads changes; a row that both queries
/// return stays as it is. The front page has an example.
pub fn use_rows<S, Q, T, K>(
    store: &Store<S>,
    query: impl Fn() -> Q + Send + Sync + 'static,
    key: impl Fn(&T) -> K + Send + Sync + 'static,
) -> Signal<Result<Rows<K, T>, Arc<QueryError>>>
where
    S: Schema,
    Q: QueryIn<S> + Live<Value = List<T>>,
    T: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    shown(store, query, Keyed { key: Arc::new(key), rows: Arc::default() })
}

/// A row of a list on the screen. A clone is the same row; two are equal if they are one.
pub struct Row<T>(ArcRwSignal<SharedRow<T>>);

impl<T: Send + Sync + 'static> Row<T> {
    fn new(row: &SharedRow<T>) -> Self {
        Self(ArcRwSignal::new(row.clone()))
    }

    /// Returns the row as it is now, and again when it changes.
    pub fn get(&self) -> SharedRow<T> {
        self.0.get()
    }

    /// Returns the row as it is now, for an event handler for example.
    pub fn get_untracked(&self) -> SharedRow<T> {
        self.0.get_untracked()
    }

    fn set(&self, row: &SharedRow<T>) {
        if !self.get_untracked().matches(row) {
            self.0.set(row.clone());
        }
    }
}

/// Shows each row as a [`Row`].
struct Keyed<K, T, F> {
    key: Arc<F>,
    /// They stay when the query changes.
    rows: Arc<Mutex<Rows<K, T>>>,
}

impl<K, T, F> Keyed<K, T, F>
where
    T: Send + Sync + 'static,
    K: Clone + Eq + Hash,
    F: Fn(&T) -> K,
{
    /// Takes the steps. Returns whether rows have come, gone or moved.
    fn take(&self, steps: &[Diff<T>]) -> bool {
        let mut changed = Vec::new();
        let mut has_changed = false;
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for step in steps {
            let update =
                |row: &mut Row<T>, new: &SharedRow<T>| changed.push((row.clone(), new.clone()));
            has_changed |= step.apply_keyed(&mut rows, |row| (self.key)(row), Row::new, update);
        }
        drop(rows);
        // No lock is held while the effects of the rows are notified.
        changed.iter().for_each(|(row, new)| row.set(new));
        has_changed
    }

    fn rows(&self) -> Rows<K, T> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<K, T, F> Show<List<T>> for Keyed<K, T, F>
where
    T: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    F: Fn(&T) -> K + Send + Sync + 'static,
{
    type Output = Rows<K, T>;

    fn start(&self, live: &LiveQuery<List<T>>) -> Beginning<Output<List<T>, Self>> {
        let mut diffs = live.diffs();
        while let Some(steps) = diffs.try_next() {
            self.take(&steps);
        }
        let mut error = live.error();
        let first = error.clone().map_or_else(|| Ok(self.rows()), Err);
        let this = Self { key: Arc::clone(&self.key), rows: Arc::clone(&self.rows) };
        let live = live.clone();
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
        Self(self.0.clone())
    }
}

impl<T> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> fmt::Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Row").field(&self.get_untracked()).finish()
    }
}
