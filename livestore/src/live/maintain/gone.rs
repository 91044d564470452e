//! Rows that go and come back.
//!
//! SQL's `INSERT OR REPLACE` takes a row out and puts it in again, with another row id; a row may
//! leave those that are kept of a window, and be read again. If it shows what it showed, it is the
//! same row to a live query, and nobody is told.

use std::collections::HashMap;

use crate::live::index::hash_all;
use crate::live::list::Row;
use crate::value::Value;

/// The rows that went, by what they showed.
pub(super) struct Gone<O> {
    rows: HashMap<u64, (Box<[Value<'static>]>, Row<O>)>,
    /// A row can come back.
    pub(super) is_wanted: bool,
    /// One came back.
    pub(super) any_returned: bool,
}

impl<O> Gone<O> {
    pub(super) fn new(is_wanted: bool) -> Self {
        Self { rows: HashMap::new(), is_wanted, any_returned: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row went.
    pub(super) fn put<'a>(
        &mut self,
        shown: impl Iterator<Item = &'a Value<'static>> + Clone,
        row: Row<O>,
    ) {
        if self.is_wanted {
            self.rows.insert(hash_all(shown.clone()), (shown.cloned().collect(), row));
        }
    }

    /// The row that went and showed the same.
    pub(super) fn take<'a>(
        &mut self,
        shown: impl Iterator<Item = &'a Value<'static>> + Clone,
    ) -> Option<Row<O>> {
        if self.is_empty() {
            return None;
        }
        let (before, row) = self.rows.remove(&hash_all(shown.clone()))?;
        let is_same = shown.eq(&*before);
        self.any_returned |= is_same;
        is_same.then_some(row)
    }
}

impl<O> Default for Gone<O> {
    fn default() -> Self {
        Self::new(false)
    }
}
