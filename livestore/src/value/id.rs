//! Identifiers.

use livestore_protocol::{ID_LENGTH, id_from_random};

/// Returns a new random identifier: 21 URL-safe characters, 126 random bits.
///
/// Make ids where an event is made, never in a materializer: the id belongs into the event.
///
/// # Panics
/// Never in practice: only if the operating system has no source of randomness, and there is no
/// safe id without one.
///
/// ```
/// let id = livestore::new_id();
/// assert_eq!(id.len(), 21);
/// assert_ne!(id, livestore::new_id());
/// ```
pub fn new_id() -> String {
    let mut random = [0; ID_LENGTH];
    crate::edge::fill(&mut random);
    id_from_random(random)
}
