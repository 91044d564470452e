//! From a change on any thread to an update on the thread of the event loop.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Weak;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What is updated on the thread of the event loop.
pub(crate) trait Update {
    fn update(&self);
}

thread_local! {
    /// What this thread updates, by the ids that other threads send.
    static UPDATES: RefCell<HashMap<u64, Weak<dyn Update>>> = RefCell::default();
}

/// An entry among this thread's updates, which is removed when this is dropped.
pub(crate) struct Registration(u64);

impl Registration {
    /// `update` may not be constructed yet.
    pub(crate) fn new(update: Weak<dyn Update>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        UPDATES.with_borrow_mut(|updates| updates.insert(id, update));
        Self(id)
    }

    /// Returns a callback for any thread. It queues one update, which shows all changes until it runs.
    pub(crate) fn callback<V>(&self) -> impl FnMut(&V) + Send + use<V> {
        let (id, is_queued) = (self.0, Arc::new(AtomicBool::new(false)));
        move |_| {
            if is_queued.swap(true, Ordering::AcqRel) {
                return;
            }
            let queued = Arc::clone(&is_queued);
            let result = slint::invoke_from_event_loop(move || {
                // First, so that a change during the update leads to another one.
                queued.store(false, Ordering::Release);
                run(id);
            });
            // There is no event loop, yet or any more. The next change tries again.
            if result.is_err() {
                is_queued.store(false, Ordering::Release);
            }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // A thread that ends has no more updates to run.
        let _ = UPDATES.try_with(|updates| updates.borrow_mut().remove(&self.0));
    }
}

fn run(id: u64) {
    let update = UPDATES.with_borrow(|updates| updates.get(&id).and_then(Weak::upgrade));
    if let Some(update) = update {
        update.update();
    }
}
