//! What is shown of a live query, and the task that brings what is new.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{AbortHandle, abortable};
use futures_util::{Stream, StreamExt as _, stream};
use leptos::prelude::{ArcRwSignal, Get as _, Memo, Set as _, Signal, With as _};
use leptos::task::spawn_local;
use livestore::Store;
use livestore::live::{Live, LiveQuery, LiveValue, Reactive as _};
use livestore::schema::{QueryIn, Schema};
use livestore::table::QueryError;

/// What is shown first, and the stream of what comes next.
pub(crate) struct Beginning<T> {
    pub(crate) first: T,
    pub(crate) news: Pin<Box<dyn Stream<Item = T>>>,
}

/// The way to show a query.
pub(crate) trait Show<V: LiveValue>: Send + Sync + 'static {
    /// What a signal has.
    type Output: Clone + Send + Sync + 'static;

    /// Shows the query from now on.
    fn start(&self, live: &LiveQuery<V>) -> Beginning<Output<V, Self>>;
}

/// What a signal has, or why the query fails.
pub(crate) type Output<V, S> = Result<<S as Show<V>>::Output, Arc<QueryError>>;

/// What is shown of one query, until it is dropped.
struct Shown<V: LiveValue, T> {
    /// `None` if it could not be started.
    live: Option<LiveQuery<V>>,
    value: ArcRwSignal<T>,
    task: AbortHandle,
}

/// Shows the query that `query` returns, and another one when a signal that `query` reads has changed. Nothing
/// is waited for: the first value is there at once, and so is that of the next query.
pub(crate) fn shown<S: Schema, Q: QueryIn<S> + Live, W: Show<Q::Value>>(
    store: &Store<S>,
    query: impl Fn() -> Q + Send + Sync + 'static,
    show: W,
) -> Signal<Output<Q::Value, W>> {
    let store = store.clone();
    let next = move |before: Option<&Arc<Shown<_, _>>>| {
        let query = query();
        let live = match before.and_then(|before| before.live.as_ref()) {
            Some(before) => store.replace_live(before, query),
            None => store.live(query),
        };
        match before.filter(|before| before.is_of(&live)) {
            Some(before) => Arc::clone(before),
            None => Arc::new(start(&show, live)),
        }
    };
    let has_changed = |before: Option<&Arc<Shown<_, _>>>, after: Option<&Arc<Shown<_, _>>>| {
        before.map(Arc::as_ptr) != after.map(Arc::as_ptr)
    };
    let shown = Memo::new_with_compare(next, has_changed);
    Signal::derive(move || shown.with(|shown| shown.value.get()))
}

/// A local task sets the signal: never another thread, and never while someone reads it.
fn start<V: LiveValue, W: Show<V>>(
    show: &W,
    live: Result<LiveQuery<V>, QueryError>,
) -> Shown<V, Output<V, W>> {
    let Beginning { first, mut news } = match &live {
        Ok(live) => show.start(live),
        Err(error) => {
            Beginning { first: Err(Arc::new(error.clone())), news: Box::pin(stream::empty()) }
        }
    };
    let value = ArcRwSignal::new(first);
    let (work, task) = abortable({
        let value = value.clone();
        async move {
            while let Some(new) = news.next().await {
                value.set(new);
            }
        }
    });
    spawn_local(async move {
        _ = work.await;
    });
    Shown { live: live.ok(), value, task }
}

impl<V: LiveValue, T> Shown<V, T> {
    fn is_of(&self, live: &Result<LiveQuery<V>, QueryError>) -> bool {
        match (&self.live, live) {
            (Some(shown), Ok(live)) => shown.id() == live.id(),
            _ => false,
        }
    }
}

impl<V: LiveValue, T> Drop for Shown<V, T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
