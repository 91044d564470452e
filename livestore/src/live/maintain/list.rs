//! Lists of one table: filtered, ordered, limited.

use std::cmp::Ordering;

use super::sort_key::SortKey;
use super::{MaintainList, MustRerun, Steps, TableChange, included};
use crate::live::chunked::OwnedChunks;
use crate::live::dependency::Dependency;
use crate::live::list::List;
use crate::live::row::SharedRow;
use crate::sqlite::Image;
use crate::table::{
    Direction, Expression, QueryError, Reader, RowError, RowReader, SelectAst, order,
};
use crate::value::Value;

/// The number of rows kept beyond a limit, for when one of them moves up. Few in tests, so that
/// they run out.
const SPARE: usize = if cfg!(test) { 2 } else { 64 };

/// A list that is updated row by row.
pub(in crate::live) struct TableList<O> {
    /// The query; behind its own columns, it selects the row id and what it is ordered by.
    select: SelectAst,
    dependency: Dependency,
    /// The positions in the table of the query's columns; `None` if they are the table's.
    columns: Option<Vec<usize>>,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    order: Vec<(usize, Direction)>,
    /// The direction of the row ids of rows that are ordered alike.
    tie: Direction,
    /// The number of the query's own columns.
    width: usize,
    offset: usize,
    limit: Option<usize>,
    /// The rows that meet the conditions, in order. Of a window, those up to its end and some spare
    /// ones beyond.
    entries: OwnedChunks<ListEntry<O>>,
    /// Whether `entries` has all rows that meet the conditions.
    complete: bool,
    /// Whether `entries` is up to date. If not, the query is run again for each change.
    is_maintained: bool,
    /// From the list before the last changes to the list after them.
    steps: Steps<O>,
}

struct ListEntry<O> {
    key: SortKey,
    rowid: i64,
    row: SharedRow<O>,
}

impl<O: Send + Sync + 'static> MaintainList<O> for TableList<O> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError> {
        let entries = self.read(0, reader);
        self.is_maintained = entries.is_ok();
        self.entries = match entries {
            Ok(entries) => entries.into_iter().collect(),
            // Perhaps it is one that the list does not show, before its offset or among the spare
            // ones.
            Err(_) if self.is_window() => return self.read_window(reader),
            Err(error) => return Err(error),
        };
        let visible = self.entries.iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX));
        Ok(visible.map(|entry| entry.row.clone()).collect())
    }

    fn apply(
        &mut self,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<&Steps<O>, MustRerun> {
        if !self.is_maintained {
            return Err(MustRerun);
        }
        self.steps.clear();
        self.apply_all(changes)?;
        self.refill(reader)?;
        Ok(&self.steps)
    }
}

