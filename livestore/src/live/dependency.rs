//! The rows and columns that a query depends on.

use std::cmp::Ordering;

use crate::sqlite::Image;
use crate::table::{Comparison, Predicate, SelectAst, TableDef, TableRef, order};
use crate::value::Value;

/// A table that a query reads, and the rows of it that the query's result can depend on.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) table: &'static TableDef,
    /// How the index finds the query when a row changes.
    pub(crate) lookup: Lookup,
    /// Conditions that a row must meet, before or after a change, to matter.
    pub(crate) filters: Vec<Predicate>,
    /// The columns that matter; `None` if all do.
    pub(crate) columns: Option<Vec<usize>>,
}

/// A condition that every row that matters meets, of a kind that an index can look up. Other rows
/// may meet it, too.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lookup {
    /// The column has one of these values.
    Equal { column: usize, values: Vec<Value<'static>> },
    /// The column is in this range.
    Range(Range),
    /// Every row meets it.
    Any,
}

/// The values of a column from `low` to `high`, both included; `None` where there is no bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) column: usize,
    pub(crate) low: Option<Value<'static>>,
    pub(crate) high: Option<Value<'static>>,
}

impl Dependency {
    /// Any change of the table.
    pub(crate) fn all(table: &'static TableDef) -> Self {
        Self { table, lookup: Lookup::Any, filters: Vec::new(), columns: None }
    }

    /// The dependencies of a SELECT, one for each table.
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
                let lookup = lookup(&filters);
                let columns = select.columns_of(table);
                let dependency = Self { table: table.def, lookup, filters, columns };
                if unordered { dependency.in_any_order() } else { dependency }
            })
            .collect()
    }

    /// Adds the columns of all indexes: rows that the query does not order come in the order of
    /// whatever index SQLite uses.
    pub(crate) fn in_any_order(mut self) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.extend(self.table.indexed_columns());
            columns.sort_unstable();
            columns.dedup();
        }
        self
    }

    /// Whether a change of a row can matter: the row meets the conditions, before or after, and a
    /// column that matters has changed.
    pub(crate) fn is_affected(&self, old: Option<&Image>, new: Option<&Image>) -> bool {
        let included = |row: Option<&Image>| row.is_some_and(|row| self.includes(row));
        match (old, new) {
            (Some(before), Some(after)) if included(old) && included(new) => {
                self.differs(before, after)
            }
            _ => included(old) || included(new),
        }
    }

    /// Whether the row meets the conditions.
    pub(crate) fn includes(&self, row: &Image) -> bool {
        self.filters.iter().all(|filter| filter.holds(&row.values) == Some(true))
    }

    /// Whether [`includes`](Self::includes) is certain about the row. SQLite fails on some rows.
    pub(crate) fn can_decide(&self, row: &Image) -> bool {
        self.filters.iter().all(|filter| filter.can_decide(&row.values))
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

/// The conditions that use columns of this table alone, and that a row alone decides.
fn own_filters(select: &SelectAst, table: TableRef) -> Vec<Predicate> {
    let is_own = |filter: &&Predicate| {
        let mut own = !filter.has_search();
        filter.columns(&mut |column| own &= column.table == table);
        own
    };
    select.filters.iter().flat_map(Predicate::conjuncts).filter(is_own).cloned().collect()
}

/// The best condition to look up: an equality if there is one, else a range.
fn lookup(filters: &[Predicate]) -> Lookup {
    filters
        .iter()
        .find_map(equality)
        .or_else(|| range(filters).map(Lookup::Range))
        .unwrap_or(Lookup::Any)
}

fn equality(filter: &Predicate) -> Option<Lookup> {
    match filter {
        Predicate::Compare(column, Comparison::Is, value) => {
            Some(Lookup::Equal { column: column.index, values: vec![value.clone()] })
        }
        Predicate::In(column, values) if values.len() <= 64 => {
            Some(Lookup::Equal { column: column.index, values: values.clone() })
        }
        _ => None,
    }
}

/// The range that all bounds of a column leave. A column with bounds at both ends is preferred.
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
    /// Intersects the range with another.
    fn narrow(&mut self, other: Self) {
        tighten(&mut self.low, other.low, Ordering::Greater);
        tighten(&mut self.high, other.high, Ordering::Less);
    }
}

/// Replaces the bound by the other one if that is greater, or less.
fn tighten(end: &mut Option<Value<'static>>, other: Option<Value<'static>>, which: Ordering) {
    let is_tighter = match (&*end, &other) {
        (Some(end), Some(other)) => order(other, end) == which,
        (None, _) => true,
        (_, None) => false,
    };
    if is_tighter {
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
        let dependencies = Dependency::of_select(Spot::filter(filter).parts().0);
        let end = |end: &Option<Value<'_>>| end.as_ref().map(|end| end.as_integer().unwrap());
        match &dependencies[0].lookup {
            Lookup::Range(Range { column, low, high }) => Some((*column, end(low), end(high))),
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
