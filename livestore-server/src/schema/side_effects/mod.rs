//! Side effects: what an event causes outside of the state, such as a mail.

mod dead;
mod journal;
mod runner;
mod worker;

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use livestore::Timestamp;
use livestore::event::{DecodeError, EncodedEvent, Event};

pub use dead::{DeadLetter, DeadLetters, RetryError};
pub(super) use runner::{News, Runner};

use crate::store::StoreId;

/// The most bytes of a name.
const MAX_NAME: usize = 64;

/// Handlers of events that act on the world: they send mail, call a webhook, take a payment.
///
/// See [the module](crate::schema#side-effects) for what is promised.
pub struct SideEffects {
    pub(super) name: String,
    handlers: HashMap<String, Handler>,
    settings: Settings,
}

/// How events are handled.
#[derive(Debug, Clone)]
struct Settings {
    attempts: u32,
    time: Duration,
    first_delay: Duration,
    max_delay: Duration,
    concurrent: usize,
    from_the_beginning: bool,
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send>>;
type Handler = Arc<dyn Fn(Delivery) -> Outcome + Send + Sync>;

/// An event that is handed to a handler.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// The store.
    pub store: StoreId,
    /// The event.
    pub event: EncodedEvent,
    /// The time at which a server accepted it.
    pub accepted_at: Timestamp,
    /// The idempotency key: the same at each attempt at this event, at any server, and no other event has
    /// it. Pass it on to whoever can use it to notice a repetition.
    pub key: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

impl Delivery {
    /// Returns the event as a Rust value.
    ///
    /// # Errors
    /// When it is not one of `E`'s events, or its args do not fit `E`.
    pub fn decode<E: Event>(&self) -> Result<E, DecodeError> {
        self.event.decode()
    }
}

/// The reason why a handler has not done its work. Any error is one to [retry](Self::Retry) after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryError {
    /// Another attempt may succeed.
    Retry(String),
    /// No attempt will: the event becomes a [dead letter](DeadLetter).
    GiveUp(String),
}

impl<E: Error + 'static> From<E> for DeliveryError {
    fn from(error: E) -> Self {
        Self::Retry(livestore::ErrorChain::new(&error).to_string())
    }
}

impl SideEffects {
    /// Returns side effects without handlers. Their progress is stored under the name, which therefore
    /// stays: up to 64 letters, digits and hyphens.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let settings = Settings {
            attempts: 20,
            time: Duration::from_secs(30),
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(300),
            concurrent: 16,
            from_the_beginning: false,
        };
        Self { name: name.to_owned(), handlers: HashMap::new(), settings }
    }

    /// Has events of this wire name handled by `handler`, and no longer by another one.
    ///
    /// It runs on the server's threads, and must not block them.
    #[must_use]
    pub fn on<F>(
        mut self,
        event: &str,
        handler: impl Fn(Delivery) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), DeliveryError>> + Send + 'static,
    {
        let handler = move |delivery| -> Outcome { Box::pin(handler(delivery)) };
        self.handlers.insert(event.to_owned(), Arc::new(handler));
        self
    }

    /// Sets the number of attempts at an event, after which it is a [dead letter](DeadLetter): 20 if it is
    /// not set.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Sets the time of an attempt, after which it is abandoned, and counts as failed: 30 seconds if it is
    /// not set.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.settings.time = time;
        self
    }

    /// Sets the pauses between attempts: the first, which doubles each time, and the longest. 1 second and
    /// 5 minutes if they are not set.
    #[must_use]
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        (self.settings.first_delay, self.settings.max_delay) = (first, longest.max(first));
        self
    }

    /// Sets the most handlers that run at a time: 16 if it is not set. Those of one store never do.
    #[must_use]
    pub fn concurrent(mut self, concurrent: usize) -> Self {
        self.settings.concurrent = concurrent.max(1);
        self
    }

    /// Handles the events, too, that were there before side effects of this name were started for the
    /// first time. Without this, they are not handled.
    #[must_use]
    pub fn from_the_beginning(mut self) -> Self {
        self.settings.from_the_beginning = true;
        self
    }

    /// Returns the problem with the name or a handler, if there is one.
    pub(super) fn problem(&self, is_known: impl Fn(&str) -> bool) -> Option<String> {
        let name = &self.name;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(allowed) {
            let rule = "it has to be up to 64 letters, digits and hyphens";
            return Some(format!("side effects cannot be called `{name}`: {rule}"));
        }
        let unknown = self.handlers.keys().find(|event| !is_known(event))?;
        Some(format!(
            "the side effects `{name}` handle `{unknown}`, which the schema does not have"
        ))
    }
}

impl fmt::Debug for SideEffects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: Vec<_> = self.handlers.keys().collect();
        f.debug_struct("SideEffects").field("name", &self.name).field("events", &events).finish()
    }
}

impl Settings {
    /// The pause after this many failed attempts.
    fn delay(&self, attempts: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_delay.saturating_mul(doubled).min(self.max_delay)
    }

    /// The time without a sign of another server after which its work is taken over. A server that works
    /// gives a sign at least once in an attempt's time.
    fn lease(&self) -> Duration {
        2 * self.time + Duration::from_secs(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end() {
        let effects = SideEffects::new("x").delays(Duration::from_secs(1), Duration::from_secs(9));
        let delays = [1, 2, 3, 4, 5, 33, u32::MAX].map(|n| effects.settings.delay(n).as_secs());
        assert_eq!(delays, [1, 2, 4, 8, 9, 9, 9]);
    }

    #[test]
    fn what_cannot_work_is_said() {
        let on = |name: &str| SideEffects::new(name).on("v1.A", async |_| Ok(()));
        let known = |event: &str| event == "v1.A";
        assert_eq!(on("mail-2").problem(known), None);
        for name in ["", "a/b", "ä", &"x".repeat(65)] {
            assert!(on(name).problem(known).unwrap().contains("called"));
        }
        let other = on("mail").on("v1.B", async |_| Ok(()));
        assert!(other.problem(known).unwrap().contains("v1.B"));
    }
}
