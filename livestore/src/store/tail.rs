//! Who waits for new events, and is woken.

#[cfg(not(target_family = "wasm"))]
use std::sync::Condvar;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::event::SeqNum;
use crate::eventlog::is_after;

/// The end of what is confirmed, for followers.
#[derive(Debug)]
pub(super) struct Tail {
    end: Mutex<End>,
    #[cfg(not(target_family = "wasm"))]
    moved: Condvar,
}

#[derive(Debug)]
struct End {
    head: SeqNum,
    closed: bool,
    wakers: Vec<Waker>,
}

/// What a follower finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// There are events.
    Events,
    /// There will never be any.
    Closed,
}

impl Tail {
    pub(super) fn new(head: SeqNum) -> Self {
        let end = End { head, closed: false, wakers: Vec::new() };
        Self {
            end: Mutex::new(end),
            #[cfg(not(target_family = "wasm"))]
            moved: Condvar::new(),
        }
    }

    /// The last confirmed event.
    pub(super) fn head(&self) -> SeqNum {
        self.end().head
    }

    /// The last confirmed event is `head` now.
    pub(super) fn advance(&self, head: SeqNum) {
        self.change(|end| end.head = head);
    }

    /// The log ends here.
    pub(super) fn close(&self) {
        self.change(|end| end.closed = true);
    }

    /// Waits until there are events after `seen`.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn wait(&self, seen: SeqNum) -> News {
        let mut end = self.end();
        loop {
            match end.news(seen) {
                Some(news) => return news,
                None => end = self.moved.wait(end).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// The same, for a task.
    pub(super) fn poll(&self, seen: SeqNum, context: &Context<'_>) -> Poll<News> {
        let mut end = self.end();
        if let Some(news) = end.news(seen) {
            return Poll::Ready(news);
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
        self.moved.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn news(&self, seen: SeqNum) -> Option<News> {
        if is_after(self.head, seen) {
            Some(News::Events)
        } else {
            self.closed.then_some(News::Closed)
        }
    }
}
