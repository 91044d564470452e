//! Ids: of stores, which apps choose, and random ones.

use std::fmt;
use std::sync::Arc;

/// As in `nanoid`, which LiveStore uses: 64 characters that need no escaping anywhere.
const ALPHABET: &[u8; 64] = b"useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict";

/// The number of characters of a random id, and of the bytes that it is made of.
pub const ID_LENGTH: usize = 21;

/// Returns an id made of random bytes: 21 URL-safe characters, 126 random bits, as `nanoid` makes
/// them.
///
/// Ids of backends have this form, and so have those of clients, sessions and rows in LiveStore's
/// own code. No end of a connection may rely on it: an id that is received is any text.
///
/// ```
/// assert_eq!(livestore_protocol::id_from_random([0; 21]), "uuuuuuuuuuuuuuuuuuuuu");
/// ```
pub fn id_from_random(random: [u8; ID_LENGTH]) -> String {
    let letters = random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
    let mut id = String::with_capacity(ID_LENGTH);
    id.extend(letters.map(|&letter| char::from(letter)));
    id
}

/// The id of a store: any text of 1 to 512 bytes. Ids are equal only byte for byte.
///
/// A client that names files by it accepts fewer ids than a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(Arc<str>);

/// A text that cannot be a store id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a store id has 1 to {} bytes, and this one has {bytes}", StoreId::MAX_BYTES)]
pub struct StoreIdError {
    bytes: usize,
}

impl StoreId {
    /// The most bytes of an id.
    pub const MAX_BYTES: usize = 512;

    /// Returns the id, if the text can be one.
    ///
    /// # Errors
    /// If the text is empty or too long.
    pub fn new(id: &str) -> Result<Self, StoreIdError> {
        match id.len() {
            1..=Self::MAX_BYTES => Ok(Self(id.into())),
            bytes => Err(StoreIdError { bytes }),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
