//! Messages that wait, because a tool has asked for a slow network.

use std::collections::VecDeque;
use std::time::Duration;

use crate::sync::BackendMessage;
use crate::sync::engine::Effect;

/// A message to or from the backend.
pub(super) enum Message {
    Receive(BackendMessage),
    Send(Effect),
}

/// The messages of one connection that wait, in the order in which they are due.
#[derive(Default)]
pub(super) struct Delayed {
    pub(super) delay: Duration,
    waiting: VecDeque<(Duration, Message)>,
}

impl Delayed {
    /// Returns the message, unless it has to wait.
    pub(super) fn pass(&mut self, message: Message, now: Duration) -> Option<Message> {
        if self.delay.is_zero() && self.waiting.is_empty() {
            return Some(message);
        }
        let last = self.waiting.back().map_or(Duration::ZERO, |(due, _)| *due);
        self.waiting.push_back((last.max(now + self.delay), message));
        None
    }

    /// When the next message is due.
    pub(super) fn due(&self) -> Option<Duration> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// Returns the next message that is due.
    pub(super) fn next(&mut self, now: Duration) -> Option<Message> {
        let is_due = self.due().is_some_and(|due| due <= now);
        is_due.then(|| self.waiting.pop_front().map(|(_, message)| message)).flatten()
    }

    /// Forgets what waits: its connection has ended.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}
