//! Waiting: always for something that has a name, never for ever.

use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// The longest that anything may take to come about, on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(120);

const PAUSE: Duration = Duration::from_millis(30);

/// Looks until what is seen is `wanted`.
pub(crate) fn until<T: PartialEq + std::fmt::Debug>(
    what: &str,
    wanted: &T,
    mut look: impl FnMut() -> Result<T>,
) -> Result {
    let start = Instant::now();
    loop {
        let seen = look()?;
        if seen == *wanted {
            return Ok(());
        }
        if start.elapsed() > DEADLINE {
            return Err(format!("{what}: waited for {wanted:?}, and saw {seen:?}").into());
        }
        thread::sleep(PAUSE);
    }
}