impl<O> TableList<O> {
    /// The list of a SELECT that reads nothing but columns of one table, and at most `at_most` rows.
    pub(in crate::live) fn new(
        select: &SelectAst,
        dependency: Dependency,
        decode: fn(&RowReader<'_>) -> Result<O, RowError>,
        at_most: Option<u64>,
    ) -> Self {
        let table = select.from;
        let column = |node: &Expression| match node {
            Expression::Column(column) => Some(column.index),
            _ => None,
        };
        let columns: Option<Vec<usize>> =
            (!select.list.is_empty()).then(|| select.list.iter().filter_map(column).collect());
        let order: Vec<_> = select
            .order_by
            .iter()
            .filter_map(|(node, direction)| Some((column(node)?, *direction)))
            .collect();
        let tie = order.last().map_or(Direction::Ascending, |(_, direction)| *direction);
        let rows = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let limit = select.limit.into_iter().chain(at_most).min();
        let width = columns.as_ref().map_or(table.columns.len(), Vec::len);

        let mut select = select.clone();
        if select.list.is_empty() {
            select.list = select.all_columns().map(Expression::Column).collect();
        }
        select.list.push(Expression::RowId(table.into()));
        select.list.extend(select.order_by.iter().map(|(node, _)| *node));
        select.order_by.push((Expression::RowId(table.into()), tie));
        Self {
            offset: rows(select.offset.unwrap_or(0)),
            limit: limit.map(rows),
            select,
            dependency,
            columns,
            decode,
            order,
            tie,
            width,
            entries: OwnedChunks::default(),
            complete: false,
            is_maintained: false,
            steps: Steps::default(),
        }
    }

    /// Reads the rows from `from` on: all, or those up to the end of the window and the spare ones.
    fn read(&mut self, from: usize, reader: &Reader<'_>) -> Result<Vec<ListEntry<O>>, QueryError> {
        let max = self.limit.map(|_| self.end().saturating_add(SPARE) - from);
        self.select.limit = max.map(|max| max as u64);
        self.select.offset = max.map(|_| from as u64);
        let (width, decode, order) = (self.width, self.decode, self.order.len());
        let found = reader.select(&self.select, |row| {
            let key = (width + 1..width + 1 + order).map(|index| row.get_value(index));
            Ok(ListEntry {
                key: SortKey::new(key.collect::<Result<Vec<_>, _>>()?),
                rowid: row.get(width)?,
                row: SharedRow::read(row, width, decode)?,
            })
        })?;
        self.complete = max.is_none_or(|max| found.len() < max);
        Ok(found)
    }

    /// Reads the rows that the list shows, and no others.
    fn read_window(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError> {
        self.select.limit = self.limit.map(|limit| limit as u64);
        self.select.offset = Some(self.offset as u64);
        let (width, decode) = (self.width, self.decode);
        let rows = reader.select(&self.select, |row| SharedRow::read(row, width, decode))?;
        Ok(rows.into_iter().collect())
    }

    /// Applies the changes to the entries, and notes the steps that they make in the list.
    fn apply_all(&mut self, changes: &[TableChange<'_>]) -> Result<(), MustRerun> {
        let (mut removals, mut others) = (Vec::new(), Vec::with_capacity(changes.len()));
        for change in changes {
            match included(&self.dependency, change)? {
                // Another row may have taken the row id that this one gives up: remove it first.
                (Some(before), after)
                    if changes.len() > 1
                        && after.is_none_or(|after| after.rowid != before.rowid) =>
                {
                    removals.push(before);
                    others.push((None, after));
                }
                both => others.push(both),
            }
        }
        for image in removals {
            self.remove(image)?;
        }
        for change in others {
            match change {
                (None, None) => {}
                (Some(old), None) => drop(self.remove(old)?),
                (None, Some(new)) => self.insert(new, None)?,
                (Some(old), Some(new)) => self.update(old, new)?,
            }
        }
        Ok(())
    }

    /// Inserts the row. It need not be decoded if `row` is given.
    fn insert(&mut self, image: &Image, row: Option<SharedRow<O>>) -> Result<(), MustRerun> {
        let Err(at) = self.search(image) else { return Err(MustRerun) };
        if at == self.entries.len() && !self.complete {
            return Ok(());
        }
        let row = row.map_or_else(|| self.row(image), Ok)?;
        self.entries.insert(at, ListEntry { key: self.key(image), rowid: image.rowid, row });
        self.note_insert(at);
        self.trim();
        Ok(())
    }

    /// Removes the row and returns it, if it is among the entries.
    fn remove(&mut self, image: &Image) -> Result<Option<SharedRow<O>>, MustRerun> {
        let Some(at) = self.find(image)? else { return Ok(None) };
        let row = self.entries.remove(at).map(|entry| entry.row);
        row.iter().for_each(|row| self.note_remove(at, row));
        Ok(row)
    }

    fn update(&mut self, old: &Image, new: &Image) -> Result<(), MustRerun> {
        let same = listed_values(self.columns.as_deref(), old)
            .eq(listed_values(self.columns.as_deref(), new));
        if !self.has_same_place(old, new) {
            return match self.is_window() {
                true => {
                    let row = self.remove(old)?.filter(|_| same);
                    self.insert(new, row)
                }
                false => self.relocate(old, new, same),
            };
        }
        if same {
            return Ok(());
        }
        let Some(at) = self.find(new)? else { return Ok(()) };
        let row = self.row(new)?;
        let is_listed = (self.offset..self.end()).contains(&at);
        if let Some(entry) = self.entries.get_mut(at) {
            let old = std::mem::replace(&mut entry.row, row.clone());
            if is_listed {
                self.steps.update(at - self.offset, &old, row);
            }
        }
        Ok(())
    }

    /// Moves the row of a list that is no window. `same` if its values in the list are unchanged.
    fn relocate(&mut self, old: &Image, new: &Image, same: bool) -> Result<(), MustRerun> {
        let from = self.find(old)?.ok_or(MustRerun)?;
        let was = self.entries.remove(from).ok_or(MustRerun)?.row;
        let row = if same { was.clone() } else { self.row(new)? };
        let Err(to) = self.search(new) else { return Err(MustRerun) };
        self.entries
            .insert(to, ListEntry { key: self.key(new), rowid: new.rowid, row: row.clone() });
        if from != to {
            self.steps.relocate(from, to);
        }
        if !same {
            self.steps.update(to, &was, row);
        }
        Ok(())
    }

    /// Reads the next rows if the entries do not fill the window any more.
    fn refill(&mut self, reader: &Reader<'_>) -> Result<(), MustRerun> {
        if self.is_short() {
            for entry in self.read(self.entries.len(), reader)? {
                let at = self.entries.len();
                self.entries.insert(at, entry);
                self.note_insert(at);
            }
        }
        Ok(())
    }

    fn row(&self, image: &Image) -> Result<SharedRow<O>, RowError> {
        let row = RowReader::of_values(&image.values, self.columns.as_deref());
        SharedRow::read(&row, self.width, self.decode)
    }

    /// Whether the list is only a part of the rows that meet the conditions.
    fn is_window(&self) -> bool {
        self.limit.is_some() || self.offset > 0
    }

    /// The index behind the last entry that the list can have.
    fn end(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| self.offset.saturating_add(limit))
    }

    /// Whether rows of the list are missing among the entries.
    fn is_short(&self) -> bool {
        !self.complete && self.entries.len() < self.end()
    }

    /// Removes spare rows when there are too many.
    fn trim(&mut self) {
        let max = self.end().saturating_add(2 * SPARE);
        while self.entries.len() > max {
            self.entries.remove(self.entries.len() - 1);
            self.complete = false;
        }
    }
}

/// Finding entries.
impl<O> TableList<O> {
    fn key(&self, image: &Image) -> SortKey {
        SortKey::new(self.order.iter().map(|(column, _)| value(image, *column).clone()))
    }

    fn search(&self, image: &Image) -> Result<usize, usize> {
        self.entries.search(|entry| self.compare(entry, image))
    }

    /// Returns the index of the row if it is among the entries.
    fn find(&self, image: &Image) -> Result<Option<usize>, MustRerun> {
        match self.search(image) {
            Ok(at) => Ok(Some(at)),
            Err(_) if self.complete => Err(MustRerun),
            Err(_) => Ok(None),
        }
    }

    fn compare(&self, entry: &ListEntry<O>, image: &Image) -> Ordering {
        let by_value = entry.key.values().zip(&self.order);
        by_value
            .map(|(left, (column, direction))| {
                direct(order(left, value(image, *column)), *direction)
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| direct(entry.rowid.cmp(&image.rowid), self.tie))
    }

    fn has_same_place(&self, old: &Image, new: &Image) -> bool {
        let same =
            |(column, _): &(usize, _)| order(value(old, *column), value(new, *column)).is_eq();
        old.rowid == new.rowid && self.order.iter().all(same)
    }
}

/// Noting the steps that changed entries make in the list.
impl<O> TableList<O> {
    /// Notes that an entry was inserted at `at`.
    fn note_insert(&mut self, at: usize) {
        let (listed, end) = (at.max(self.offset), self.end());
        if listed >= end {
            return;
        }
        if let Some(entry) = self.entries.get(listed) {
            self.steps.insert(listed - self.offset, entry.row.clone());
        }
        if self.entries.len() > end
            && let Some(entry) = self.entries.get(end)
        {
            self.steps.remove(end - self.offset, &entry.row);
        }
    }

    /// Notes that `row` was removed at `at`.
    fn note_remove(&mut self, at: usize, row: &SharedRow<O>) {
        let (listed, end) = (at.max(self.offset), self.end());
        let before = self.entries.len() + 1;
        if listed >= end.min(before) {
            return;
        }
        // Of a row before the offset, the list knows nothing: it has lost its first row instead.
        let moved = (at < listed).then(|| self.entries.get(listed - 1)).flatten();
        self.steps.remove(listed - self.offset, moved.map_or(row, |entry| &entry.row));
        if before > end
            && let Some(entry) = self.entries.get(end - 1)
        {
            self.steps.insert(end - 1 - self.offset, entry.row.clone());
        }
    }
}

/// The values of these columns, or of all.
fn listed_values<'a>(
    columns: Option<&'a [usize]>,
    image: &'a Image,
) -> impl Iterator<Item = &'a Value<'static>> + Clone {
    let chosen = columns.unwrap_or_default().iter().filter_map(|&column| image.values.get(column));
    let all = if columns.is_none() { &*image.values } else { &[] };
    chosen.chain(all)
}

fn value(image: &Image, column: usize) -> &Value<'static> {
    image.values.get(column).unwrap_or(&Value::Null)
}

fn direct(ordering: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}
