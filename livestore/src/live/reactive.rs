//! What has a value that changes, who depends on it, and how they hear of it.
//!
//! Values are *pulled*: a computed value is brought up to date when somebody reads it, by comparing
//! the versions of what it read last time. So nobody ever sees one input new and another old.
//! Notifications are *pushed*, in waves: a commit, a batch or a signal's `set` is one wave, and in
//! one wave a subscriber is called at most once, after everything has its new value.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Something with a value: a live query, a signal or a computed.
pub(crate) trait Node: Send + Sync {
    /// Its version, its dependents and its subscribers.
    fn hub(&self) -> &Hub;

    /// Brings the value up to date.
    fn settle(&self) {}
}

/// A subscriber's callback.
pub(super) type Callback = Arc<dyn Fn() + Send + Sync>;

/// What every node has.
#[derive(Default)]
pub(crate) struct Hub {
    version: AtomicU64,
    links: Mutex<Links>,
}

#[derive(Default)]
struct Links {
    dependents: Vec<Weak<dyn Node>>,
    subscribers: Vec<(u64, Callback)>,
    next_subscriber: u64,
    /// The version that subscribers know.
    notified: u64,
}

impl Hub {
    /// Grows whenever the value changes.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The value has changed.
    pub(crate) fn bump(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn subscriber_count(&self) -> usize {
        self.links().subscribers.len()
    }

    pub(super) fn add_subscriber(&self, callback: Callback) -> u64 {
        let mut links = self.links();
        if links.subscribers.is_empty() {
            links.notified = self.version();
        }
        let id = links.next_subscriber;
        links.next_subscriber += 1;
        links.subscribers.push((id, callback));
        id
    }

    pub(super) fn remove_subscriber(&self, id: u64) {
        let mut links = self.links();
        let at = links.subscribers.iter().position(|(other, _)| *other == id);
        let removed = at.map(|at| links.subscribers.remove(at));
        drop(links);
        // A callback may own handles, whose drops want locks.
        drop(removed);
    }

    pub(super) fn add_dependent(&self, dependent: Weak<dyn Node>) {
        let mut links = self.links();
        links.dependents.retain(|other| other.strong_count() > 0);
        if !links.dependents.iter().any(|other| other.ptr_eq(&dependent)) {
            links.dependents.push(dependent);
        }
    }

    pub(super) fn remove_dependent(&self, dependent: &Weak<dyn Node>) {
        self.links().dependents.retain(|other| !other.ptr_eq(dependent));
    }

    fn dependents(&self) -> Vec<Arc<dyn Node>> {
        self.links().dependents.iter().filter_map(Weak::upgrade).collect()
    }

    /// The callbacks to call, if the value is newer than what they know.
    fn due(&self) -> Vec<(u64, Callback)> {
        let mut links = self.links();
        let version = self.version();
        if links.notified == version {
            return Vec::new();
        }
        links.notified = version;
        links.subscribers.clone()
    }

    fn is_subscribed(&self, id: u64) -> bool {
        self.links().subscribers.iter().any(|(other, _)| *other == id)
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nodes that changed together.
pub(crate) type Wave = Vec<Arc<dyn Node>>;

thread_local! {
    /// Waves of this thread that wait for their notifications.
    static WAVES: RefCell<VecDeque<Wave>> = const { RefCell::new(VecDeque::new()) };
    /// This thread is at it.
    static DELIVERING: Cell<bool> = const { Cell::new(false) };
    /// The wave of the batch that this thread is in.
    static BATCH: RefCell<Option<Wave>> = const { RefCell::new(None) };
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Puts a wave in line. Call [`deliver`] once no lock is held.
pub(crate) fn enqueue(wave: Wave) {
    if wave.is_empty() {
        return;
    }
    BATCH.with_borrow_mut(|batch| match batch {
        Some(batch) => batch.extend(wave),
        None => WAVES.with_borrow_mut(|waves| waves.push_back(wave)),
    });
}

/// Notifies the subscribers of all waves in line. What a subscriber changes comes after the wave
/// that it hears of.
pub(crate) fn deliver() {
    /// Also when a drop of a user's panics.
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            DELIVERING.set(false);
        }
    }
    if DELIVERING.replace(true) {
        return;
    }
    let _done = Done;
    while let Some(wave) = WAVES.with_borrow_mut(VecDeque::pop_front) {
        notify(wave);
    }
}

/// Everything that changes in `work`, in this thread, is one wave: subscribers are called once, at
/// the end.
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
/// });
/// assert_eq!(calls.load(Ordering::Relaxed), 1);
/// ```
pub fn batch<R>(work: impl FnOnce() -> R) -> R {
    /// Ends the batch, also when `work` panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
            if DEPTH.get() == 0 {
                let wave = BATCH.take().unwrap_or_default();
                enqueue(wave);
                deliver();
            }
        }
    }
    DEPTH.set(DEPTH.get() + 1);
    BATCH.with_borrow_mut(|batch| {
        batch.get_or_insert_default();
    });
    let _end = End;
    work()
}

/// One wave: find everything downstream, then call whoever knows an older value.
fn notify(wave: Wave) {
    let mut seen = HashSet::new();
    let mut reached: Vec<Arc<dyn Node>> = Vec::new();
    let mut next = wave;
    while let Some(node) = next.pop() {
        if seen.insert(Arc::as_ptr(&node).cast::<()>()) {
            next.extend(node.hub().dependents());
            reached.push(node);
        }
    }
    for node in reached {
        if node.hub().subscriber_count() == 0 {
            continue;
        }
        node.settle();
        for (id, callback) in node.hub().due() {
            // An earlier callback may have ended the subscription.
            if node.hub().is_subscribed(id) {
                callback();
            }
        }
    }
}
