//! A worker that handles messages on the event loop, one in each turn.

use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::elapsed;
use super::event_loop::{self, JobId};

/// A worker's incoming messages. Nobody waits for one: with one thread, waiting would not bring any.
pub(crate) struct Mailbox<T> {
    waiting: Mutex<VecDeque<T>>,
    /// The job that reads them; 0 if there is none.
    job: AtomicU64,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), job: AtomicU64::new(0) }
    }

    /// The time by the mailbox's clock.
    #[expect(clippy::unused_self, reason = "other edges have a clock for each mailbox")]
    pub(crate) fn now(&self) -> Duration {
        elapsed()
    }

    pub(crate) fn put(&self, message: T) {
        self.waiting().push_back(message);
        event_loop::wake(self.job.load(Ordering::Relaxed));
    }

    /// The next message, if it is there and `wanted`.
    pub(crate) fn take_if(&self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut waiting = self.waiting();
        if waiting.front().is_some_and(wanted) { waiting.pop_front() } else { None }
    }

    /// Messages gather while other work is done.
    #[expect(clippy::unused_self, reason = "other edges wait here")]
    pub(crate) fn rest(&self, _until: Duration) {}

    fn waiting(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job with a mailbox.
pub(crate) struct Worker<T> {
    mailbox: Arc<Mailbox<T>>,
    job: JobId,
}

impl<T: Send + 'static> Worker<T> {
    /// Calls `turn` from the event loop: with each message, and without one once the time has passed
    /// that the last turn gave as its deadline. It goes on until a turn breaks or the worker is dropped.
    ///
    /// # Errors
    /// When there is no event loop.
    pub(crate) fn spawn(
        _: &str,
        mailbox: Arc<Mailbox<T>>,
        mut turn: impl FnMut(Option<T>) -> ControlFlow<(), Option<Duration>> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (theirs, mut deadline, mut has_ended) = (Arc::clone(&mailbox), None, false);
        let work = move || {
            let message = theirs.waiting().pop_front();
            let is_time = deadline.is_some_and(|then| then <= elapsed());
            if !has_ended && (message.is_some() || is_time) {
                match turn(message) {
                    ControlFlow::Continue(next) => deadline = next,
                    ControlFlow::Break(()) => (has_ended, deadline) = (true, None),
                }
            }
            if !has_ended && !theirs.waiting().is_empty() {
                return Some(Duration::ZERO);
            }
            deadline.map(|then| then.saturating_sub(elapsed()))
        };
        let job = event_loop::add(Box::new(work))?;
        mailbox.job.store(job, Ordering::Relaxed);
        if !mailbox.waiting().is_empty() {
            event_loop::wake(job);
        }
        Ok(Self { mailbox, job })
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.mailbox.job.store(0, Ordering::Relaxed);
        event_loop::remove(self.job);
    }
}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
