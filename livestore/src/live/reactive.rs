//! The common interface of live queries, signals and computeds: a value, a version, subscribers.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::computed::{Computed, computed};
use super::graph::ValueNode;
use super::inspect::NodeId;
use super::subscription::{Subscription, TaskWaker};
use crate::ambient::{Impurity, is_impure};
use crate::table::QueryError;

/// A handle to a value that changes: a [`LiveQuery`](super::LiveQuery), a
/// [`Signal`](super::Signal) or a [`Computed`](super::Computed).
///
/// ```
/// use livestore::live::{Reactive, signal};
/// use std::sync::mpsc;
///
/// let (page, (sender, pages)) = (signal(1), mpsc::channel());
/// let guard = page.subscribe(move |page| sender.send(*page).unwrap());
/// page.set(2);
/// assert_eq!((*page.get(), pages.try_recv()), (2, Ok(2)));
/// drop(guard);
/// page.set(3);
/// assert!(pages.try_recv().is_err());
/// ```
pub trait Reactive: Clone + Send + Sync + Unpin + 'static {
    /// The type of the value.
    type Value: Send + Sync + 'static;

    #[doc(hidden)]
    fn node(&self) -> NodeRef<Self::Value>;

    /// Returns the current value. It is shared, not copied.
    ///
    /// # Panics
    /// When this is a [`Computed`](super::Computed) whose function panics or reads itself.
    fn get(&self) -> Arc<Self::Value> {
        self.node().read().1
    }

    /// Returns the reason why the value is not up to date: the live query fails, or one that this
    /// value is computed from does. The value is the last one before that.
    ///
    /// When it begins to fail, when it fails for another reason, and when it works again, subscribers are
    /// called, and [`stream`](Self::stream) has an item.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] struct Item { #[column(primary_key)] id: String, n: i64 }
    /// # #[derive(Event)] #[event(name = "v1.ItemSet")] struct ItemSet { id: String, n: i64 }
    /// # impl Materialize for ItemSet {
    /// #     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
    /// #         state.upsert(&Item { id: self.id.clone(), n: self.n })
    /// #     }
    /// # }
    /// # livestore::schema! { App { tables: [Item], events: [ItemSet] } }
    /// let store = Store::<App>::builder("items").open()?;
    /// let sum = store.live(raw::<(Option<i64>,)>("SELECT sum(n) FROM item", ()))?;
    /// store.commit(ItemSet { id: "a".into(), n: i64::MAX })?;
    /// store.commit(ItemSet { id: "b".into(), n: 1 })?;         // more than 64 bits
    /// assert!(sum.error().is_some());
    /// store.commit(ItemSet { id: "b".into(), n: 0 })?;
    /// assert_eq!((sum.error(), sum.get()[0].0), (None, Some(i64::MAX)));
    /// # Ok::<(), livestore::Error>(())
    /// ```
    fn error(&self) -> Option<Arc<QueryError>> {
        let NodeRef(node) = self.node();
        is_impure(Impurity::LiveValue);
        // A computed that panics has no value that could be out of date.
        node.update().ok()?;
        node.error()
    }

    /// Returns the current value, or the reason why it is not up to date: what a screen shows.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("notes").open()?;
    /// let numbers = store.live(raw::<(i64,)>("SELECT text FROM note", ()))?;
    /// assert!(numbers.try_get().is_ok_and(|numbers| numbers.is_empty()));
    /// store.commit(added("milk"))?;                       // its text is no number
    /// assert!(numbers.try_get().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As long as there is an [`error`](Self::error).
    ///
    /// # Panics
    /// As [`get`](Self::get) does.
    fn try_get(&self) -> Result<Arc<Self::Value>, Arc<QueryError>> {
        match self.error() {
            Some(error) => Err(error),
            None => Ok(self.node().read().1),
        }
    }

    /// Returns a number that grows whenever the value changes, or [`error`](Self::error) does.
    ///
    /// # Panics
    /// As [`get`](Self::get) does.
    fn version(&self) -> u64 {
        self.node().read().0
    }

    /// Returns the id of the value, which is unique in this process. All handles of a live query have
    /// the same, so that two of them can be compared.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let all = store.live(Todo::all())?;
    /// assert_eq!(all.id(), store.live(Todo::all())?.id());
    /// assert_ne!(all.id(), store.live(Todo::all().limit(1))?.id());
    /// # Ok(())
    /// # }
    /// ```
    fn id(&self) -> NodeId {
        NodeId::of(self.node().0.observers())
    }

    /// Calls `callback` with the new value after each commit, batch or rebase that changes it, or its
    /// [`error`](Self::error), until the guard is dropped.
    ///
    /// No lock is held during the call: the callback may query, commit, subscribe and unsubscribe,
    /// even itself. Subscribers of what it commits are called after it has returned. If it panics,
    /// other subscribers are still called. It runs in the thread that made the change; if two
    /// threads make changes at the same time, one of them makes the calls of both, each with the
    /// newest value. If another thread is running the callback when the guard is dropped, that call
    /// still runs to its end.
    ///
    /// # Panics
    /// As [`get`](Self::get) does: there must be a first value.
    #[must_use = "dropping the guard ends the subscription"]
    fn subscribe(&self, callback: impl FnMut(&Self::Value) + Send + 'static) -> Subscription {
        let node = self.node();
        let (version, _) = node.read();
        Subscription::new(node.0, version, callback)
    }

    /// Makes a [`computed`] from this value alone: `change` is applied to each new value.
    ///
    /// ```
    /// use livestore::live::{Reactive, signal};
    ///
    /// let page = signal(0);
    /// let title = page.map(|page| format!("Page {}", page + 1));
    /// page.set(6);
    /// assert_eq!(*title.get(), "Page 7");
    /// ```
    #[track_caller]
    fn map<V: PartialEq + Send + Sync + 'static>(
        &self,
        change: impl Fn(&Self::Value) -> V + Send + Sync + 'static,
    ) -> Computed<V> {
        let of = self.clone();
        computed(move |get| change(&get.of(&of)))
    }

    /// Returns a stream of the current value, and then of each new one. A slow reader skips values
    /// that are out of date.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// use futures_util::{FutureExt, StreamExt};
    /// use livestore::live::Reactive;
    ///
    /// let store = Store::<App>::builder("todos").open()?;
    /// let mut counts = store.live(Todo::all().count())?.stream();
    /// let mut count = || counts.next().now_or_never().flatten().map(|count| **count);
    /// assert_eq!(count(), Some(0));
    /// for id in ["a", "b"] {
    ///     store.commit(TodoEvent::Created { id: id.into(), text: "Milk".into(), created_at: now() })?;
    /// }
    /// assert_eq!(count(), Some(2));
    /// assert_eq!(count(), None);
    /// # Ok(())
    /// # }
    /// ```
    fn stream(&self) -> Values<Self> {
        let waker = Arc::new(TaskWaker::default());
        let guard = self.subscribe(waker.callback());
        Values { of: self.clone(), seen: None, waker, _guard: guard }
    }
}

/// The node behind a handle.
#[doc(hidden)]
pub struct NodeRef<V>(pub(super) Arc<dyn ValueNode<V>>);

impl<V> NodeRef<V> {
    /// Returns the version and the value.
    ///
    /// # Panics
    /// When a computed panics or reads itself.
    pub(super) fn read(&self) -> (u64, Arc<V>) {
        is_impure(Impurity::LiveValue);
        self.0.read().unwrap_or_else(|error| error.raise())
    }
}

/// A stream of a value and its changes; see [`Reactive::stream`]. It never ends, and keeps the value
/// alive.
#[derive(Debug)]
pub struct Values<R: Reactive> {
    of: R,
    seen: Option<u64>,
    waker: Arc<TaskWaker>,
    _guard: Subscription,
}

impl<R: Reactive> Stream for Values<R> {
    type Item = Arc<R::Value>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The waker first: a change between the two wakes the task once too often, never too seldom.
        self.waker.register(context);
        let (version, value) = self.of.node().read();
        if self.seen == Some(version) {
            return Poll::Pending;
        }
        self.seen = Some(version);
        Poll::Ready(Some(value))
    }
}

impl<V> fmt::Debug for NodeRef<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeRef").field(&self.0.observers().version()).finish()
    }
}
