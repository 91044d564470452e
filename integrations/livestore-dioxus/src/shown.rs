//! What a component shows of a live query, and the task that brings what is new.

use std::pin::Pin;
use std::sync::Arc;

use dioxus::core::{Task, spawn};
use dioxus::prelude::{CopyValue, ReadSignal, ReadableExt as _, Signal, WritableExt as _};
use futures_util::{Stream, StreamExt as _, stream};
use livestore::live::{LiveQuery, LiveValue, Reactive as _};
use livestore::table::QueryError;

/// What is shown first, and the stream of what comes next.
pub(crate) struct Beginning<T> {
    pub(crate) first: T,
    pub(crate) news: Pin<Box<dyn Stream<Item = T>>>,
}

/// A live query, or why it could not be started.
pub(crate) type Started<V> = Result<LiveQuery<V>, Arc<QueryError>>;

/// The way to show a query.
pub(crate) trait Show<V: LiveValue>: 'static {
    /// What components read.
    type Output: 'static;

    /// Shows the query from now on.
    fn start(&self, live: &LiveQuery<V>) -> Beginning<Output<V, Self>>;
}

/// What components read, or why the query fails.
pub(crate) type Output<V, S> = Result<<S as Show<V>>::Output, Arc<QueryError>>;

/// What a component shows. It belongs to the component that makes it, and goes with it.
pub(crate) struct Shown<V: LiveValue, S: Show<V>> {
    show: CopyValue<S>,
    value: Signal<Output<V, S>>,
    current: CopyValue<Current<V>>,
    pub(crate) read: ReadSignal<Output<V, S>>,
}

struct Current<V: LiveValue> {
    live: Started<V>,
    task: Task,
}

impl<V: LiveValue, S: Show<V>> Shown<V, S> {
    pub(crate) fn new(show: S, live: Started<V>) -> Self {
        let Beginning { first, news } = start(&show, &live);
        let value = Signal::new(first);
        let current = CopyValue::new(Current { live, task: spawn_news(value, news) });
        Self { show: CopyValue::new(show), value, current, read: value.into() }
    }

    /// Returns the query that is shown.
    pub(crate) fn live(self) -> Option<LiveQuery<V>> {
        self.current.peek().live.as_ref().ok().cloned()
    }

    /// Shows `live` from now on, unless that is what is shown already.
    pub(crate) fn set(mut self, live: Started<V>) {
        if is_same(&self.current.peek().live, &live) {
            return;
        }
        let Beginning { first, news } = start(&*self.show.peek(), &live);
        self.value.set(first);
        let task = spawn_news(self.value, news);
        self.current.replace(Current { live, task }).task.cancel();
    }
}

fn start<V: LiveValue, S: Show<V>>(show: &S, live: &Started<V>) -> Beginning<Output<V, S>> {
    match live {
        Ok(live) => show.start(live),
        Err(error) => Beginning { first: Err(Arc::clone(error)), news: Box::pin(stream::empty()) },
    }
}

/// A task of the component sets the signal: never another thread, and never while someone reads it.
fn spawn_news<T: 'static>(mut value: Signal<T>, mut news: Pin<Box<dyn Stream<Item = T>>>) -> Task {
    spawn(async move {
        while let Some(new) = news.next().await {
            value.set(new);
        }
    })
}

fn is_same<V: LiveValue>(left: &Started<V>, right: &Started<V>) -> bool {
    match (left, right) {
        (Ok(left), Ok(right)) => left.id() == right.id(),
        (Err(left), Err(right)) => left == right,
        _ => false,
    }
}

impl<V: LiveValue, S: Show<V>> Clone for Shown<V, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V: LiveValue, S: Show<V>> Copy for Shown<V, S> {}
