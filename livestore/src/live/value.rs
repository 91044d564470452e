//! What live queries, signals and computeds have in common: a value, a version, subscribers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::reactive::Node;

/// A handle to a value that changes: a [`LiveQuery`](super::LiveQuery), a
/// [`Signal`](super::Signal) or a [`Computed`](super::Computed).
pub trait Reactive: Clone + Send + Sync + Unpin + 'static {
    /// The value.
    type Value: Send + Sync + 'static;

    /// The value now. It is shared, not copied.
    fn get(&self) -> Arc<Self::Value>;

    /// The node behind it.
    #[doc(hidden)]
    fn node(&self) -> NodeRef;

    /// Reads the value without keeping it alive, as a subscriber must.
    #[doc(hidden)]
    fn reader(&self) -> Reader<Self::Value>;

    /// A number that grows whenever the value changes.
    fn version(&self) -> u64 {
        let NodeRef(node) = self.node();
        node.settle();
        node.hub().version()
    }

    /// Calls `callback` with the new value after each commit, batch or rebase that changes it,
    /// until the guard is dropped.
    ///
    /// No lock is held meanwhile: the callback may query, commit, subscribe and unsubscribe. What
    /// it commits is notified after it has returned. If it panics, nobody else is harmed.
    #[must_use = "dropping the guard ends the subscription"]
    fn subscribe(&self, callback: impl FnMut(&Self::Value) + Send + 'static) -> Subscription {
        let subscriber = Subscriber {
            callback: Mutex::new(callback),
            read: self.reader(),
            turn: Mutex::new(Turn::Idle),
        };
        let NodeRef(node) = self.node();
        node.settle();
        let id = node.hub().add_subscriber(Arc::new(move || subscriber.call()));
        Subscription { node, id }
    }

    /// The value now, and then whenever it has changed; a slow reader skips to the newest.
    fn stream(&self) -> Values<Self> {
        let waker = Arc::new(Mutex::new(None::<Waker>));
        let theirs = Arc::clone(&waker);
        let guard = self.subscribe(move |_| {
            let waker = lock(&theirs).take();
            waker.into_iter().for_each(Waker::wake);
        });
        Values { of: self.clone(), seen: None, waker, _guard: guard }
    }
}

/// A function that reads a value, while there is one.
pub type Reader<V> = Box<dyn Fn() -> Option<Arc<V>> + Send + Sync>;

/// What is behind a handle.
#[doc(hidden)]
pub struct NodeRef(pub(super) Arc<dyn Node>);

/// A callback that one thread calls at a time, while no thread waits for another.
struct Subscriber<F, V> {
    callback: Mutex<F>,
    read: Reader<V>,
    turn: Mutex<Turn>,
}

/// Where a callback is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    Running,
    /// Another thread has news: whoever runs the callback runs it once more.
    Again,
}

impl<V, F: FnMut(&V)> Subscriber<F, V> {
    fn call(&self) {
        let before = {
            let mut turn = lock(&self.turn);
            let before = *turn;
            *turn = if before == Turn::Idle { Turn::Running } else { Turn::Again };
            before
        };
        if before != Turn::Idle {
            return;
        }
        loop {
            if let Some(value) = (self.read)() {
                let call = || lock(&self.callback)(&value);
                if catch_unwind(AssertUnwindSafe(call)).is_err() {
                    tracing::error!("a subscriber panicked; the others are notified all the same");
                }
            }
            let mut turn = lock(&self.turn);
            if *turn == Turn::Running {
                *turn = Turn::Idle;
                return;
            }
            *turn = Turn::Running;
        }
    }
}

/// Ends a subscription when it is dropped.
pub struct Subscription {
    node: Arc<dyn Node>,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.node.hub().remove_subscriber(self.id);
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Subscription").field(&self.id).finish()
    }
}

impl std::fmt::Debug for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("NodeRef").field(&self.0.hub().version()).finish()
    }
}

/// A value as a stream. It never ends; it keeps its query alive.
#[derive(Debug)]
pub struct Values<R: Reactive> {
    of: R,
    seen: Option<u64>,
    waker: Arc<Mutex<Option<Waker>>>,
    _guard: Subscription,
}

impl<R: Reactive> Stream for Values<R> {
    type Item = Arc<R::Value>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The waker first: a change between the two wakes us once too often, never too seldom.
        *lock(&self.waker) = Some(context.waker().clone());
        let version = self.of.version();
        if self.seen == Some(version) {
            return Poll::Pending;
        }
        self.seen = Some(version);
        Poll::Ready(Some(self.of.get()))
    }
}

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
