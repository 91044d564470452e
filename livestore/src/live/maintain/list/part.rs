//! The part of a list that is shown: limited, from an offset on, or a window that moves.
//!
//! Rows before the entries are only counted, so that a part costs the same wherever it is. While changes
//! are applied, `shown` is what the steps so far have made of the list; [`align`](TableList::align) adds
//! the steps to what it has to be.

use std::ops::Range;

use super::{ListEntry, SPARE, TableList};
use crate::live::list::List;
use crate::live::maintain::sort_key::SortKey;
use crate::live::maintain::{MustRerun, Steps};
use crate::live::row::SharedRow;
use crate::table::{Predicate, QueryError, Reader, SelectAst};

impl<O> TableList<O> {
    /// The list shows these rows from now on, of those that meet the conditions. Afterwards, apply the
    /// changes, of which there may be none.
    pub(in crate::live) fn scroll(&mut self, range: &Range<usize>) -> Result<(), MustRerun> {
        self.set_range(range);
        let entries = self.start..self.start + self.entries.len();
        let overlaps = range.start < entries.end && entries.start < range.end;
        if overlaps { Ok(()) } else { Err(MustRerun) }
    }

    /// The list shows these rows when it is read the next time.
    pub(in crate::live) fn set_range(&mut self, range: &Range<usize>) {
        (self.offset, self.limit) = (range.start, Some(range.len()));
    }

    /// Returns the number of rows that the last changes have added, less those that they have removed;
    /// whether the list shows them or not.
    pub(in crate::live) fn growth(&self) -> isize {
        self.growth
    }

    /// Returns the steps from the list before the last changes to the list after them.
    pub(in crate::live) fn steps(&self) -> &Steps<O> {
        &self.steps
    }

    /// Returns the number of rows that meet the conditions.
    pub(in crate::live) fn count(&self, reader: &Reader<'_>) -> Result<usize, QueryError> {
        if self.is_maintained && self.complete {
            return Ok(self.start + self.entries.len());
        }
        let counting = SelectAst {
            list: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            counted: true,
            ..self.select.clone()
        };
        let counted = reader.select(&counting, |row| row.get::<u64>(0))?;
        Ok(usize::try_from(counted.into_iter().sum::<u64>()).unwrap_or(usize::MAX))
    }

    /// Returns the positions in the list of the rows that meet further conditions.
    pub(in crate::live) fn positions(
        &self,
        filters: impl Iterator<Item = Predicate>,
        reader: &Reader<'_>,
    ) -> Result<Vec<usize>, QueryError> {
        let mut select = self.select.clone();
        select.filters.extend(filters);
        (select.limit, select.offset) = (None, None);
        // What is behind the query's own columns: the row id, and what it is ordered by.
        select.list = select.list.split_off(self.width);
        let found = reader.select(&select, |row| {
            let key = (1..=self.order.len()).map(|index| row.get_value(index));
            Ok((row.get::<i64>(0)?, SortKey::new(key.collect::<Result<Vec<_>, _>>()?)))
        })?;
        let entries = found.iter().filter_map(|(rowid, key)| {
            self.entries.search(|entry| self.compare_with(entry, key.values(), *rowid)).ok()
        });
        let shown = entries.filter(|at| self.shown.contains(at));
        Ok(shown.map(|at| at - self.shown.start).collect())
    }

    /// Reads the rows of the part and the spare ones on either side.
    pub(super) fn read_part(
        &mut self,
        reader: &Reader<'_>,
    ) -> Result<Vec<ListEntry<O>>, QueryError> {
        self.start = self.offset.saturating_sub(SPARE);
        let max = self.limit.map(|_| self.end().saturating_add(SPARE) - self.start);
        let found = self.read(self.start, max, reader)?;
        self.complete = max.is_none_or(|max| found.len() < max);
        if found.is_empty() && self.start > 0 {
            // There are fewer rows.
            (self.complete, self.is_maintained) = (true, false);
            self.start = self.count(reader)?;
        }
        Ok(found)
    }

