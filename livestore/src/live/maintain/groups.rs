//! Counts and integer sums of one table, grouped or not.

use std::cmp::Ordering;
use std::sync::Arc;

use super::sorted::{Key, Sorted};
use super::{Failed, Hit, LiveCardinality, Maintain, News};
use crate::live::diff::Diff;
use crate::live::interest::Interest;
use crate::live::list::List;
use crate::live::row::Row;
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
    by: Arc<[usize]>,
    outputs: Vec<Output>,
    groups: Sorted<Group>,
    /// From the groups as they were to the groups as they are.
    steps: Vec<Diff<O>>,
    /// The one group of a query that does not group, as a row.
    only: List<O>,
    cardinality: std::marker::PhantomData<fn() -> C>,
}

/// What the query returns of a group.
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

/// Rows with equal values in the columns that the query groups by.
struct Group {
    key: Key,
    rows: i64,
    values: Values,
}

/// A row that is counted in (1) or out (-1).
type Counted<'a> = (&'a Image, i64);

/// A sum that leaves 64 bits, or a group that is not what it should be: read everything anew.
struct Lost;

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> Groups<O, C> {
    /// `None` if the SELECT has something that is not followed row by row.
    pub(in crate::live) fn new(
        select: &SelectAst,
        interest: Interest,
        decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    ) -> Option<Self> {
        let by: Arc<[usize]> = select.group_by.iter().map(|column| column.index).collect();
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
            groups: Sorted::default(),
            steps: Vec::new(),
            only: List::default(),
            cardinality: std::marker::PhantomData,
        })
    }

    fn load(&mut self, reader: &Reader<'_>) -> Result<(), QueryError> {
        let (width, by) = (self.outputs.len(), self.by.len());
        let groups = reader.select(&self.select, |row| {
            let values = |columns: std::ops::Range<usize>| {
                columns.map(|index| row.get_value(index)).collect::<Result<Vec<_>, _>>()
            };
            let key = Key::new(values(width..width + by)?);
            Ok(Group { key, rows: row.get(width + by)?, values: values(0..width)? })
        })?;
        self.groups = groups.into_iter().collect();
        Ok(())
    }

    /// The query's value.
    fn value(&mut self) -> Result<C::Value, QueryError> {
        let rows = self.groups.iter().map(|group| self.row(group));
        let rows = rows.collect::<Result<List<O>, _>>()?;
        if self.by.is_empty() {
            self.only = rows.clone();
        }
        C::value(&rows)
    }

    /// The query's value after the steps.
    fn next_value(&mut self) -> Result<C::Value, QueryError> {
        match &*self.steps {
            // A list is not made for each new count: this one has a place for it.
            [Diff::Update { row, .. }] if self.by.is_empty() => {
                self.only.replace(0, row.clone());
                C::value(&self.only)
            }
            _ => self.value(),
        }
    }

    fn row(&self, group: &Group) -> Result<Row<O>, RowError> {
        let row = RowReader::of_values(&group.values, None);
        Row::read(&row, self.outputs.len(), self.decode)
    }

    /// Counts each group's rows in and out, as steps.
    fn follow(&mut self, mut counted: Vec<Counted<'_>>) -> Result<(), Lost> {
        let by = Arc::clone(&self.by);
        let compare = |(left, _): &Counted<'_>, (right, _): &Counted<'_>| {
            order_all(values(left, &by), values(right, &by))
        };
        counted.sort_by(compare);
        let mut groups = counted.chunk_by(|left, right| compare(left, right).is_eq());
        groups.try_for_each(|counted| self.count(counted))
    }

    /// Counts rows of one group.
    fn count(&mut self, counted: &[Counted<'_>]) -> Result<(), Lost> {
        let Some((image, _)) = counted.first() else { return Ok(()) };
        let found = self.groups.search(|group| group.key.order(values(image, &self.by)));
        match found {
            Ok(index) => {
                let group = self.groups.get_mut(index).ok_or(Lost)?;
                let changed = group.count(&self.outputs, counted)?;
                if group.rows == 0 && !self.by.is_empty() {
                    self.groups.remove(index);
                    self.steps.push(Diff::Remove { index });
                } else if changed {
                    let row = self.groups.get(index).map(|group| self.row(group));
                    let row = row.and_then(Result::ok).ok_or(Lost)?;
                    self.steps.push(Diff::Update { index, row });
                }
            }
            Err(index) => {
                let mut group = self.empty(image);
                group.count(&self.outputs, counted)?;
                let row = self.row(&group).map_err(|_| Lost)?;
                self.groups.insert(index, group);
                self.steps.push(Diff::Insert { index, row });
            }
        }
        Ok(())
    }

    /// The row's group, without a row.
    fn empty(&self, image: &Image) -> Group {
        let value = |output: &Output| match output {
            Output::Key(at) => values(image, &self.by).nth(*at).cloned().unwrap_or(Value::Null),
            _ => Value::Integer(0),
        };
        let shown = self.outputs.iter().map(value).collect();
        Group { key: Key::new(values(image, &self.by).cloned()), rows: 0, values: shown }
    }

    /// The groups that the query shows, if steps alone do not tell whether that is another: of two
    /// steps, one may undo what the other does.
    fn shown(&self, counted: usize) -> Option<Vec<Values>> {
        let is_shown =
            |at| self.outputs.iter().any(|it| matches!(it, Output::Key(key) if *key == at));
        let all_shown = (0..self.by.len()).all(is_shown);
        (!all_shown || (!C::IS_LIST && counted > 1))
            .then(|| self.groups.iter().map(|group| group.values.clone()).collect())
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

impl Group {
    /// Counts rows in and out; says whether it shows.
    fn count(&mut self, outputs: &[Output], counted: &[Counted<'_>]) -> Result<bool, Lost> {
        let total = |of: &dyn Fn(&Image) -> i64| -> i128 {
            counted.iter().map(|(image, by)| i128::from(of(image)) * i128::from(*by)).sum()
        };
        let add = |to: i64, added: i128| i64::try_from(i128::from(to) + added).map_err(|_| Lost);
        let mut changed = false;
        for (output, value) in outputs.iter().zip(&mut self.values) {
            if let Output::Key(_) = output {
                continue;
            }
            let Value::Integer(number) = value else { return Err(Lost) };
            let added = total(&|image| output.of(image));
            *number = add(*number, added)?;
            changed |= added != 0;
        }
        self.rows = add(self.rows, total(&|_| 1))?;
        if self.rows < 0 { Err(Lost) } else { Ok(changed) }
    }
}

impl Output {
    /// What a row adds.
    fn of(self, image: &Image) -> i64 {
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

impl<O: Send + Sync + 'static, C: LiveCardinality<O>> Maintain<C::Value> for Groups<O, C> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<C::Value, QueryError> {
        self.load(reader)?;
        self.value()
    }

    fn apply(&mut self, hits: &[Hit<'_>], _: &Reader<'_>) -> Result<News<C::Value>, Failed> {
        let mut counted = Vec::with_capacity(2 * hits.len());
        for hit in hits {
            let Rows::One { old, new } = hit.rows else { return Err(Failed::Lost) };
            let old = old.as_ref().filter(|old| self.interest.has(Some(old)));
            let new = new.as_ref().filter(|new| self.interest.has(Some(new)));
            if let (Some(old), Some(new)) = (old, new)
                && self.counts_the_same(old, new)
            {
                continue;
            }
            counted.extend(old.map(|old| (old, -1)));
            counted.extend(new.map(|new| (new, 1)));
        }
        let before = self.shown(counted.len());
        self.steps.clear();
        let count = counted.len();
        self.follow(counted).map_err(|Lost| Failed::Lost)?;
        if self.steps.is_empty() || (before.is_some() && before == self.shown(count)) {
            Ok(News::Same)
        } else if C::IS_LIST {
            Ok(News::Edit)
        } else {
            Ok(News::Another(self.next_value()?))
        }
    }

    fn again(&mut self, old: &C::Value, reader: &Reader<'_>) -> Result<News<C::Value>, QueryError> {
        Ok(News::of(old, self.start(reader)?, C::looks_like))
    }

    fn edit(&mut self, value: &mut Arc<C::Value>) -> bool {
        let Some(list) = C::list_mut(value) else { return false };
        self.steps.iter().for_each(|step| step.edit(list));
        true
    }
}
