//! The values that items are sorted by.

use std::cmp::Ordering;

use crate::table::order;
use crate::value::Value;

/// The values that an item is sorted by. Mostly there is one, which is stored inline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SortKey {
    first: Value<'static>,
    rest: Box<[Value<'static>]>,
}

impl SortKey {
    pub(super) fn new(values: impl IntoIterator<Item = Value<'static>>) -> Self {
        let mut values = values.into_iter();
        Self { first: values.next().unwrap_or(Value::Null), rest: values.collect() }
    }

    /// Returns the values; one `NULL` if there are none.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value<'static>> {
        std::iter::once(&self.first).chain(&*self.rest)
    }

    /// Compares the key to as many values.
    pub(super) fn compare<'a>(
        &self,
        mut values: impl Iterator<Item = &'a Value<'static>>,
    ) -> Ordering {
        let first = values.next().map_or(Ordering::Equal, |value| order(&self.first, value));
        first.then_with(|| {
            let mut rest = self.rest.iter().zip(values).map(|(left, right)| order(left, right));
            rest.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        })
    }
}
