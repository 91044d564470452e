//! Time: it passes when the world says so.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static ELAPSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static WALL: Cell<i64> = const { Cell::new(0) };
}

/// Returns the milliseconds since 1970 began, by this machine's clock.
pub(crate) fn unix_millis() -> i64 {
    WALL.get()
}

/// Does not wait: in one thread, nothing would happen meanwhile.
pub(crate) fn pause(_: Duration) -> bool {
    false
}

/// Sets the wall clock, forward or back, as people and time servers do: to this number of
/// milliseconds after 1970 began.
pub fn set_wall_clock(unix_millis: i64) {
    WALL.set(unix_millis);
}

/// The time that has passed in this world. It only ever grows.
pub fn elapsed() -> Duration {
    ELAPSED.get()
}

/// Lets time pass, by all clocks.
pub fn pass(time: Duration) {
    ELAPSED.set(ELAPSED.get() + time);
    WALL.set(WALL.get().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)));
}

/// Forgets the time: a new world begins.
pub(super) fn reset() {
    ELAPSED.set(Duration::ZERO);
    WALL.set(0);
}

/// Measures how long things take that are done one after the other.
#[derive(Debug)]
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(elapsed())
    }

    /// The time since the start, or the last lap.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = elapsed();
        now - std::mem::replace(&mut self.0, now)
    }
}
