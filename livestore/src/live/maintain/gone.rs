//! Rows that go and come back.
//!
//! SQL's `INSERT OR REPLACE` takes a row out and puts it in again, with another row id. If it shows
//! what it showed, it is the same row to a live query, and nobody is told.

use std::collections::HashMap;

use super::Hit;
use crate::live::index::hash_all;
use crate::live::list::Row;
use crate::sqlite::Rows;
use crate::value::Value;

/// The rows that went, by what they showed.
pub(super) struct Gone<O> {
    rows: HashMap<u64, (Box<[Value<'static>]>, Row<O>)>,
    /// One came back.
    pub(super) any_returned: bool,
}

impl<O> Gone<O> {
    /// `None` unless there are both: rows that go, and rows that come.
    pub(super) fn among(hits: &[Hit<'_>]) -> Option<Self> {
        let has = |wanted: (bool, bool)| {
            let is = |hit: &Hit<'_>| match hit.rows {
                Rows::One { old, new } => (old.is_some(), new.is_some()) == wanted,
                Rows::Some => false,
            };
            hits.iter().any(is)
        };
        let both = hits.len() > 1 && has((true, false)) && has((false, true));
        both.then(|| Self { rows: HashMap::new(), any_returned: false })
    }

    /// A row went.
    pub(super) fn put<'a>(
        &mut self,
        shown: impl Iterator<Item = &'a Value<'static>> + Clone,
        row: Row<O>,
    ) {
        self.rows.insert(hash_all(shown.clone()), (shown.cloned().collect(), row));
    }

    /// The row that went and showed the same.
    pub(super) fn take<'a>(
        &mut self,
        shown: impl Iterator<Item = &'a Value<'static>> + Clone,
    ) -> Option<Row<O>> {
        let (before, row) = self.rows.remove(&hash_all(shown.clone()))?;
        let is_same = shown.eq(&*before);
        self.any_returned |= is_same;
        is_same.then_some(row)
    }
}
