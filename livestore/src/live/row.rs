//! Rows of live queries, which are compared by a fingerprint of their values.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::table::{RowError, RowReader};
use crate::value::Value;

/// A row of a live query's value. It derefs to the row; a clone shares it.
pub struct SharedRow<T>(Arc<Inner<T>>);

struct Inner<T> {
    row: T,
    fingerprint: RowFingerprint,
}

/// A hash of the values that a query returns of a row: rows with the same values have the same. 0
/// for rows that are never compared.
pub(super) type RowFingerprint = u64;

impl<T> SharedRow<T> {
    /// A row that is never compared.
    pub(super) fn new(row: T) -> Self {
        Self(Arc::new(Inner { row, fingerprint: 0 }))
    }

    /// Reads a row, and the fingerprint of its first `width` columns.
    pub(super) fn read(
        row: &RowReader<'_>,
        width: usize,
        decode: fn(&RowReader<'_>) -> Result<T, RowError>,
    ) -> Result<Self, RowError> {
        let add = |fingerprint, index| Ok(with_value(fingerprint, &row.get_ref(index)?));
        let fingerprint = (0..width).try_fold(0, add)?;
        Ok(Self(Arc::new(Inner { row: decode(row)?, fingerprint })))
    }

    /// A row that is made of others, of which these are the fingerprints.
    pub(super) fn of_parts(row: T, parts: &[RowFingerprint]) -> Self {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
        Self(Arc::new(Inner { row, fingerprint: xxh3_64_with_seed(&bytes, 0) }))
    }

    pub(super) fn fingerprint(&self) -> RowFingerprint {
        self.0.fingerprint
    }

    /// Whether both rows are known to have the same values: they are one row, or the hashes of all their
    /// values are equal.
    ///
    /// It costs the same however wide the row is. Lists on a screen use it to find the rows to draw again.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("notes").open()?;
    /// store.commit([added("milk"), added("bread")])?;
    /// let notes = store.live(Note::all().order_by(Note::ID.asc()))?;
    /// let before = notes.get();
    /// store.commit(NoteEvent::Changed { id: "milk".into(), text: "2 litres".into() })?;
    /// let after = notes.get();
    /// let is_same = |at| Some(before.get(at)?.matches(after.get(at)?));
    /// assert_eq!((is_same(0), is_same(1)), (Some(true), Some(false)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn matches(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.fingerprint() != 0 && self.fingerprint() == other.fingerprint())
    }

    /// Whether both rows are there and match, or neither is there.
    pub(super) fn both_match(left: Option<&Self>, right: Option<&Self>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => left.matches(right),
            (left, right) => left.is_none() && right.is_none(),
        }
    }
}

/// The fingerprint of a row with one more value.
fn with_value(fingerprint: RowFingerprint, value: &Value<'_>) -> RowFingerprint {
    let (kind, bytes): (u64, &[u8]) = match value {
        Value::Null => (1, &[]),
        Value::Integer(integer) => (2, &integer.to_le_bytes()),
        Value::Real(real) => (3, &real.to_le_bytes()),
        Value::Text(text) => (4, text.as_bytes()),
        Value::Blob(bytes) => (5, bytes),
    };
    xxh3_64_with_seed(bytes, fingerprint.wrapping_add(kind))
}

impl<T> Deref for SharedRow<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.row
    }
}

impl<T> Clone for SharedRow<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedRow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for SharedRow<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

/// Rows that [match](SharedRow::matches) are equal; others are compared value by value.
impl<T: PartialEq> PartialEq for SharedRow<T> {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other) || **self == **other
    }
}