    /// Reads the rows that the list shows, and no others.
    pub(super) fn read_shown(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError> {
        self.select.limit = self.limit.map(|limit| limit as u64);
        self.select.offset = Some(self.offset as u64);
        let (width, decode) = (self.width, self.decode);
        let rows = reader.select(&self.select, |row| SharedRow::read(row, width, decode))?;
        Ok(rows.into_iter().collect())
    }

    /// Reads the rows that the entries lack on either side of the part.
    pub(super) fn refill(&mut self, reader: &Reader<'_>) -> Result<(), MustRerun> {
        if self.start > self.offset {
            let from = self.offset.saturating_sub(SPARE);
            let missing = self.start - from;
            let found = self.read(from, Some(missing), reader)?;
            if found.len() != missing {
                return Err(MustRerun);
            }
            for entry in found.into_iter().rev() {
                self.entries.insert(0, entry);
            }
            self.start = from;
            self.shown = self.shown.start + missing..self.shown.end + missing;
        }
        let behind = self.start + self.entries.len();
        if !self.complete && behind < self.end() {
            let max = self.limit.map(|_| self.end().saturating_add(SPARE) - behind);
            let found = self.read(behind, max, reader)?;
            self.complete = max.is_none_or(|max| found.len() < max);
            for entry in found {
                self.entries.insert(self.entries.len(), entry);
            }
        }
        self.align();
        self.trim();
        Ok(())
    }

    /// Whether the list shows only a part of the rows that meet the conditions.
    pub(super) fn is_part(&self) -> bool {
        self.limit.is_some() || self.offset > 0
    }

    pub(super) fn insert_entry(&mut self, at: usize, entry: ListEntry<O>) {
        if at < self.shown.start {
            self.shown = self.shown.start + 1..self.shown.end + 1;
        } else if at < self.shown.end || !self.is_part() {
            // A list that is no part shows every entry at any time: rows move within it.
            self.shown.end += 1;
            self.steps.insert(at - self.shown.start, entry.row.clone());
        }
        self.entries.insert(at, entry);
    }

    pub(super) fn remove_entry(&mut self, at: usize) -> Option<SharedRow<O>> {
        let row = self.entries.remove(at)?.row;
        if at < self.shown.start {
            self.shown = self.shown.start - 1..self.shown.end - 1;
        } else if at < self.shown.end {
            self.shown.end -= 1;
            self.steps.remove(at - self.shown.start, &row);
        }
        Some(row)
    }

    /// The entries that the list has to show, as far as they are there.
    pub(super) fn target(&self) -> Range<usize> {
        let entry = |index: usize| index.saturating_sub(self.start).min(self.entries.len());
        entry(self.offset)..entry(self.end().max(self.offset))
    }

    /// Adds the steps from the entries that the list shows to those that it has to show.
    pub(super) fn align(&mut self) {
        let target = self.target();
        while self.shown.end > target.end.max(self.shown.start) {
            self.shown.end -= 1;
            if let Some(entry) = self.entries.get(self.shown.end) {
                self.steps.remove(self.shown.end - self.shown.start, &entry.row);
            }
        }
        while self.shown.start < target.start.min(self.shown.end) {
            if let Some(entry) = self.entries.get(self.shown.start) {
                self.steps.remove(0, &entry.row);
            }
            self.shown.start += 1;
        }
        if self.shown.is_empty() {
            self.shown = target.start..target.start;
        }
        while self.shown.start > target.start {
            self.shown.start -= 1;
            if let Some(entry) = self.entries.get(self.shown.start) {
                self.steps.insert(0, entry.row.clone());
            }
        }
        while self.shown.end < target.end {
            if let Some(entry) = self.entries.get(self.shown.end) {
                self.steps.insert(self.shown.end - self.shown.start, entry.row.clone());
            }
            self.shown.end += 1;
        }
    }

    /// Removes spare rows when there are too many.
    fn trim(&mut self) {
        let max = self.end().saturating_add(2 * SPARE).saturating_sub(self.start);
        while self.entries.len() > max {
            self.entries.remove(self.entries.len() - 1);
            self.complete = false;
        }
        while self.offset.saturating_sub(self.start) > 2 * SPARE && self.entries.len() > 1 {
            self.entries.remove(0);
            self.start += 1;
            self.shown = self.shown.start - 1..self.shown.end - 1;
        }
    }

    /// The position behind the last row that the list can show.
    fn end(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| self.offset.saturating_add(limit))
    }
}
