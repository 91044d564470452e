//! Conditions as data.
//!
//! However many conditions an app joins, the tree stays shallow: `AND` and `OR` take any number of
//! parts, and what is nested deeper than [`MAX_DEPTH`] is an error of the query. So every walk over a
//! condition may recurse.

use super::ast::{ColumnRef, Comparison, Expression, TableRef};
use super::eval::order;
use super::{QueryError, TableDef};
use crate::value::{Value, ValueError};

/// The number of levels that a condition may have, in SQL. SQLite allows 1,000 levels in a statement.
pub(super) const MAX_DEPTH: usize = 200;

/// A condition on a row, or on a group of rows.
#[derive(Debug, Clone)]
pub(crate) enum Predicate {
    Compare(ColumnRef, Comparison, Value<'static>),
    CompareColumns(ColumnRef, Comparison, ColumnRef),
    /// Of a group.
    CompareAggregate(Expression, Comparison, Value<'static>),
    Between(ColumnRef, Value<'static>, Value<'static>),
    /// The values are in order, and differ.
    In(ColumnRef, Vec<Value<'static>>),
    Like(ColumnRef, Value<'static>),
    /// The column has this text in it, whatever the case of both; the text is [folded](crate::sqlite::fold).
    ContainsText(ColumnRef, String),
    /// The table's searched columns have these [words](crate::sqlite::words_of), of which there is one at least.
    Search(TableRef, String),
    /// The column is a JSON array that has the value.
    Contains(ColumnRef, Value<'static>),
    And(Parts),
    Or(Parts),
    Not(Box<Predicate>),
    /// A condition that cannot be decided; the query that has it fails.
    Invalid(Box<QueryError>),
}

/// The parts of an `AND` or an `OR`.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    all: Vec<Predicate>,
    /// The depth of the deepest part.
    deepest: usize,
}

impl Predicate {
    /// All of the parts hold.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts = Parts::of(parts, |part| match part {
            Self::And(parts) => Ok(parts),
            other => Err(other),
        });
        parts.map_or_else(|invalid| invalid, |parts| Self::And(parts).limited())
    }

    /// At least one of the parts holds.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts = Parts::of(parts, |part| match part {
            Self::Or(parts) => Ok(parts),
            other => Err(other),
        });
        parts.map_or_else(|invalid| invalid, |parts| Self::Or(parts).limited())
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            invalid @ Self::Invalid(_) => invalid,
            other => Self::limited(Self::Not(Box::new(other))),
        }
    }

    pub(crate) fn is_in(column: ColumnRef, mut values: Vec<Value<'static>>) -> Self {
        values.sort_unstable_by(order);
        values.dedup_by(|left, right| order(left, right).is_eq());
        Self::In(column, values)
    }

    /// An operand that has no SQL form.
    pub(crate) fn invalid(column: String, source: ValueError) -> Self {
        Self::Invalid(Box::new(QueryError::Value { column, source }))
    }

    fn limited(self) -> Self {
        if self.depth() <= MAX_DEPTH {
            return self;
        }
        Self::Invalid(Box::new(QueryError::TooDeep { max: MAX_DEPTH }))
    }

    fn depth(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.deepest + levels(parts.all.len()),
            Self::Not(inner) => inner.depth() + 1,
            _ => 1,
        }
    }

    /// `a AND b` as `a`, `b`.
    pub(crate) fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(parts) => &parts.all,
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

    /// Calls `visit` with every column that the condition reads.
    pub(crate) fn columns(&self, visit: &mut dyn FnMut(ColumnRef)) {
        match self {
            Self::Compare(column, ..)
            | Self::Between(column, ..)
            | Self::In(column, ..)
            | Self::Like(column, ..)
            | Self::ContainsText(column, ..)
            | Self::Contains(column, ..) => visit(*column),
            Self::CompareColumns(left, _, right) => {
                visit(*left);
                visit(*right);
            }
            Self::CompareAggregate(of, ..) => of.column().into_iter().for_each(visit),
            Self::Search(table, _) => {
                let searched = table.def.searched.iter();
                searched.for_each(|&index| visit(ColumnRef::new(*table, index)));
            }
            Self::And(parts) | Self::Or(parts) => {
                parts.all.iter().for_each(|part| part.columns(visit));
            }
            Self::Not(inner) => inner.columns(visit),
            Self::Invalid(_) => {}
        }
    }

    /// Calls `visit` with every table that the condition searches, and the words.
    pub(crate) fn searches(&self, visit: &mut dyn FnMut(&'static TableDef, &str)) {
        match self {
            Self::Search(table, words) => visit(table.def, words),
            Self::And(parts) | Self::Or(parts) => {
                parts.all.iter().for_each(|part| part.searches(visit));
            }
            Self::Not(inner) => inner.searches(visit),
            _ => {}
        }
    }

    /// Whether it searches a table: then an index decides it, and a row alone does not.
    pub(crate) fn has_search(&self) -> bool {
        let mut found = false;
        self.searches(&mut |_, _| found = true);
        found
    }
}

impl Parts {
    /// Of parts that are themselves such a list, takes the parts: those of the longest list first. An
    /// invalid part is returned instead.
    fn of(
        parts: impl IntoIterator<Item = Predicate>,
        list: impl Fn(Predicate) -> Result<Self, Predicate>,
    ) -> Result<Self, Predicate> {
        let mut joined = Self { all: Vec::new(), deepest: 0 };
        for part in parts {
            match list(part) {
                Ok(mut parts) => {
                    if parts.all.len() > joined.all.len() {
                        std::mem::swap(&mut parts, &mut joined);
                    }
                    joined.deepest = joined.deepest.max(parts.deepest);
                    joined.all.append(&mut parts.all);
                }
                Err(invalid @ Predicate::Invalid(_)) => return Err(invalid),
                Err(part) => {
                    joined.deepest = joined.deepest.max(part.depth());
                    joined.all.push(part);
                }
            }
        }
        Ok(joined)
    }

    /// The same parts of an `OR`, with one list for all values that a column is equal to: SQLite takes
    /// a list of any length, and takes long to plan many comparisons.
    pub(super) fn listed(&self, is_nullable: impl Fn(ColumnRef) -> bool) -> Vec<Predicate> {
        let (mut lists, mut others) = (Vec::<(ColumnRef, Vec<_>)>::new(), Vec::new());
        for part in &self.all {
            match part {
                Predicate::Compare(column, Comparison::Is, value) => {
                    match lists.iter_mut().find(|(listed, _)| listed == column) {
                        Some((_, values)) => values.push(value.clone()),
                        None => lists.push((*column, vec![value.clone()])),
                    }
                }
                other => others.push(other.clone()),
            }
        }
        others.extend(lists.into_iter().map(|(column, values)| {
            let may_be_unknown = is_nullable(column) && !values.contains(&Value::Null);
            let list = Predicate::is_in(column, values);
            // `NULL = 1` is unknown, and `NULL IS 1` is false.
            let known = Predicate::Compare(column, Comparison::IsNot, Value::Null);
            if may_be_unknown { Predicate::all([known, list]) } else { list }
        }));
        others
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Predicate> {
        self.all.iter()
    }

    pub(super) fn as_slice(&self) -> &[Predicate] {
        &self.all
    }
}

/// The most parts that are written side by side. SQLite nests them: each is one level deeper.
pub(super) const SIDE_BY_SIDE: usize = 4;

/// The number of levels that a list of parts has, written in halves of halves.
fn levels(parts: usize) -> usize {
    match parts {
        0..=SIDE_BY_SIDE => parts.saturating_sub(1).max(1),
        more => (more - 1).ilog2() as usize + 2,
    }
}
