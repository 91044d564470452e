//! Subscriptions: callbacks, and the tasks that they wake.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};

use super::graph::{GraphNode, ValueNode};
use super::observers::Subscriber;
use crate::edge::catch_panic;
use crate::edge::primitives::{AtomicU64, Mutex, lock};

/// A subscription, which ends when this guard is dropped. Until then it keeps the value alive.
pub struct Subscription {
    node: Arc<dyn GraphNode>,
    id: u64,
    subscriber: Arc<dyn Subscriber>,
}

impl Subscription {
    /// Subscribes a callback that has seen `version`.
    pub(super) fn new<V: Send + Sync + 'static>(
        node: Arc<dyn ValueNode<V>>,
        version: u64,
        callback: impl FnMut(&V) + Send + 'static,
    ) -> Self {
        let subscriber = Arc::new(Callback {
            node: Arc::downgrade(&node),
            turn: CallState::default(),
            call: Mutex::new(Call { seen: version, callback }),
        });
        let id = node.observers().add_subscriber(Arc::clone(&subscriber) as Arc<dyn Subscriber>);
        Self { node, id, subscriber }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscriber.end();
        self.node.observers().remove_subscriber(self.id);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscription").field(&self.id).finish()
    }
}

/// A callback that only one thread calls at a time, without any thread waiting for another.
struct Callback<F, V> {
    /// Weak: a subscription keeps the value alive, its callback must not.
    node: Weak<dyn ValueNode<V>>,
    turn: CallState,
    call: Mutex<Call<F>>,
}

struct Call<F> {
    /// The last version that the callback was called with.
    seen: u64,
    callback: F,
}

/// Whose turn it is to call a callback.
#[derive(Default)]
struct CallState(AtomicU64);

impl CallState {
    const IDLE: u64 = 0;
    const RUNNING: u64 = 1;
    /// There was another change meanwhile: whoever runs the callback runs it once more.
    const AGAIN: u64 = 2;
    /// The subscription is over.
    const OVER: u64 = 3;

    /// There is a change. Returns whether the caller has to run the callback.
    fn begin(&self) -> bool {
        self.step(|turn| match turn {
            Self::IDLE => Some(Self::RUNNING),
            Self::RUNNING => Some(Self::AGAIN),
            _ => None,
        }) == Ok(Self::IDLE)
    }

    /// The callback has run. Returns whether it need not run again.
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
    /// Calls the callback if there is a version that it was not called with.
    fn run(&self) {
        let Some(node) = self.node.upgrade() else { return };
        let mut call = lock(&self.call);
        match node.read() {
            Ok((version, _)) if version == call.seen => {}
            Ok((version, value)) => {
                call.seen = version;
                // Inside of the lock, which a browser would not unlock otherwise.
                if catch_panic(|| (call.callback)(&value)).is_err() {
                    tracing::error!("a subscriber panicked; the others are called all the same");
                }
            }
            Err(error) => {
                tracing::error!(%error, "a subscriber cannot be called: there is no value")
            }
        }
    }
}

impl<V: Send + Sync + 'static, F: FnMut(&V) + Send> Subscriber for Callback<F, V> {
    fn notify(&self) {
        if !self.turn.begin() {
            return;
        }
        loop {
            self.run();
            if self.turn.finish() {
                return;
            }
        }
    }

    fn end(&self) {
        self.turn.end();
    }
}

/// The task that waits for a change, if one does.
#[derive(Debug, Default)]
pub(super) struct TaskWaker(Mutex<Option<Waker>>);

impl TaskWaker {
    /// Has the task woken by the next change.
    pub(super) fn register(&self, context: &Context<'_>) {
        *lock(&self.0) = Some(context.waker().clone());
    }

    /// A callback that wakes the task.
    pub(super) fn callback<V>(self: &Arc<Self>) -> impl FnMut(&V) + Send + use<V> {
        let this = Arc::clone(self);
        move |_| {
            let waker = lock(&this.0).take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}
