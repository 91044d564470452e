//! Propagation of changes to subscribers.
//!
//! Nodes that change together, in a commit, a batch or a signal's `set`, are propagated together:
//! each subscriber is called at most once, after everything has its new value.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::graph::GraphNode;
use crate::edge::primitives::thread_local;

/// Nodes that changed together.
pub(crate) type Propagation = Vec<Arc<dyn GraphNode>>;

/// The changes that a thread has to propagate.
#[derive(Default)]
struct Outbox {
    queue: RefCell<VecDeque<Propagation>>,
    /// Whether the thread is delivering the queue.
    delivering: Cell<bool>,
    /// The nodes that changed in the batch that the thread is in.
    batch: RefCell<Option<Propagation>>,
    /// The number of nested batches that the thread is in.
    depth: Cell<usize>,
}

thread_local! {
    static OUTBOX: Outbox = Outbox::default();
}

/// Queues a propagation. Call [`deliver`] once no lock is held.
pub(crate) fn enqueue(propagation: Propagation) {
    if propagation.is_empty() {
        return;
    }
    OUTBOX.with(|outbox| match &mut *outbox.batch.borrow_mut() {
        Some(batch) => batch.extend(propagation),
        None => outbox.queue.borrow_mut().push_back(propagation),
    });
}

/// Notifies the subscribers of everything queued. Changes that a subscriber makes are queued behind
/// the ones that it is notified of.
pub(crate) fn deliver() {
    /// Also resets the flag when a drop of a user's value panics.
    struct ResetOnDrop;
    impl Drop for ResetOnDrop {
        fn drop(&mut self) {
            OUTBOX.with(|outbox| outbox.delivering.set(false));
        }
    }
    if OUTBOX.with(|outbox| outbox.delivering.replace(true)) {
        return;
    }
    let _reset = ResetOnDrop;
    while let Some(next) = OUTBOX.with(|outbox| outbox.queue.borrow_mut().pop_front()) {
        notify(next);
    }
}

/// Runs `work`, and calls the subscribers of everything that it changes once, at its end.
///
/// Values change at once; only the calls wait. Changes of other threads are not part of the batch.
///
/// ```
/// use livestore::live::{Reactive, batch, signal};
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
///
/// let (width, calls) = (signal(1), Arc::new(AtomicUsize::new(0)));
/// let counter = Arc::clone(&calls);
/// let _guard = width.subscribe(move |_| { counter.fetch_add(1, Ordering::Relaxed); });
/// batch(|| {
///     width.set(2);
///     width.set(3);
///     assert_eq!(*width.get(), 3);
/// });
/// assert_eq!(calls.load(Ordering::Relaxed), 1);
/// ```
pub fn batch<R>(work: impl FnOnce() -> R) -> R {
    /// Ends the batch, also when `work` panics.
    struct EndOnDrop;
    impl Drop for EndOnDrop {
        fn drop(&mut self) {
            let changed = OUTBOX.with(|outbox| {
                outbox.depth.set(outbox.depth.get() - 1);
                (outbox.depth.get() == 0).then(|| outbox.batch.take().unwrap_or_default())
            });
            if let Some(changed) = changed {
                enqueue(changed);
                deliver();
            }
        }
    }
    OUTBOX.with(|outbox| {
        outbox.depth.set(outbox.depth.get() + 1);
        outbox.batch.borrow_mut().get_or_insert_default();
    });
    let _end = EndOnDrop;
    work()
}

/// Finds everything that depends on the changed nodes, then calls each subscriber that was notified
/// of an older version.
fn notify(changed: Propagation) {
    for node in with_dependents(changed) {
        if node.observers().subscriber_count() == 0 {
            continue;
        }
        match node.update() {
            Ok(()) => {
                let due = node.observers().take_due();
                due.iter().flat_map(|all| &**all).for_each(|(_, subscriber)| subscriber.notify());
            }
            Err(error) => {
                tracing::error!(%error, "its subscribers are not called before it has a value again");
            }
        }
    }
}

/// The changed nodes, and then all that depend on them.
fn with_dependents(changed: Propagation) -> Vec<Arc<dyn GraphNode>> {
    if let [only] = &*changed
        && !only.observers().has_dependents()
    {
        return changed;
    }
    let mut seen = HashSet::new();
    let mut nodes = changed;
    nodes.retain(|node| seen.insert(node.observers().id()));
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        let mut dependents = node.observers().dependents();
        dependents.retain(|node| seen.insert(node.observers().id()));
        nodes.extend(dependents);
        at += 1;
    }
    nodes
}
