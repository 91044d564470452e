use std::fmt;
use std::sync::Arc;

/// Which store: any text, told apart byte by byte. It never names a file or a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(Arc<str>);

/// A text that cannot be a store id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a store id has 1 to {} bytes, and this one has {bytes}", StoreId::LONGEST)]
pub struct StoreIdError {
    bytes: usize,
}

impl StoreId {
    /// The longest id, in bytes.
    pub const LONGEST: usize = 512;

    /// The store called `id`.
    pub fn new(id: &str) -> Result<Self, StoreIdError> {
        match id.len() {
            1..=Self::LONGEST => Ok(Self(id.into())),
            bytes => Err(StoreIdError { bytes }),
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
