//! Time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::value::Timestamp;

/// The time now, by this machine's clock.
///
/// Ask for it where an event is made, never in a materializer: the time belongs into the event.
///
/// ```
/// let created_at = livestore::now();
/// assert!(created_at > "2026-01-01T00:00:00Z".parse()?);
/// # Ok::<(), livestore::value::ParseTimestampError>(())
/// ```
pub fn now() -> Timestamp {
    let now = SystemTime::now();
    let millis = |elapsed: Duration| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(match now.duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}

/// Says how long things take that are done one after the other.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start, or the last lap.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}
