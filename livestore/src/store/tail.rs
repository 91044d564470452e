//! Waiting for new confirmed events.

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
        let end = End { head, closed: false, wakers: Vec::new() };
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

    /// Sets the last confirmed event, and wakes those who wait.
    pub(super) fn advance(&self, head: SeqNum) {
        self.change(|end| end.head = head);
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
        let mut end = self.end();
        if let Some(status) = end.status(seen) {
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
        if is_after(self.head, seen) {
            Some(TailStatus::Advanced)
        } else {
            self.closed.then_some(TailStatus::Closed)
        }
    }
}
