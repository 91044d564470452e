//! Waiting for new confirmed events, or for any change of the log.

#[cfg(not(target_family = "wasm"))]
use std::sync::Condvar;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::event::SeqNum;
use crate::eventlog::is_after;

/// The end of the confirmed events, for readers that wait for more.
#[derive(Debug)]
pub(super) struct Tail {
    end: Mutex<End>,
    #[cfg(not(target_family = "wasm"))]
    advanced: Condvar,
}

#[derive(Debug)]
struct End {
    head: SeqNum,
    /// The number of changes of the log so far, those of pending events included.
    changes: u64,
    closed: bool,
    wakers: Vec<Waker>,
}

/// The outcome of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailStatus {
    /// There are new events.
    Advanced,
    /// The store is closed: there will be no more events.
    Closed,
}

impl Tail {
    pub(super) fn new(head: SeqNum) -> Self {
        let end = End { head, changes: 0, closed: false, wakers: Vec::new() };
        Self {
            end: Mutex::new(end),
            #[cfg(not(target_family = "wasm"))]
            advanced: Condvar::new(),
        }
    }

    /// Returns the last confirmed event.
    pub(super) fn head(&self) -> SeqNum {
        self.end().head
    }

    /// Returns the number of changes of the log so far.
    pub(super) fn changes(&self) -> u64 {
        self.end().changes
    }

    /// Sets the last confirmed event after a change of the log, and wakes those who wait.
    pub(super) fn advance(&self, head: SeqNum) {
        self.change(|end| {
            end.head = head;
            end.changes += 1;
        });
    }

    /// Wakes those who wait: there will be no more events.
    pub(super) fn close(&self) {
        self.change(|end| end.closed = true);
    }

    /// Waits until there are events after `seen`.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn wait(&self, seen: SeqNum) -> TailStatus {
        let mut end = self.end();
        loop {
            match end.status(seen) {
                Some(status) => return status,
                None => end = self.advanced.wait(end).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Polls for events after `seen`; the task is woken when there are some.
    pub(super) fn poll(&self, seen: SeqNum, context: &Context<'_>) -> Poll<TailStatus> {
        self.poll_status(context, |end| end.status(seen))
    }

    /// Polls for a change of the log after the first `seen` ones; the task is woken when there is one.
    pub(super) fn poll_changes(&self, seen: u64, context: &Context<'_>) -> Poll<TailStatus> {
        self.poll_status(context, |end| end.status_if(end.changes > seen))
    }

    fn poll_status(
        &self,
        context: &Context<'_>,
        status: impl FnOnce(&End) -> Option<TailStatus>,
    ) -> Poll<TailStatus> {
        let mut end = self.end();
        if let Some(status) = status(&end) {
            return Poll::Ready(status);
        }
        if !end.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            end.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn change(&self, change: impl FnOnce(&mut End)) {
        let mut end = self.end();
        change(&mut end);
        let wakers = std::mem::take(&mut end.wakers);
        drop(end);
        #[cfg(not(target_family = "wasm"))]
        self.advanced.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn status(&self, seen: SeqNum) -> Option<TailStatus> {
        self.status_if(is_after(self.head, seen))
    }

    fn status_if(&self, has_advanced: bool) -> Option<TailStatus> {
        if has_advanced {
            Some(TailStatus::Advanced)
        } else {
            self.closed.then_some(TailStatus::Closed)
        }
    }
}
