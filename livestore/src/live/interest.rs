//! What a live query must hear of.

use std::ops::Bound;

use crate::sqlite::Image;
use crate::table::{Comparison, Predicate, SelectAst, TableDef};
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
    Range { column: usize, low: Bound<Value<'static>>, high: Bound<Value<'static>> },
    /// Any row.
    Any,
}

impl Interest {
    /// Everything about a table.
    pub(crate) fn all(table: &'static TableDef) -> Self {
        Self { table, access: Access::Any, filters: Vec::new(), columns: None }
    }

    /// What a SELECT must hear of, table by table.
    pub(crate) fn of_select(select: &SelectAst) -> Vec<Self> {
        select
            .tables()
            .enumerate()
            .map(|(position, table)| {
                let is_left =
                    position > 0 && select.joins.get(position - 1).is_some_and(|join| join.left);
                let filters = if is_left { Vec::new() } else { own_filters(select, table) };
                let access = access(&filters);
                Self { table, access, filters, columns: select.columns_of(table) }
            })
            .collect()
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
    select.filters.iter().flat_map(conjuncts).filter(is_own).cloned().collect()
}

/// `a AND b` as `a`, `b`.
fn conjuncts(predicate: &Predicate) -> &[Predicate] {
    match predicate {
        Predicate::And(all) => all,
        other => std::slice::from_ref(other),
    }
}

/// The first condition an index can look up: an equality if there is one, else a range.
fn access(filters: &[Predicate]) -> Access {
    filters
        .iter()
        .find_map(equality)
        .or_else(|| filters.iter().find_map(range))
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

fn range(filter: &Predicate) -> Option<Access> {
    use Bound::{Included, Unbounded};
    let (column, low, high) = match filter {
        Predicate::Between(column, low, high) => {
            (column, Included(low.clone()), Included(high.clone()))
        }
        Predicate::Compare(column, Comparison::Lt | Comparison::Le, value) => {
            (column, Unbounded, Included(value.clone()))
        }
        Predicate::Compare(column, Comparison::Gt | Comparison::Ge, value) => {
            (column, Included(value.clone()), Unbounded)
        }
        _ => return None,
    };
    Some(Access::Range { column: column.index, low, high })
}
