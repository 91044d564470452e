//! The hash by which the contents of files are compared.

use xxhash_rust::xxh3::xxh3_128;

/// A hash of the contents of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hash(u128);

impl Hash {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(xxh3_128(bytes))
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Returns eight letters and digits, for names of files.
    pub(crate) fn short(self) -> String {
        format!("{:08x}", self.0 >> 96)
    }
}
