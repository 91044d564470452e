//! Rows of live queries, which are compared by what they show.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::table::{RowError, RowReader};
use crate::value::Value;

/// A row of a list. It derefs to the row; cloning shares it.
pub struct Row<T>(Arc<Shared<T>>);

struct Shared<T> {
    row: T,
    look: Look,
}

/// What a row shows, as a hash: rows that show the same look the same. 0 where nobody compares them.
pub(super) type Look = u64;

impl<T> Row<T> {
    pub(super) fn new(row: T) -> Self {
        Self(Arc::new(Shared { row, look: 0 }))
    }

    /// Reads a row of `width` columns, and looks at them.
    pub(super) fn read(
        row: &RowReader<'_>,
        width: usize,
        decode: fn(&RowReader<'_>) -> Result<T, RowError>,
    ) -> Result<Self, RowError> {
        let look = (0..width).try_fold(0, |look, column| Ok(add(look, &row.get_ref(column)?)))?;
        Ok(Self(Arc::new(Shared { row: decode(row)?, look })))
    }

    pub(super) fn look(&self) -> Look {
        self.0.look
    }

    pub(super) fn looks_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.look() != 0 && self.look() == other.look())
    }

    /// Whether both are there and look the same, or neither is.
    pub(super) fn look_alike(left: Option<&Self>, right: Option<&Self>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => left.looks_like(right),
            (left, right) => left.is_none() && right.is_none(),
        }
    }
}

/// The look of a row with one more value.
fn add(look: Look, value: &Value<'_>) -> Look {
    let (kind, bytes): (u64, &[u8]) = match value {
        Value::Null => (1, &[]),
        Value::Integer(integer) => (2, &integer.to_le_bytes()),
        Value::Real(real) => (3, &real.to_le_bytes()),
        Value::Text(text) => (4, text.as_bytes()),
        Value::Blob(bytes) => (5, bytes),
    };
    xxh3_64_with_seed(bytes, look.wrapping_add(kind))
}

impl<T> Deref for Row<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.row
    }
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for Row<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<T: PartialEq> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
