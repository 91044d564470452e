//! A worker that handles messages, one each time it runs.

use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::elapsed;
use super::schedule::{self, Again, JobId};

/// A worker's incoming messages.
pub(crate) struct Mailbox<T> {
    waiting: Mutex<VecDeque<T>>,
    /// The job that reads them; 0 if there is none.
    job: AtomicU64,
}

/// A message, or none.
pub(crate) enum Mail<T> {
    /// A message.
    Message(T),
    /// None came in time.
    Deadline,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), job: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> Duration {
        elapsed()
    }

    pub(crate) fn put(&self, message: T) {
        self.waiting().push_back(message);
        schedule::wake(self.job.load(Ordering::Relaxed));
    }

    /// Waits for the next message, which another session sends.
    pub(crate) fn take(&self, until: Option<Duration>) -> Mail<T> {
        let until = until.unwrap_or_else(elapsed);
        schedule::wait_for_sessions(until, || !self.waiting().is_empty());
        self.waiting().pop_front().map_or(Mail::Deadline, Mail::Message)
    }

    /// The next message, if it is there and `wanted`.
    pub(crate) fn take_if(&self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut waiting = self.waiting();
        if waiting.front().is_some_and(wanted) { waiting.pop_front() } else { None }
    }

    /// Messages have gathered while the world let the worker wait for its turn.
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
    /// Calls `turn` when the world runs the job: with each message, and without one once the time
    /// has passed that the last turn gave as its deadline. It goes on until a turn breaks or the
    /// worker is dropped.
    pub(crate) fn spawn(
        name: &'static str,
        mailbox: Arc<Mailbox<T>>,
        mut turn: impl FnMut(Option<T>) -> ControlFlow<(), Option<Duration>> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (theirs, mut deadline, mut ended) = (Arc::clone(&mailbox), None, false);
        let work = move || {
            let message = theirs.waiting().pop_front();
            let is_time = deadline.is_some_and(|then| then <= elapsed());
            if !ended && (message.is_some() || is_time) {
                match turn(message) {
                    ControlFlow::Continue(next) => deadline = next,
                    ControlFlow::Break(()) => (ended, deadline) = (true, None),
                }
            }
            Again { now: !ended && !theirs.waiting().is_empty(), deadline }
        };
        let job = schedule::add(name, Box::new(work));
        mailbox.job.store(job, Ordering::Relaxed);
        Ok(Self { mailbox, job })
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.mailbox.job.store(0, Ordering::Relaxed);
        schedule::remove(self.job);
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
