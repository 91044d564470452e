//! Time, randomness and files, which a simulator replaces: `--cfg simulation`.
#![cfg_attr(
    not(simulation),
    expect(clippy::disallowed_methods, reason = "this is the edge: the rest asks here")
)]

#[cfg(not(simulation))]
pub(crate) use std::fs;
#[cfg(not(simulation))]
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(not(simulation))]
use livestore_protocol::Timestamp;
use livestore_protocol::{ID_LENGTH, id_from_random};

#[cfg(simulation)]
pub(crate) use livestore::now;
#[cfg(simulation)]
pub(crate) use livestore::simulation::fs;

/// Returns the time now, by this machine's clock.
#[cfg(not(simulation))]
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now();
    let millis = |elapsed: Duration| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(match now.duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}

/// Returns a new random id.
pub(crate) fn new_id() -> Result<String, getrandom::Error> {
    let mut random = [0; ID_LENGTH];
    #[cfg(not(simulation))]
    getrandom::fill(&mut random)?;
    #[cfg(simulation)]
    livestore::simulation::fill_random(&mut random);
    Ok(id_from_random(random))
}
