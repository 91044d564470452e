//! Time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the milliseconds since 1970 began, by this machine's clock; negative before that.
pub(crate) fn unix_millis() -> i64 {
    let now = SystemTime::now();
    let millis = |elapsed: Duration| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    match now.duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    }
}

/// Waits for this long; returns whether it did, as not every edge can.
pub(crate) fn pause(time: Duration) -> bool {
    std::thread::sleep(time);
    true
}

/// Measures how long things take that are done one after the other.
#[derive(Debug)]
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
