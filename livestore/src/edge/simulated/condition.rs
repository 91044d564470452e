//! Waiting for what other sessions do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::elapsed;
use super::schedule;

/// What [`std::sync::Condvar`] is to threads.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// How often somebody was notified.
    notified: AtomicU64,
}

impl Condition {
    pub(crate) fn notify_all(&self) {
        self.notified.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until it is notified, or for as long as this. Returns whether the time is over.
    pub(crate) fn wait_timeout<'m, T>(
        &self,
        mutex: &'m Mutex<T>,
        guard: MutexGuard<'m, T>,
        time: Duration,
    ) -> (MutexGuard<'m, T>, bool) {
        drop(guard);
        let before = self.notified.load(Ordering::Relaxed);
        let is_notified = || self.notified.load(Ordering::Relaxed) != before;
        let in_time = schedule::wait_for_sessions(elapsed() + time, is_notified);
        (mutex.lock().unwrap_or_else(PoisonError::into_inner), !in_time)
    }
}
