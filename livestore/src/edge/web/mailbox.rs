//! A queue of messages. Nobody waits for one: with one thread, waiting would not bring any.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::unix_millis;

/// A worker's incoming messages.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    waiting: Mutex<VecDeque<T>>,
    /// The moment that times are counted from.
    epoch: i64,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), epoch: unix_millis() }
    }

    /// The time since the mailbox was made.
    pub(crate) fn now(&self) -> Duration {
        let elapsed = unix_millis().saturating_sub(self.epoch);
        Duration::from_millis(u64::try_from(elapsed).unwrap_or_default())
    }

    pub(crate) fn put(&self, message: T) {
        self.waiting().push_back(message);
    }

    /// The next message, if it is there and `wanted`.
    pub(crate) fn take_if(&self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut waiting = self.waiting();
        if waiting.front().is_some_and(wanted) { waiting.pop_front() } else { None }
    }

    /// Messages gather while other work is done.
    pub(crate) fn rest(&self, _until: Duration) {}

    fn waiting(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
