//! Time: it passes when the world says so.

use std::cell::Cell;
use std::time::Duration;

use crate::value::Timestamp;

thread_local! {
    static ELAPSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static WALL: Cell<i64> = const { Cell::new(0) };
}

/// The time now, by this machine's clock.
pub fn now() -> Timestamp {
    Timestamp::from_millis(WALL.get())
}

/// Sets the wall clock, forward or back, as people and time servers do.
pub fn set_wall_clock(now: Timestamp) {
    WALL.set(now.as_millis());
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

/// Says how long things take that are done one after the other.
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
