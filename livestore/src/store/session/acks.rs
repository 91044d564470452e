//! Waiting until the leader has acknowledged a session's commits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
use crate::edge::{Condition, Task, current_task};
use crate::eventlog::EventlogError;

/// The longest wait for a leader that does not answer.
#[cfg(not(target_family = "wasm"))]
pub(in crate::store) const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time that closing a session takes because of its leader.
#[cfg(not(target_family = "wasm"))]
pub(in crate::store) const CLOSING: Duration = Duration::from_secs(5);

/// How many of a session's events the leader has acknowledged.
#[derive(Debug, Default)]
pub(in crate::store) struct Acks {
    count: Mutex<Count>,
    #[cfg(not(target_family = "wasm"))]
    changed: Condition,
}

#[derive(Debug, Default)]
struct Count {
    committed: u64,
    acknowledged: u64,
    /// The number of times that the leader could not write, or that there was none.
    failures: u64,
    /// The last reason.
    reason: String,
    closed: bool,
    /// Tasks that wait.
    wakers: Vec<Waker>,
    /// The thread that acknowledgements arrive on, which cannot wait for them.
    #[cfg(not(target_family = "wasm"))]
    arrive_on: Option<Task>,
}

/// What somebody waits for.
#[derive(Debug)]
pub(in crate::store) struct Awaited {
    committed: u64,
    failures: u64,
}

impl Count {
    /// Whether it has happened; `None` if that is not decided.
    fn outcome(&self, awaited: &Awaited) -> Option<Result<(), EventlogError>> {
        if self.acknowledged >= awaited.committed {
            return Some(Ok(()));
        }
        if self.closed {
            return Some(Err(EventlogError::Closed));
        }
        let has_failed = self.failures > awaited.failures;
        let reason = || self.reason.clone();
        has_failed.then(|| Err(EventlogError::Unacknowledged { reason: reason() }))
    }

    fn awaited(&self) -> Awaited {
        Awaited { committed: self.committed, failures: self.failures }
    }
}

impl Acks {
    /// Everything that was committed so far.
    pub(in crate::store) fn awaited(&self) -> Awaited {
        self.count().awaited()
    }

    /// Polls for acknowledgements; the task is woken when there are some.
    pub(in crate::store) fn poll(
        &self,
        awaited: &Awaited,
        context: &Context<'_>,
    ) -> Poll<Result<(), EventlogError>> {
        let mut count = self.count();
        if let Some(outcome) = count.outcome(awaited) {
            return Poll::Ready(outcome);
        }
        if !count.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            count.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Counts events that were committed here.
    pub(in crate::store) fn committed(&self, events: usize) {
        self.count().committed += events as u64;
    }

    /// Notes how many of them the leader has not acknowledged.
    pub(in crate::store) fn left(&self, events: usize) {
        self.change(|count| count.acknowledged = count.committed - events as u64);
    }

    /// Notes that the leader could not write, or cannot be found. The reason is for people.
    pub(in crate::store) fn failed(&self, reason: String) {
        self.change(|count| {
            count.failures += 1;
            count.reason = reason;
        });
    }

    /// Ends all waiting.
    pub(in crate::store) fn close(&self) {
        self.change(|count| count.closed = true);
    }

    /// Notes that acknowledgements arrive on this thread.
    #[cfg(not(target_family = "wasm"))]
    pub(in crate::store) fn arrive_here(&self) {
        self.count().arrive_on = Some(current_task());
    }

    /// Waits until everything that was committed so far is acknowledged.
    ///
    /// The thread that acknowledgements arrive on, where subscribers are called, does not wait.
    #[cfg(not(target_family = "wasm"))]
    pub(in crate::store) fn wait(&self, patience: Duration) -> Result<(), EventlogError> {
        let mut count = self.count();
        let awaited = count.awaited();
        if count.arrive_on == Some(current_task()) {
            return Ok(());
        }
        loop {
            if let Some(outcome) = count.outcome(&awaited) {
                return outcome;
            }
            let (next, is_over) = self.changed.wait_timeout(&self.count, count, patience);
            count = next;
            if is_over && count.outcome(&awaited).is_none() {
                let reason = "the session that has the log does not answer".to_owned();
                return Err(EventlogError::Unacknowledged { reason });
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Count)) {
        let mut count = self.count();
        change(&mut count);
        let wakers = std::mem::take(&mut count.wakers);
        drop(count);
        #[cfg(not(target_family = "wasm"))]
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
