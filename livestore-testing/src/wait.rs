//! Waiting for what happens on another thread.

#![expect(clippy::disallowed_methods, reason = "tests are an edge: they have threads and a clock")]

use std::thread::sleep;
use std::time::{Duration, Instant};

/// The time after which a wait gives up. It is far more than anything takes, so that a slow machine
/// fails no test.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// The time between two looks at a condition.
const INTERVAL: Duration = Duration::from_millis(1);

/// Waits until `condition` is true.
///
/// ```
/// use livestore_testing::wait_until;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// let done = AtomicBool::new(false);
/// std::thread::scope(|scope| {
///     scope.spawn(|| done.store(true, Ordering::Relaxed));
///     wait_until(|| done.load(Ordering::Relaxed));
/// });
/// ```
///
/// # Panics
/// If that takes longer than [`TIMEOUT`].
#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let done = poll(TIMEOUT, || condition().then_some(()));
    assert!(done.is_some(), "the condition is still false after {} s", TIMEOUT.as_secs());
}

/// Asks `poll` again and again, for its first answer within the time.
pub(crate) fn poll<T>(timeout: Duration, mut poll: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        // The time is taken first: a process that slept is asked once more.
        let is_last = start.elapsed() >= timeout;
        let answer = poll();
        if answer.is_some() || is_last {
            return answer;
        }
        sleep(INTERVAL);
    }
}
