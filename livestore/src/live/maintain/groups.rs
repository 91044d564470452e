//! Counts and integer sums of one table, grouped or not.

use std::cmp::Ordering;
use std::sync::Arc;

use super::sort_key::SortKey;
use super::{MaintainList, MustRerun, Steps, TableChange, included};
use crate::live::chunked::OwnedChunks;
use crate::live::dependency::Dependency;
use crate::live::list::List;
use crate::live::row::SharedRow;
use crate::sqlite::Image;
use crate::table::{
    Aggregate, Expression, QueryError, Reader, RowError, RowReader, SelectAst, order,
};
use crate::value::Value;

/// Groups whose rows are counted in and out.
pub(in crate::live) struct Groups<O> {
    /// The query; behind its own columns, it selects those it is grouped by, the number of rows, and
    /// the least and the greatest value of each column that is added up.
    select: SelectAst,
    dependency: Dependency,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    /// The columns that it is grouped by.
    by: Arc<[usize]>,
    outputs: Vec<GroupColumn>,
    groups: OwnedChunks<Group<O>>,
    /// From the groups before the last changes to the groups after them.
    steps: Steps<O>,
}

/// One column of the query's result.
#[derive(Debug, Clone, Copy)]
enum GroupColumn {
    /// A value that it is grouped by, by position in `by`.
    Key(usize),
    /// The number of rows.
    Rows,
    /// The number of rows with a value in this column.
    Values(usize),
    /// The sum of this column.
    Sum(usize),
}

/// Rows with equal values in the columns that the query groups by.
struct Group<O> {
    key: SortKey,
    counts: Counts,
    /// The row that the counts make.
    row: SharedRow<O>,
}

#[derive(Clone)]
struct Counts {
    /// The number of rows in the group.
    rows: i64,
    /// The values that the query returns of the group.
    values: Vec<Value<'static>>,
    /// No value that is added up is further from 0.
    largest: u64,
}

/// A row that is counted in (1) or out (-1).
type Counted<'a> = (&'a Image, i64);

impl<O: Send + Sync + 'static> MaintainList<O> for Groups<O> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError> {
        let (width, by, decode) = (self.outputs.len(), self.by.len(), self.decode);
        let extremes = self.select.list.len() - width - by - 1;
        let groups = reader.select(&self.select, |row| {
            let values = |columns: std::ops::Range<usize>| {
                columns.map(|index| row.get_value(index)).collect::<Result<Vec<_>, _>>()
            };
            let key = SortKey::new(values(width..width + by)?);
            let extremes = values(width + by + 1..width + by + 1 + extremes)?;
            let largest = extremes.iter().map(size).max().unwrap_or(0);
            let counts = Counts { rows: row.get(width + by)?, values: values(0..width)?, largest };
            Ok(Group { key, row: counts.row(decode)?, counts })
        })?;
        self.groups = groups.into_iter().collect();
        Ok(self.groups.iter().map(|group| group.row.clone()).collect())
    }

    fn apply(
        &mut self,
        changes: &[TableChange<'_>],
        _: &Reader<'_>,
    ) -> Result<&Steps<O>, MustRerun> {
        self.steps.clear();
        let by = Arc::clone(&self.by);
        let compare = |(left, _): &Counted<'_>, (right, _): &Counted<'_>| {
            order_all(values(left, &by), values(right, &by))
        };
        let mut counted = self.counted(changes)?;
        counted.sort_by(compare);
        let mut groups = counted.chunk_by(|left, right| compare(left, right).is_eq());
        groups.try_for_each(|counted| self.count(counted))?;
        Ok(&self.steps)
    }
}

impl<O> Groups<O> {
    /// Returns `None` if the SELECT has something that cannot be updated group by group.
    pub(in crate::live) fn new(
        select: &SelectAst,
        dependency: Dependency,
        decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    ) -> Option<Self> {
        let by: Arc<[usize]> = select.group_by.iter().map(|column| column.index).collect();
        if select.list.is_empty() && !select.counted {
            // Of whole rows, SQLite returns one of each group that it chooses.
            return None;
        }
        let list = if select.counted { &[Expression::CountAll] } else { select.list.as_slice() };
        let outputs: Option<Vec<_>> = list.iter().map(|node| output(node, &by)).collect();
        let mut full = select.clone();
        full.counted = false;
        full.list = list.to_vec();
        full.list.extend(select.group_by.iter().map(|column| Expression::Column(*column)));
        full.list.push(Expression::CountAll);
        for node in list {
            if let Expression::Aggregate(Aggregate::Sum, column) = node {
                let extremes = [Aggregate::Min, Aggregate::Max];
                full.list.extend(extremes.map(|extreme| Expression::Aggregate(extreme, *column)));
            }
        }
        full.order_by = Vec::new();
        Some(Self {
            select: full,
            dependency,
            decode,
            by,
            outputs: outputs?,
            groups: OwnedChunks::default(),
            steps: Steps::default(),
        })
    }

