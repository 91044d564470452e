//! The current time and new random ids: the two things that an app puts into its events and that
//! no materializer may ask for. `purity` sees to that.

mod id_source;
mod purity;
mod test_values;

#[doc(hidden)]
pub use test_values::{TestValues, change_test_values};

pub(crate) use id_source::IdSource;
pub use purity::Impurity;
pub(crate) use purity::{is_impure, materialize};

use livestore_protocol::{ID_LENGTH, id_from_random};

use crate::edge;
use crate::value::Timestamp;

/// Returns the current time, by this machine's clock.
///
/// Call it where an event is made: the time belongs in the event. In a materializer, it makes the event
/// [fail](crate::table::MaterializeError::Impure).
///
/// ```
/// let created_at = livestore::now();
/// assert!(created_at > "2026-01-01T00:00:00Z".parse()?);
/// # Ok::<(), livestore::value::ParseTimestampError>(())
/// ```
#[must_use]
pub fn now() -> Timestamp {
    is_impure(Impurity::Clock);
    test_values::time().unwrap_or_else(|| Timestamp::from_millis(edge::unix_millis()))
}

/// Returns a new random identifier: 21 URL-safe characters with 126 random bits.
///
/// Call it where an event is made: the id belongs in the event. In a materializer, it makes the event
/// [fail](crate::table::MaterializeError::Impure).
///
/// # Panics
/// Only if the operating system has no source of randomness: there is no safe id without one.
///
/// ```
/// let id = livestore::new_id();
/// assert_eq!(id.len(), 21);
/// assert_ne!(id, livestore::new_id());
/// ```
#[must_use]
pub fn new_id() -> String {
    is_impure(Impurity::Randomness);
    if let Some(id) = test_values::next_id() {
        return id;
    }
    let mut random = [0; ID_LENGTH];
    edge::fill_random(&mut random);
    id_from_random(random)
}
