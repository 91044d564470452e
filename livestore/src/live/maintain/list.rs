//! Lists of one table: filtered, ordered, limited.

mod part;

use std::cmp::Ordering;
use std::ops::Range;

use super::sort_key::SortKey;
use super::{MaintainList, MustRerun, Steps, TableChange, included};
use crate::live::chunked::OwnedChunks;
use crate::live::dependency::Dependency;
use crate::live::list::List;
use crate::live::row::SharedRow;
use crate::sqlite::Image;
use crate::table::{
    Direction, Expression, OrderBy, QueryError, Reader, RowError, RowReader, SelectAst, Sorting,
};
use crate::value::Value;

/// The number of rows kept on either side of a part of a list, for when one of them moves into it. Few in
/// tests, so that they run out.
const SPARE: usize = if cfg!(test) { 2 } else { 64 };

/// A list that is updated row by row.
pub(in crate::live) struct TableList<O> {
    /// The query; behind its own columns, it selects the row id and what it is ordered by.
    select: SelectAst,
    dependency: Dependency,
    /// The positions in the table of the query's columns; `None` if they are the table's.
    columns: Option<Vec<usize>>,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    order: Vec<(usize, Sorting)>,
    /// The direction of the row ids of rows that are ordered alike.
    tie: Direction,
    /// The number of the query's own columns.
    width: usize,
    offset: usize,
    limit: Option<usize>,
    /// The rows that meet the conditions, in order. Of a part of them, those of the part and some spare
    /// ones on either side.
    entries: OwnedChunks<ListEntry<O>>,
    /// The number of rows before the first entry.
    start: usize,
    /// Whether the last entry is the last row.
    complete: bool,
    /// The entries that the list shows, as the steps so far have made it.
    shown: Range<usize>,
    /// The number of rows that the last changes have added.
    growth: isize,
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

/// Where a row stands among the entries.
enum Place {
    At(usize),
    /// It is not among them, and this is where it belongs.
    Between(usize),
    Before,
    Behind,
}

impl<O: Send + Sync + 'static> MaintainList<O> for TableList<O> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError> {
        let entries = self.read_part(reader);
        self.is_maintained = entries.is_ok();
        self.entries = match entries {
            Ok(entries) => entries.into_iter().collect(),
            // Perhaps it is a spare one, which the list does not show.
            Err(_) if self.is_part() => return self.read_shown(reader),
            Err(error) => return Err(error),
        };
        self.shown = self.target();
        let shown = self.entries.iter().skip(self.shown.start).take(self.shown.len());
        Ok(shown.map(|entry| entry.row.clone()).collect())
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
        self.growth = 0;
        self.apply_all(changes)?;
        self.align();
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
            .filter_map(|order| Some((column(&order.node)?, order.sorting)))
            .collect();
        let tie = select.tie();
        let rows = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let limit = select.limit.into_iter().chain(at_most).min();
        let width = columns.as_ref().map_or(table.columns.len(), Vec::len);

