//! How long materializers take, for tools.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use crate::edge::Stopwatch;
use crate::event::EncodedEvent;

/// The times that materializers took, while somebody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Timings(RefCell<Option<Vec<Timing>>>);

/// An event's wire name, and how long its materializer took.
pub(crate) type Timing = (Cow<'static, str>, Duration);

/// The most times that are noted until somebody takes them.
const MAX: usize = 100_000;

impl Timings {
    /// Has times noted from now on, or no longer.
    pub(crate) fn note(&self, wanted: bool) {
        let mut timings = self.0.borrow_mut();
        if timings.is_some() != wanted {
            *timings = wanted.then(Vec::new);
        }
    }

    /// Returns the times since the last call.
    pub(crate) fn take(&self) -> Vec<Timing> {
        self.0.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Calls an event's materializer, and notes how long that took.
    pub(super) fn time<R>(&self, event: &EncodedEvent, materialize: impl FnOnce() -> R) -> R {
        if self.0.borrow().is_none() {
            return materialize();
        }
        let mut watch = Stopwatch::start();
        let result = materialize();
        if let Some(timings) = self.0.borrow_mut().as_mut().filter(|timings| timings.len() < MAX) {
            timings.push((event.name.clone(), watch.lap()));
        }
        result
    }
}
