//! Waiting for another thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A [`Condvar`] for which a simulator can have a stand-in.
#[derive(Debug, Default)]
pub(crate) struct Condition(Condvar);

impl Condition {
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits until it is notified, or for as long as this. Returns whether the time is over.
    pub(crate) fn wait_timeout<'m, T>(
        &self,
        _: &'m Mutex<T>,
        guard: MutexGuard<'m, T>,
        time: Duration,
    ) -> (MutexGuard<'m, T>, bool) {
        let waited = self.0.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner);
        (waited.0, waited.1.timed_out())
    }
}

/// A thread.
pub(crate) type Task = std::thread::ThreadId;

/// The thread that this is called on.
pub(crate) fn current_task() -> Task {
    std::thread::current().id()
}
