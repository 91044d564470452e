//! A thread that handles messages, one after the other, and wakes by itself at a deadline.

use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A thread's incoming messages.
pub(crate) struct Mailbox<T> {
    post: Mutex<Post<T>>,
    arrived: Condvar,
    /// The moment that times are counted from.
    epoch: Instant,
}

struct Post<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

/// The result of waiting for a message.
pub(crate) enum Mail<T> {
    /// A message.
    Message(T),
    /// No message came before the deadline.
    Deadline,
    /// There will be no more messages.
    Closed,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let post = Mutex::new(Post { waiting: VecDeque::new(), closed: false });
        Self { post, arrived: Condvar::new(), epoch: Instant::now() }
    }

    /// The time since the mailbox was made.
    pub(crate) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(crate) fn put(&self, message: T) {
        self.post().waiting.push_back(message);
        self.arrived.notify_one();
    }

    /// Ends the thread; what waits is not read any more.
    pub(crate) fn close(&self) {
        self.post().closed = true;
        self.arrived.notify_all();
    }

    /// Waits for a message, or until `deadline`.
    pub(crate) fn take(&self, deadline: Option<Duration>) -> Mail<T> {
        let mut post = self.post();
        loop {
            if post.closed {
                return Mail::Closed;
            }
            if let Some(message) = post.waiting.pop_front() {
                return Mail::Message(message);
            }
            post = match deadline.map(|deadline| deadline.saturating_sub(self.now())) {
                Some(Duration::ZERO) => return Mail::Deadline,
                Some(left) => {
                    let waited = self.arrived.wait_timeout(post, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.arrived.wait(post).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// The next message, if it is there and `wanted`.
    pub(crate) fn take_if(&self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut post = self.post();
        if post.waiting.front().is_some_and(wanted) { post.waiting.pop_front() } else { None }
    }

    /// Lets messages gather until then.
    pub(crate) fn rest(&self, until: Duration) {
        let mut post = self.post();
        while !post.closed {
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            let waited = self.arrived.wait_timeout(post, left);
            post = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn post(&self) -> MutexGuard<'_, Post<T>> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread with a mailbox.
pub(crate) struct Worker<T> {
    mailbox: Arc<Mailbox<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Worker<T> {
    /// Calls `turn` on a thread of its own: with each message, and without one once the time
    /// has passed that the last turn gave as its deadline. It goes on until a turn breaks or the
    /// worker is dropped.
    ///
    /// # Errors
    /// When the operating system has no thread left.
    pub(crate) fn spawn(
        name: &str,
        mailbox: Arc<Mailbox<T>>,
        mut turn: impl FnMut(Option<T>) -> ControlFlow<(), Option<Duration>> + Send + 'static,
    ) -> std::io::Result<Self> {
        let theirs = Arc::clone(&mailbox);
        let run = move || {
            let mut deadline = None;
            loop {
                let next = match theirs.take(deadline) {
                    Mail::Message(message) => turn(Some(message)),
                    Mail::Deadline => turn(None),
                    Mail::Closed => return,
                };
                match next {
                    ControlFlow::Continue(next) => deadline = next,
                    ControlFlow::Break(()) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { mailbox, thread: Some(thread) })
    }
}

/// Ends the thread and waits for it, unless it is the thread itself that drops it.
impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.mailbox.close();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_order_and_a_deadline_ends_the_wait() {
        let mailbox = Mailbox::new();
        mailbox.put(1);
        mailbox.put(2);
        assert!(matches!(mailbox.take(None), Mail::Message(1)));
        assert_eq!(mailbox.take_if(|n| *n == 1), None);
        assert_eq!(mailbox.take_if(|n| *n == 2), Some(2));
        assert!(matches!(mailbox.take(Some(Duration::from_millis(1))), Mail::Deadline));
        let until = mailbox.now() + Duration::from_millis(2);
        mailbox.put(3);
        mailbox.rest(until);
        assert!(mailbox.now() >= until);
        assert!(matches!(mailbox.take(None), Mail::Message(3)));
        mailbox.close();
        mailbox.rest(until + Duration::from_secs(3_600));
        assert!(matches!(mailbox.take(None), Mail::Closed));
    }
}
