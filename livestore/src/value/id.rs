//! Identifiers.

/// As in `nanoid`, which LiveStore uses: 64 letters that need no escaping anywhere.
const ALPHABET: &[u8; 64] = b"useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict";
const LENGTH: usize = 21;

/// A new random identifier: 21 URL-safe characters, 126 random bits.
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
    let mut bytes = [0u8; LENGTH];
    crate::edge::fill(&mut bytes);
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)))
        .map(|&letter| char::from(letter))
        .collect()
}
