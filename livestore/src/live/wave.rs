//! Notifications, in waves.
//!
//! A commit, a batch or a signal's `set` is one wave: what changed together. In one wave a
//! subscriber is called at most once, after everything has its new value.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::reactive::Node;
use crate::edge::primitives::thread_local;

/// Nodes that changed together.
pub(crate) type Wave = Vec<Arc<dyn Node>>;

/// What a thread has to notify.
#[derive(Default)]
struct Mail {
    /// Waves in line.
    waves: RefCell<VecDeque<Wave>>,
    /// The thread is at it.
    delivering: Cell<bool>,
    /// The wave of the batch that the thread is in.
    batch: RefCell<Option<Wave>>,
    /// How many batches it is in.
    depth: Cell<usize>,
}

thread_local! {
    static MAIL: Mail = Mail::default();
}

/// Puts a wave in line. Call [`deliver`] once no lock is held.
pub(crate) fn enqueue(wave: Wave) {
    if wave.is_empty() {
        return;
    }
    MAIL.with(|mail| match &mut *mail.batch.borrow_mut() {
        Some(batch) => batch.extend(wave),
        None => mail.waves.borrow_mut().push_back(wave),
    });
}

/// Notifies the subscribers of all waves in line. What a subscriber changes comes after the wave
/// that it hears of.
pub(crate) fn deliver() {
    /// Also when a drop of a user's panics.
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            MAIL.with(|mail| mail.delivering.set(false));
        }
    }
    if MAIL.with(|mail| mail.delivering.replace(true)) {
        return;
    }
    let _done = Done;
    while let Some(wave) = MAIL.with(|mail| mail.waves.borrow_mut().pop_front()) {
        notify(wave);
    }
}

/// Everything that changes in `work`, in this thread, is one wave: subscribers are called once, at
/// the end.
///
/// Values change at once; it is the calls that wait.
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
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            let wave = MAIL.with(|mail| {
                mail.depth.set(mail.depth.get() - 1);
                (mail.depth.get() == 0).then(|| mail.batch.take().unwrap_or_default())
            });
            if let Some(wave) = wave {
                enqueue(wave);
                deliver();
            }
        }
    }
    MAIL.with(|mail| {
        mail.depth.set(mail.depth.get() + 1);
        mail.batch.borrow_mut().get_or_insert_default();
    });
    let _end = End;
    work()
}

/// One wave: find everything downstream, then call whoever knows an older value.
fn notify(wave: Wave) {
    for node in downstream(wave) {
        if node.hub().subscriber_count() == 0 {
            continue;
        }
        match node.settle() {
            Ok(()) => {
                let due = node.hub().due();
                due.iter().flat_map(|all| &**all).for_each(|(_, subscriber)| subscriber.call());
            }
            Err(failure) => tracing::error!(%failure, "its subscribers hear of its next value"),
        }
    }
}

/// The nodes, and then all that depend on them.
fn downstream(wave: Wave) -> Vec<Arc<dyn Node>> {
    if let [only] = &*wave
        && !only.hub().has_dependents()
    {
        return wave;
    }
    let mut seen = HashSet::new();
    let mut reached = wave;
    reached.retain(|node| seen.insert(node.hub().id()));
    let mut at = 0;
    while let Some(node) = reached.get(at) {
        let mut dependents = node.hub().dependents();
        dependents.retain(|node| seen.insert(node.hub().id()));
        reached.extend(dependents);
        at += 1;
    }
    reached
}
