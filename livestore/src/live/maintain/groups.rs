//! Counts and integer sums of one table, grouped or not.

use std::cmp::Ordering;

use super::{Hit, LiveCardinality, Maintain};
use crate::live::interest::Interest;
use crate::live::list::{List, Row};
use crate::sqlite::{Image, Rows};
use crate::table::{Aggregate, Node, QueryError, Reader, RowError, RowReader, SelectAst, order};
use crate::value::Value;

/// Groups that follow each changed row.
pub(in crate::live) struct Groups<O, C> {
    /// The query with, behind its own columns, what it is grouped by and how many rows there are.
    select: SelectAst,
    interest: Interest,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    /// The columns that it is grouped by.
    by: Vec<usize>,
    outputs: Vec<Output>,
    groups: List<Group>,
    rows: List<O>,
    cardinality: std::marker::PhantomData<fn() -> C>,
}

/// What a group is grouped by.
type Key = Vec<Value<'static>>;
/// What the query returns of it.
type Values = Vec<Value<'static>>;

/// One thing that the query returns of a group.
#[derive(Debug, Clone, Copy)]
enum Output {
    /// The value it is grouped by, by position in `by`.
    Key(usize),
    /// How many rows.
    Rows,
    /// How many rows with a value in this column.
    Values(usize),
    /// The sum of this column.
    Sum(usize),
}

#[derive(Debug, Clone, PartialEq)]
struct Group {
    key: Key,
    rows: i64,
    values: Values,
}

