//! What a live query must hear of.

use std::cmp::Ordering;

use crate::sqlite::Image;
use crate::table::{Comparison, Predicate, SelectAst, TableDef, order};
use crate::value::Value;

/// A table that a query reads, and which of its rows can matter.
#[derive(Debug, Clone)]
pub(crate) struct Interest {
    pub(crate) table: &'static TableDef,
    /// How the index finds the query when a row changes.
    pub(crate) access: Access,
    /// Conditions that a row must meet, before or after, to matter.
    pub(crate) filters: Vec<Predicate>,
    /// The columns that matter; `None`: all.
    pub(crate) columns: Option<Vec<usize>>,
}

/// One condition that every row that matters meets: a superset, to be looked up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Access {
    /// The column has one of these values.
    Equal { column: usize, values: Vec<Value<'static>> },
    /// The column is in this range.
    Range(Range),
    /// Any row.
    Any,
}

/// Values of a column from `low` to `high`, both included; `None` is no end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) column: usize,
    pub(crate) low: Option<Value<'static>>,
    pub(crate) high: Option<Value<'static>>,
}

impl Interest {
    /// Everything about a table.
    pub(crate) fn all(table: &'static TableDef) -> Self {
        Self { table, access: Access::Any, filters: Vec::new(), columns: None }
    }

    /// What a SELECT must hear of, table by table.
    pub(crate) fn of_select(select: &SelectAst) -> Vec<Self> {
        // The rows of one table are in order; of those of several, some may be in any.
        let unordered = !select.joins.is_empty();
        select
            .tables()
            .enumerate()
            .map(|(position, table)| {
                let is_left =
                    position > 0 && select.joins.get(position - 1).is_some_and(|join| join.left);
                let filters = if is_left { Vec::new() } else { own_filters(select, table) };
                let access = access(&filters);
                let interest = Self { table, access, filters, columns: select.columns_of(table) };
                if unordered { interest.in_any_order() } else { interest }
            })
            .collect()
    }

    /// Rows that the query puts in no order come in that of whatever index SQLite goes through: its
    /// columns matter, too.
    pub(crate) fn in_any_order(mut self) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.extend(self.table.indexed_columns());
            columns.sort_unstable();
            columns.dedup();
        }
        self
    }

    /// Whether a change of a row can matter: before or after, it meets the conditions, and a column
    /// that matters is another.
    pub(crate) fn meets(&self, old: Option<&Image>, new: Option<&Image>) -> bool {
        let (was, is) = (self.has(old), self.has(new));
        match (old, new) {
            (Some(old), Some(new)) if was && is => self.differs(old, new),
            _ => was || is,
        }
    }

    /// Whether the row meets the conditions.
    pub(crate) fn has(&self, row: Option<&Image>) -> bool {
        row.is_some_and(|row| {
            self.filters.iter().all(|filter| filter.holds(&row.values) == Some(true))
        })
    }

    fn differs(&self, old: &Image, new: &Image) -> bool {
        match &self.columns {
            None => old != new,
            Some(columns) => {
                old.rowid != new.rowid
                    || columns
                        .iter()
                        .any(|&column| old.values.get(column) != new.values.get(column))
            }
        }
    }
}

/// The conditions that are about this table alone.
fn own_filters(select: &SelectAst, table: &'static TableDef) -> Vec<Predicate> {
    let is_own = |filter: &&Predicate| {
        let mut own = true;
        filter.columns(&mut |column| own &= std::ptr::eq(column.table, table));
        own
    };
    select.filters.iter().flat_map(Predicate::conjuncts).filter(is_own).cloned().collect()
}

/// What an index can look up: an equality if there is one, else a range.
fn access(filters: &[Predicate]) -> Access {
    filters
        .iter()
        .find_map(equality)
        .or_else(|| range(filters).map(Access::Range))
        .unwrap_or(Access::Any)
}

fn equality(filter: &Predicate) -> Option<Access> {
    match filter {
        Predicate::Compare(column, Comparison::Is, value) => {
            Some(Access::Equal { column: column.index, values: vec![value.clone()] })
        }
        Predicate::In(column, values) if values.len() <= 64 => {
            Some(Access::Equal { column: column.index, values: values.clone() })
        }
        _ => None,
    }
}

/// What all bounds of a column together leave of it; best of a column that has both ends.
fn range(filters: &[Predicate]) -> Option<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for bound in filters.iter().filter_map(bound) {
        match ranges.iter_mut().find(|range| range.column == bound.column) {
            Some(range) => range.narrow(bound),
            None => ranges.push(bound),
        }
    }
    ranges.sort_by_key(|range| range.low.is_none() || range.high.is_none());
    ranges.into_iter().next()
}

fn bound(filter: &Predicate) -> Option<Range> {
    let (column, low, high) = match filter {
        Predicate::Between(column, low, high) => (column, Some(low), Some(high)),
        Predicate::Compare(column, Comparison::Lt | Comparison::Le, value) => {
            (column, None, Some(value))
        }
        Predicate::Compare(column, Comparison::Gt | Comparison::Ge, value) => {
            (column, Some(value), None)
        }
        _ => return None,
    };
    Some(Range { column: column.index, low: low.cloned(), high: high.cloned() })
}

impl Range {
    /// Leaves what is in the other, too.
    fn narrow(&mut self, other: Self) {
        keep(&mut self.low, other.low, Ordering::Greater);
        keep(&mut self.high, other.high, Ordering::Less);
    }
}

/// Of two ends, the one that is greater, or less.
fn keep(end: &mut Option<Value<'static>>, other: Option<Value<'static>>, which: Ordering) {
    let is_other = match (&*end, &other) {
        (Some(end), Some(other)) => order(other, end) == which,
        (None, _) => true,
        (_, None) => false,
    };
    if is_other {
        *end = other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[table]
    struct Spot {
        #[column(primary_key)]
        x: i64,
        y: i64,
    }

    fn looked_up(filter: Condition<Spot>) -> Option<(usize, Option<i64>, Option<i64>)> {
        let interests = Interest::of_select(Spot::filter(filter).parts().0);
        let end = |end: &Option<Value<'_>>| end.as_ref().map(|end| end.as_integer().unwrap());
        match &interests[0].access {
            Access::Range(Range { column, low, high }) => Some((*column, end(low), end(high))),
            _ => None,
        }
    }

    #[test]
    fn bounds_of_a_column_are_one_range() {
        let both = Spot::Y.ge(2).and(Spot::Y.lt(5));
        assert_eq!(looked_up(both), Some((1, Some(2), Some(5))));
        let narrower = Spot::Y.between(1, 9).and(Spot::Y.gt(3)).and(Spot::Y.le(20));
        assert_eq!(looked_up(narrower), Some((1, Some(3), Some(9))));
        let never = Spot::Y.lt(0).and(Spot::Y.gt(7));
        assert_eq!(looked_up(never), Some((1, Some(7), Some(0))));
    }

    #[test]
    fn a_range_with_both_ends_is_better() {
        let filter = Spot::X.gt(0).and(Spot::Y.lt(5)).and(Spot::Y.gt(1));
        assert_eq!(looked_up(filter), Some((1, Some(1), Some(5))));
        assert_eq!(looked_up(Spot::X.gt(0).and(Spot::Y.lt(5))), Some((0, Some(0), None)));
        assert_eq!(looked_up(Spot::Y.gt(0).and(Spot::X.eq(5))), None, "an equality is better");
    }
}
