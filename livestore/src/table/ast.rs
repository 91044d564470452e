//! Queries as data: what the typed builders build and `sql` writes out.

use super::TableDef;
use crate::value::{Value, ValueError};

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnRef {
    pub(crate) table: &'static TableDef,
    pub(crate) index: usize,
}

/// An expression that has a value for each row or group.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expression {
    Column(ColumnRef),
    CountAll,
    Aggregate(Aggregate, ColumnRef),
    /// The place of a row among all that were ever inserted.
    RowId(&'static TableDef),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    SumReal,
    Min,
    Max,
    Avg,
}

/// A condition on a row.
#[derive(Debug, Clone)]
pub(crate) enum Predicate {
    Compare(ColumnRef, Comparison, Value<'static>),
    Between(ColumnRef, Value<'static>, Value<'static>),
    In(ColumnRef, Vec<Value<'static>>),
    Like(ColumnRef, Value<'static>),
    /// The column is a JSON array that has the value.
    Contains(ColumnRef, Value<'static>),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    /// An operand that has no SQL form; the query that has it fails.
    Invalid(ColumnRef, ValueError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Equal; `NULL` equals `NULL`.
    Is,
    /// Not equal; `NULL` differs from every value.
    IsNot,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A whole SELECT.
#[derive(Debug, Clone)]
pub(crate) struct SelectAst {
    pub(crate) from: &'static TableDef,
    pub(crate) joins: Vec<Join>,
    /// The expressions to return; empty: all columns of all tables.
    pub(crate) list: Vec<Expression>,
    pub(crate) filters: Vec<Predicate>,
    pub(crate) group_by: Vec<ColumnRef>,
    pub(crate) order_by: Vec<(Expression, Direction)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    /// Return how many rows there are instead of the rows.
    pub(crate) counted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) table: &'static TableDef,
    pub(crate) left: bool,
    pub(crate) on: Vec<(ColumnRef, ColumnRef)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

impl Predicate {
    /// `a AND b` as `a`, `b`.
    pub(crate) fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(all) => all,
            other => std::slice::from_ref(other),
        }
    }

    /// Whether all rows that meet the condition have the same value in this column, not `NULL`.
    pub(crate) fn pins(&self, index: usize) -> bool {
        self.conjuncts().iter().any(|part| {
            matches!(part, Self::Compare(column, Comparison::Is, value)
                if column.index == index && *value != Value::Null)
        })
    }
}

impl SelectAst {
    pub(crate) fn new(from: &'static TableDef) -> Self {
        Self {
            from,
            joins: Vec::new(),
            list: Vec::new(),
            filters: Vec::new(),
            group_by: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            counted: false,
        }
    }

    /// The columns of `table` that the result depends on, ascending; `None`: all.
    pub(crate) fn columns_of(&self, table: &'static TableDef) -> Option<Vec<usize>> {
        if self.list.is_empty() && !self.counted || self.shows_any_row() {
            return None;
        }
        let mut columns = Vec::new();
        let mut add = |column: ColumnRef| {
            if std::ptr::eq(column.table, table) {
                columns.push(column.index);
            }
        };
        self.list.iter().chain(self.order_by.iter().map(|(node, _)| node)).for_each(|node| {
            if let Expression::Column(column) | Expression::Aggregate(_, column) = node {
                add(*column);
            }
        });
        self.filters.iter().for_each(|filter| filter.columns(&mut add));
        self.group_by.iter().copied().for_each(&mut add);
        let on = self.joins.iter().flat_map(|join| &join.on);
        on.flat_map(|(left, right)| [*left, *right]).for_each(&mut add);
        columns.sort_unstable();
        columns.dedup();
        Some(columns)
    }

    /// Whether it asks for a column of a group whose rows differ in it: SQLite chooses the row, and
    /// any column may decide which.
    fn shows_any_row(&self) -> bool {
        let is_key = |column: &ColumnRef| {
            self.group_by
                .iter()
                .any(|by| by.index == column.index && std::ptr::eq(by.table, column.table))
        };
        let (mut is_grouped, mut is_loose) = (!self.group_by.is_empty(), false);
        self.list.iter().chain(self.order_by.iter().map(|(node, _)| node)).for_each(|node| {
            is_grouped |= matches!(node, Expression::Aggregate(..) | Expression::CountAll);
            is_loose |= matches!(node, Expression::Column(column) if !is_key(column));
        });
        is_grouped && is_loose
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &'static TableDef> {
        std::iter::once(self.from).chain(self.joins.iter().map(|join| join.table))
    }
}