/// A sum that leaves 64 bits, or a group that is not what it should be: read everything anew.
struct Lost;

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> Groups<O, C> {
    /// `None` if the SELECT has something that is not followed row by row.
    pub(in crate::live) fn new(
        select: &SelectAst,
        interest: Interest,
        decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    ) -> Option<Self> {
        let by: Vec<usize> = select.group_by.iter().map(|column| column.index).collect();
        if select.list.is_empty() && !select.counted {
            // Whole rows: of each group, SQLite shows one that it chooses.
            return None;
        }
        let list = if select.counted { &[Node::CountAll] } else { select.list.as_slice() };
        let outputs: Option<Vec<_>> = list.iter().map(|node| output(node, &by)).collect();
        let mut full = select.clone();
        full.counted = false;
        full.list = list.to_vec();
        full.list.extend(select.group_by.iter().map(|column| Node::Column(*column)));
        full.list.push(Node::CountAll);
        full.order_by = Vec::new();
        Some(Self {
            select: full,
            interest,
            decode,
            by,
            outputs: outputs?,
            groups: List::default(),
            rows: List::default(),
            cardinality: std::marker::PhantomData,
        })
    }

    fn load(&mut self, reader: &Reader<'_>) -> Result<(), QueryError> {
        let (width, by) = (self.outputs.len(), self.by.len());
        let mut groups = reader.select(&self.select, |row| {
            let values = (0..width).map(|index| row.get_value(index)).collect::<Result<_, _>>()?;
            let key = (width..width + by).map(|index| row.get_value(index));
            Ok(Group { key: key.collect::<Result<_, _>>()?, rows: row.get(width + by)?, values })
        })?;
        groups.sort_by(|left, right| order_keys(&left.key, &right.key));
        let rows = groups.iter().map(|group| self.row(group));
        self.rows = rows.collect::<Result<List<O>, _>>()?;
        self.groups = groups.into_iter().map(Row::new).collect();
        Ok(())
    }

    fn row(&self, group: &Group) -> Result<Row<O>, RowError> {
        (self.decode)(&RowReader::of_values(&group.values, None)).map(Row::new)
    }

    fn key(&self, image: &Image) -> Key {
        let value = |column: &usize| image.values.get(*column).cloned().unwrap_or(Value::Null);
        self.by.iter().map(value).collect()
    }

    /// Notes what the row's group is before the change.
    fn touch(&self, image: &Image, touched: &mut Vec<(Key, Option<Values>)>) {
        let key = self.key(image);
        if !touched.iter().any(|(other, _)| order_keys(other, &key).is_eq()) {
            let values = self.values(&key).map(<[_]>::to_vec);
            touched.push((key, values));
        }
    }

    /// The first groups, if the query has no more than some.
    fn head(&self) -> Option<Vec<Values>> {
        let most = usize::try_from(C::AT_MOST?).unwrap_or(usize::MAX);
        Some(self.groups.iter().take(most).map(|group| group.values.clone()).collect())
    }

    /// Counts the row in (`by` is 1) or out (-1).
    fn count(&mut self, image: &Image, by: i64) -> Result<(), Lost> {
        let key = self.key(image);
        let at = self.groups.partition_point(|group| order_keys(&group.key, &key).is_lt());
        let found = self.groups.get(at).filter(|group| order_keys(&group.key, &key).is_eq());
        let is_new = found.is_none();
        let mut group = found.map_or_else(|| self.empty(key), |group| (**group).clone());
        group.rows += by;
        for (output, value) in self.outputs.iter().zip(&mut group.values) {
            let added = match output {
                Output::Key(_) => continue,
                Output::Rows => 1,
                Output::Values(column) => {
                    i64::from(image.values.get(*column).is_some_and(|value| *value != Value::Null))
                }
                Output::Sum(column) => match image.values.get(*column) {
                    Some(Value::Integer(integer)) => *integer,
                    _ => 0,
                },
            };
            let Value::Integer(total) = value else { return Err(Lost) };
            *total = added.checked_mul(by).and_then(|by| total.checked_add(by)).ok_or(Lost)?;
        }
        match (group.rows, is_new) {
            (..0, _) => Err(Lost),
            (0, false) if !self.by.is_empty() => {
                self.groups.remove(at);
                self.rows.remove(at);
                Ok(())
            }
            (_, true) => {
                self.rows.insert(at, self.row(&group).map_err(|_| Lost)?);
                self.groups.insert(at, Row::new(group));
                Ok(())
            }
            (_, false) => {
                self.rows.replace(at, self.row(&group).map_err(|_| Lost)?);
                self.groups.replace(at, Row::new(group));
                Ok(())
            }
        }
    }

    /// What the query returns of the group, if there is one.
    fn values(&self, key: &[Value<'static>]) -> Option<&[Value<'static>]> {
        let at = self.groups.partition_point(|group| order_keys(&group.key, key).is_lt());
        let found = self.groups.get(at).filter(|group| order_keys(&group.key, key).is_eq());
        found.map(|group| group.values.as_slice())
    }

    fn empty(&self, key: Vec<Value<'static>>) -> Group {
        let value = |output: &Output| match output {
            Output::Key(at) => key.get(*at).cloned().unwrap_or(Value::Null),
            _ => Value::Integer(0),
        };
        let values = self.outputs.iter().map(value).collect();
        Group { key, rows: 0, values }
    }

    /// Whether the row counts the same before and after.
    fn counts_the_same(&self, old: &Image, new: &Image) -> bool {
        let counted = self.outputs.iter().filter_map(|output| match output {
            Output::Values(column) | Output::Sum(column) => Some(*column),
            Output::Key(_) | Output::Rows => None,
        });
        let mut columns = self.by.iter().copied().chain(counted);
        columns.all(|column| old.values.get(column) == new.values.get(column))
    }
}

fn output(node: &Node, by: &[usize]) -> Option<Output> {
    match node {
        Node::Column(column) => by.iter().position(|by| *by == column.index).map(Output::Key),
        Node::CountAll => Some(Output::Rows),
        Node::Aggregate(Aggregate::Count, column) => Some(Output::Values(column.index)),
        Node::Aggregate(Aggregate::Sum, column) => Some(Output::Sum(column.index)),
        Node::Aggregate(..) | Node::RowId(_) => None,
    }
}

fn order_keys(left: &[Value<'_>], right: &[Value<'_>]) -> Ordering {
    left.iter()
        .zip(right)
        .map(|(left, right)| order(left, right))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> Maintain<C::Value> for Groups<O, C> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<C::Value, QueryError> {
        self.load(reader)?;
        C::value(&self.rows)
    }

    fn apply(
        &mut self,
        hits: &[Hit<'_>],
        reader: &Reader<'_>,
    ) -> Result<Option<C::Value>, QueryError> {
        let (mut touched, mut changes) = (Vec::new(), Vec::with_capacity(hits.len()));
        for hit in hits {
            let Rows::One { old, new } = hit.rows else {
                return self.start(reader).map(Some);
            };
            let old = old.as_ref().filter(|old| self.interest.has(Some(old)));
            let new = new.as_ref().filter(|new| self.interest.has(Some(new)));
            if let (Some(old), Some(new)) = (old, new)
                && self.counts_the_same(old, new)
            {
                continue;
            }
            [old, new].into_iter().flatten().for_each(|image| self.touch(image, &mut touched));
            changes.push((old, new));
        }
        let head = self.head();
        let counted = changes.into_iter().try_for_each(|(old, new)| {
            old.map_or(Ok(()), |old| self.count(old, -1))?;
            new.map_or(Ok(()), |new| self.count(new, 1))
        });
        if let Err(Lost) = counted {
            self.load(reader)?;
        }
        let changed = match head {
            Some(_) => head != self.head(),
            None => touched.iter().any(|(key, before)| self.values(key) != before.as_deref()),
        };
        if changed { C::value(&self.rows).map(Some) } else { Ok(None) }
    }
}
