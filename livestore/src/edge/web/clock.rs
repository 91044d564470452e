//! Time, from JavaScript's `Date`.

use std::time::Duration;

/// Returns the milliseconds since 1970 began, by this machine's clock; negative before that.
pub(crate) fn unix_millis() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a `Date` is whole, and has 54 bits")]
    let millis = js_sys::Date::now() as i64;
    millis
}

/// Does not wait: nothing would happen meanwhile.
pub(crate) fn pause(_: Duration) -> bool {
    false
}

/// Measures how long things take that are done one after the other, to the millisecond.
pub(crate) struct Stopwatch(i64);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(unix_millis())
    }

    /// The time since the start, or the last lap; zero if the clock was set back meanwhile.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = unix_millis();
        let elapsed = now.saturating_sub(std::mem::replace(&mut self.0, now));
        Duration::from_millis(u64::try_from(elapsed).unwrap_or_default())
    }
}