    /// The rows that the changes count in and out.
    fn counted<'a>(&self, changes: &[TableChange<'a>]) -> Result<Vec<Counted<'a>>, MustRerun> {
        let mut counted = Vec::with_capacity(2 * changes.len());
        for change in changes {
            let (old, new) = included(&self.dependency, change)?;
            if let (Some(old), Some(new)) = (old, new)
                && self.counts_the_same(old, new)
            {
                continue;
            }
            counted.extend(old.map(|old| (old, -1)));
            counted.extend(new.map(|new| (new, 1)));
        }
        Ok(counted)
    }

    /// Counts rows of one group.
    fn count(&mut self, counted: &[Counted<'_>]) -> Result<(), MustRerun> {
        let Some((image, _)) = counted.first() else { return Ok(()) };
        let found = self.groups.search(|group| group.key.compare(values(image, &self.by)));
        match found {
            Ok(index) => {
                let group = self.groups.get_mut(index).ok_or(MustRerun)?;
                let has_changed = group.counts.add(&self.outputs, counted)?;
                if group.counts.rows == 0 && !self.by.is_empty() {
                    self.steps.remove(index, &group.row);
                    self.groups.remove(index);
                } else if has_changed {
                    let row = group.counts.row(self.decode)?;
                    let old = std::mem::replace(&mut group.row, row.clone());
                    self.steps.update(index, &old, row);
                }
            }
            Err(index) => {
                let (key, mut counts) = self.empty_group(image);
                counts.add(&self.outputs, counted)?;
                let row = counts.row(self.decode)?;
                self.steps.insert(index, row.clone());
                self.groups.insert(index, Group { key, counts, row });
            }
        }
        Ok(())
    }

    /// The key of the row's group, and what is counted while the group has no rows.
    fn empty_group(&self, image: &Image) -> (SortKey, Counts) {
        let value = |output: &GroupColumn| match output {
            GroupColumn::Key(at) => {
                values(image, &self.by).nth(*at).cloned().unwrap_or(Value::Null)
            }
            _ => Value::Integer(0),
        };
        let values = self.outputs.iter().map(value).collect();
        (
            SortKey::new(self::values(image, &self.by).cloned()),
            Counts { rows: 0, values, largest: 0 },
        )
    }

    /// Whether the row counts the same before and after.
    fn counts_the_same(&self, old: &Image, new: &Image) -> bool {
        let counted = self.outputs.iter().filter_map(|output| match output {
            GroupColumn::Values(column) | GroupColumn::Sum(column) => Some(*column),
            GroupColumn::Key(_) | GroupColumn::Rows => None,
        });
        let mut columns = self.by.iter().copied().chain(counted);
        columns.all(|column| old.values.get(column) == new.values.get(column))
    }
}

fn output(node: &Expression, by: &[usize]) -> Option<GroupColumn> {
    match node {
        Expression::Column(column) => {
            by.iter().position(|by| *by == column.index).map(GroupColumn::Key)
        }
        Expression::CountAll => Some(GroupColumn::Rows),
        Expression::Aggregate(Aggregate::Count, column) => Some(GroupColumn::Values(column.index)),
        Expression::Aggregate(Aggregate::Sum, column) => Some(GroupColumn::Sum(column.index)),
        Expression::Aggregate(..) | Expression::RowId(_) => None,
    }
}

fn values<'a>(image: &'a Image, columns: &'a [usize]) -> impl Iterator<Item = &'a Value<'static>> {
    columns.iter().map(|column| image.values.get(*column).unwrap_or(&Value::Null))
}

fn order_all<'a>(
    left: impl Iterator<Item = &'a Value<'static>>,
    right: impl Iterator<Item = &'a Value<'static>>,
) -> Ordering {
    left.zip(right)
        .map(|(left, right)| order(left, right))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The distance of an integer from 0.
fn size(value: &Value<'_>) -> u64 {
    value.as_integer().map_or(0, i64::unsigned_abs)
}

impl Counts {
    /// Counts rows in and out. Returns whether the values have changed.
    ///
    /// Where a sum may leave 64 bits, or the counts are wrong, the query has to be run again. A sum that
    /// leaves them on its way fails in SQLite, even if more rows would bring it back.
    fn add(&mut self, outputs: &[GroupColumn], counted: &[Counted<'_>]) -> Result<bool, MustRerun> {
        let total = |of: &dyn Fn(&Image) -> i64| -> i128 {
            counted.iter().map(|(image, by)| i128::from(of(image)) * i128::from(*by)).sum()
        };
        let add =
            |to: i64, added: i128| i64::try_from(i128::from(to) + added).map_err(|_| MustRerun);
        let mut changed = false;
        for (output, value) in outputs.iter().zip(&mut self.values) {
            if let GroupColumn::Key(_) = output {
                continue;
            }
            let Value::Integer(number) = value else { return Err(MustRerun) };
            let added = total(&|image| output.added_by(image));
            *number = add(*number, added)?;
            changed |= added != 0;
        }
        self.rows = add(self.rows, total(&|_| 1))?;
        let added = outputs.iter().filter_map(|output| match output {
            GroupColumn::Sum(column) => Some(*column),
            _ => None,
        });
        let sizes = added.flat_map(|column| {
            counted.iter().filter_map(move |(image, _)| image.values.get(column)).map(size)
        });
        self.largest = sizes.fold(self.largest, u64::max);
        let can_overflow = i128::from(self.rows) * i128::from(self.largest) > i128::from(i64::MAX);
        if self.rows < 0 || can_overflow { Err(MustRerun) } else { Ok(changed) }
    }

    fn row<O>(
        &self,
        decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    ) -> Result<SharedRow<O>, RowError> {
        SharedRow::read(&RowReader::of_values(&self.values, None), self.values.len(), decode)
    }
}

impl GroupColumn {
    /// The number that a row adds.
    fn added_by(self, image: &Image) -> i64 {
        match self {
            Self::Key(_) => 0,
            Self::Rows => 1,
            Self::Values(column) => {
                i64::from(image.values.get(column).is_some_and(|value| *value != Value::Null))
            }
            Self::Sum(column) => match image.values.get(column) {
                Some(Value::Integer(integer)) => *integer,
                _ => 0,
            },
        }
    }
}
