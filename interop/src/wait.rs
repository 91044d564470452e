//! Waiting: always for something that has a name, never for ever.

use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// The longest that anything may take to come about. LiveStore's client was seen to take 127 s to push
/// 1,000 events over HTTP on a busy machine, and 12 s on a quiet one.
const DEADLINE: Duration = Duration::from_secs(180);

const PAUSE: Duration = Duration::from_millis(20);

/// Asks `look` until it gives something. `None` goes on; when time is up, `last` says how far it got.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<Look<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        let last = match look()? {
            Look::There(value) => return Ok(value),
            Look::NotYet(last) => last,
        };
        if start.elapsed() > DEADLINE {
            return Err(format!("waited {DEADLINE:?} for {what}; at last: {last}").into());
        }
        thread::sleep(PAUSE);
    }
}

/// The value that was seen.
pub(crate) enum Look<T> {
    /// That which one waited for.
    There(T),
    /// Something else, for people.
    NotYet(String),
}

impl Look<()> {
    /// There if `there`; else `seen` says what was there instead.
    pub(crate) fn when(there: bool, seen: impl FnOnce() -> String) -> Self {
        if there { Self::There(()) } else { Self::NotYet(seen()) }
    }
}
