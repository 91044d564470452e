//! What live queries, signals and computeds have in common: a value, a version, subscribers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::computed::{Computed, computed};
use super::reactive::{Node, Source, Subscriber};
use crate::edge::primitives::{AtomicU64, Mutex, lock};

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
    /// The value.
    type Value: Send + Sync + 'static;

    /// What is behind the handle.
    #[doc(hidden)]
    fn node(&self) -> NodeRef<Self::Value>;

    /// The value now. It is shared, not copied.
    ///
    /// # Panics
    /// When it is a [`Computed`](super::Computed) that panics or reads itself.
    fn get(&self) -> Arc<Self::Value> {
        self.node().read().1
    }

    /// A number that grows whenever the value changes.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    fn version(&self) -> u64 {
        self.node().read().0
    }

    /// Calls `callback` with the new value after each commit, batch or rebase that changes it,
    /// until the guard is dropped.
    ///
    /// No lock is held meanwhile: the callback may query, commit, subscribe and unsubscribe, also
    /// itself. What it commits is notified after it has returned. If it panics, nobody else is
    /// harmed. It runs in the thread that made the change; if two threads make changes at once, one
    /// of them makes the calls of both, and a call shows the newest value. A call that another
    /// thread is in when the guard is dropped runs to its end.
    ///
    /// # Panics
    /// As [`get`](Self::get): there must be a first value.
    #[must_use = "dropping the guard ends the subscription"]
    fn subscribe(&self, callback: impl FnMut(&Self::Value) + Send + 'static) -> Subscription {
        let node = self.node();
        let (seen, _) = node.read();
        let NodeRef(source) = node;
        let subscriber = Arc::new(Callback {
            source: Arc::downgrade(&source),
            turn: Turn::default(),
            call: Mutex::new(Call { seen, callback }),
        });
        let id = source.hub().add_subscriber(Arc::clone(&subscriber) as Arc<dyn Subscriber>);
        Subscription { node: source, id, subscriber }
    }

    /// What `change` makes of the value, as a value that changes, too: a [`computed`] of this one
    /// alone.
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

    /// The value now, and then whenever it has changed; a slow reader skips to the newest.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
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
        let waker = Arc::new(Wake::default());
        let guard = self.subscribe(waker.on_call());
        Values { of: self.clone(), seen: None, waker, _guard: guard }
    }
}

/// What is behind a handle.
#[doc(hidden)]
pub struct NodeRef<V>(pub(super) Arc<dyn Source<V>>);

impl<V> NodeRef<V> {
    /// The value, and its version.
    pub(super) fn read(&self) -> (u64, Arc<V>) {
        self.0.read().unwrap_or_else(|failure| failure.raise())
    }
}

/// A callback that one thread calls at a time, while no thread waits for another.
struct Callback<F, V> {
    /// Weak: a subscription keeps the value alive, its callback must not.
    source: Weak<dyn Source<V>>,
    turn: Turn,
    call: Mutex<Call<F>>,
}

struct Call<F> {
    /// The version it knows.
    seen: u64,
    callback: F,
}

/// Where a callback is.
#[derive(Default)]
struct Turn(AtomicU64);

impl Turn {
    const IDLE: u64 = 0;
    const RUNNING: u64 = 1;
    /// Another thread has news: whoever runs the callback looks once more.
    const AGAIN: u64 = 2;
    /// The subscription has ended.
    const OVER: u64 = 3;

    /// There is news. Whether it is the caller's turn to tell it.
    fn begin(&self) -> bool {
        self.step(|turn| match turn {
            Self::IDLE => Some(Self::RUNNING),
            Self::RUNNING => Some(Self::AGAIN),
            _ => None,
        }) == Ok(Self::IDLE)
    }

    /// News was told. Whether that was all.
    fn finish(&self) -> bool {
        self.step(|turn| match turn {
            Self::RUNNING => Some(Self::IDLE),
            Self::AGAIN => Some(Self::RUNNING),
            _ => None,
        }) != Ok(Self::AGAIN)
    }

    fn end(&self) {
        self.0.store(Self::OVER, Ordering::Release);
    }

    fn step(&self, next: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64> {
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
    }
}

impl<V, F: FnMut(&V)> Callback<F, V> {
    /// Calls the callback if there is a value that it does not know.
    fn tell(&self) {
        let Some(source) = self.source.upgrade() else { return };
        let mut call = lock(&self.call);
        match source.read() {
            Ok((version, _)) if version == call.seen => {}
            Ok((version, value)) => {
                call.seen = version;
                (call.callback)(&value);
            }
            Err(failure) => tracing::error!(%failure, "there is no new value to tell of"),
        }
    }
}

impl<V: Send + Sync + 'static, F: FnMut(&V) + Send> Subscriber for Callback<F, V> {
    fn call(&self) {
        if !self.turn.begin() {
            return;
        }
        loop {
            if catch_unwind(AssertUnwindSafe(|| self.tell())).is_err() {
                tracing::error!("a subscriber panicked; the others are notified all the same");
            }
            if self.turn.finish() {
                return;
            }
        }
    }

    fn end(&self) {
        self.turn.end();
    }
}

/// Ends a subscription when it is dropped; until then, it keeps the value alive.
pub struct Subscription {
    node: Arc<dyn Node>,
    id: u64,
    subscriber: Arc<dyn Subscriber>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscriber.end();
        self.node.hub().remove_subscriber(self.id);
    }
}

/// The task that waits for something.
#[derive(Debug, Default)]
pub(super) struct Wake(Mutex<Option<Waker>>);

impl Wake {
    /// The task is to be woken.
    pub(super) fn set(&self, context: &Context<'_>) {
        *lock(&self.0) = Some(context.waker().clone());
    }

    /// A callback that wakes it.
    pub(super) fn on_call<V>(self: &Arc<Self>) -> impl FnMut(&V) + Send + use<V> {
        let this = Arc::clone(self);
        move |_| {
            let waker = lock(&this.0).take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// A value as a stream. It never ends; it keeps its query alive.
#[derive(Debug)]
pub struct Values<R: Reactive> {
    of: R,
    seen: Option<u64>,
    waker: Arc<Wake>,
    _guard: Subscription,
}

impl<R: Reactive> Stream for Values<R> {
    type Item = Arc<R::Value>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The waker first: a change between the two wakes us once too often, never too seldom.
        self.waker.set(context);
        let (version, value) = self.of.node().read();
        if self.seen == Some(version) {
            return Poll::Pending;
        }
        self.seen = Some(version);
        Poll::Ready(Some(value))
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscription").field(&self.id).finish()
    }
}

impl<V> fmt::Debug for NodeRef<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeRef").field(&self.0.hub().version()).finish()
    }
}