        let mut select = select.clone();
        if select.list.is_empty() {
            select.list = select.all_columns().map(Expression::Column).collect();
        }
        select.list.push(Expression::RowId(table.into()));
        select.list.extend(select.order_by.iter().map(|order| order.node));
        let by_row_id = OrderBy { node: Expression::RowId(table.into()), sorting: tie.into() };
        select.order_by.push(by_row_id);
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
            start: 0,
            complete: false,
            shown: 0..0,
            growth: 0,
            is_maintained: false,
            steps: Steps::default(),
        }
    }

    /// Reads at most `max` rows from `from` on.
    fn read(
        &mut self,
        from: usize,
        max: Option<usize>,
        reader: &Reader<'_>,
    ) -> Result<Vec<ListEntry<O>>, QueryError> {
        self.select.limit = max.map(|max| max as u64);
        self.select.offset = (from > 0).then_some(from as u64);
        let (width, decode, order) = (self.width, self.decode, self.order.len());
        reader.select(&self.select, |row| {
            let key = (width + 1..width + 1 + order).map(|index| row.get_value(index));
            Ok(ListEntry {
                key: SortKey::new(key.collect::<Result<Vec<_>, _>>()?),
                rowid: row.get(width)?,
                row: SharedRow::read(row, width, decode)?,
            })
        })
    }

    /// Applies the changes to the entries, and notes the steps that they make in the list.
    fn apply_all(&mut self, changes: &[TableChange<'_>]) -> Result<(), MustRerun> {
        let (mut removals, mut others) = (Vec::new(), Vec::with_capacity(changes.len()));
        for change in changes {
            let change = included(&self.dependency, change)?;
            self.growth += isize::from(change.1.is_some()) - isize::from(change.0.is_some());
            match change {
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
        match self.place(image)? {
            Place::At(_) => return Err(MustRerun),
            Place::Before => self.start += 1,
            Place::Behind => {}
            Place::Between(at) => {
                let row = row.map_or_else(|| self.row(image), Ok)?;
                self.insert_entry(at, ListEntry { key: self.key(image), rowid: image.rowid, row });
            }
        }
        Ok(())
    }

    /// Removes the row and returns it, if it is among the entries.
    fn remove(&mut self, image: &Image) -> Result<Option<SharedRow<O>>, MustRerun> {
        match self.place(image)? {
            Place::At(at) => return Ok(self.remove_entry(at)),
            Place::Between(_) => return Err(MustRerun),
            Place::Before => self.start -= 1,
            Place::Behind => {}
        }
        Ok(None)
    }

    fn update(&mut self, old: &Image, new: &Image) -> Result<(), MustRerun> {
        let same = listed_values(self.columns.as_deref(), old)
            .eq(listed_values(self.columns.as_deref(), new));
        if !self.has_same_place(old, new) {
            return match self.is_part() {
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
        let at = match self.place(new)? {
            Place::At(at) => at,
            Place::Between(_) => return Err(MustRerun),
            Place::Before | Place::Behind => return Ok(()),
        };
        let row = self.row(new)?;
        if let Some(entry) = self.entries.get_mut(at) {
            let old = std::mem::replace(&mut entry.row, row.clone());
            if self.shown.contains(&at) {
                self.steps.update(at - self.shown.start, &old, row);
            }
        }
        Ok(())
    }

    /// Moves the row of a list that shows all rows. `same` if its values in the list are unchanged.
    fn relocate(&mut self, old: &Image, new: &Image, same: bool) -> Result<(), MustRerun> {
        let Place::At(from) = self.place(old)? else { return Err(MustRerun) };
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

    fn row(&self, image: &Image) -> Result<SharedRow<O>, RowError> {
        let row = RowReader::of_values(&image.values, self.columns.as_deref());
        SharedRow::read(&row, self.width, self.decode)
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

    /// Returns where the row stands. Of one before the entries, only that is known.
    fn place(&self, image: &Image) -> Result<Place, MustRerun> {
        let len = self.entries.len();
        if len == 0 && self.start > 0 && !self.complete {
            return Err(MustRerun);
        }
        Ok(match self.search(image) {
            Ok(at) => Place::At(at),
            Err(0) if self.start > 0 => Place::Before,
            Err(at) if at == len && !self.complete => Place::Behind,
            Err(at) => Place::Between(at),
        })
    }

    fn compare(&self, entry: &ListEntry<O>, image: &Image) -> Ordering {
        let values = self.order.iter().map(|(column, _)| value(image, *column));
        self.compare_with(entry, values, image.rowid)
    }

    fn compare_with<'v>(
        &self,
        entry: &ListEntry<O>,
        values: impl Iterator<Item = &'v Value<'static>>,
        rowid: i64,
    ) -> Ordering {
        let by_value = entry.key.values().zip(values).zip(&self.order);
        by_value
            .map(|((left, right), (_, sorting))| sorting.compare(left, right))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| match self.tie {
                Direction::Ascending => entry.rowid.cmp(&rowid),
                Direction::Descending => rowid.cmp(&entry.rowid),
            })
    }

    fn has_same_place(&self, old: &Image, new: &Image) -> bool {
        let same = |(column, sorting): &(usize, Sorting)| {
            sorting.compare(value(old, *column), value(new, *column)).is_eq()
        };
        old.rowid == new.rowid && self.order.iter().all(same)
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
