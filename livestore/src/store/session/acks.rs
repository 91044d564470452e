//! Waiting until the leader has acknowledged a session's commits.

#[cfg(not(target_family = "wasm"))]
use std::sync::Condvar;
use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
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
    changed: Condvar,
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
    /// The thread that acknowledgements arrive on, which cannot wait for them.
    #[cfg(not(target_family = "wasm"))]
    thread: Option<std::thread::ThreadId>,
}

impl Acks {
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
        self.count().thread = Some(std::thread::current().id());
    }

    /// Waits until everything that was committed so far is acknowledged.
    ///
    /// The thread that acknowledgements arrive on, where subscribers are called, does not wait.
    #[cfg(not(target_family = "wasm"))]
    pub(in crate::store) fn wait(&self, patience: Duration) -> Result<(), EventlogError> {
        let mut count = self.count();
        let (wanted, failures) = (count.committed, count.failures);
        if count.thread == Some(std::thread::current().id()) {
            return Ok(());
        }
        while count.acknowledged < wanted {
            if count.closed {
                return Err(EventlogError::Closed);
            }
            if count.failures > failures {
                return Err(EventlogError::Unacknowledged { reason: count.reason.clone() });
            }
            let (next, timeout) =
                self.changed.wait_timeout(count, patience).unwrap_or_else(PoisonError::into_inner);
            count = next;
            if timeout.timed_out() && count.acknowledged < wanted {
                let reason = "the session that has the log does not answer".to_owned();
                return Err(EventlogError::Unacknowledged { reason });
            }
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Count)) {
        change(&mut self.count());
        #[cfg(not(target_family = "wasm"))]
        self.changed.notify_all();
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
