//! Conditions on groups: comparisons of aggregates.

use std::fmt;
use std::marker::PhantomData;

use super::ast::Comparison;
use super::predicate::Predicate;
use super::{Both, Expr};
use crate::value::{ColumnType, Operand};

/// A condition on the groups of a query, for [`having`](super::Group::having): an aggregate compared
/// with a value.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Todo { #[column(primary_key)] id: String, list: String, points: i64 }
/// let long_lists = Todo::all()
///     .group_by(Todo::LIST)
///     .having(count().gt(10).or(Todo::POINTS.sum().ge(100)))
///     .select((Todo::LIST, count()));
/// ```
#[derive(Clone)]
pub struct Having<T> {
    pub(super) predicate: Predicate,
    of: PhantomData<fn() -> T>,
}

impl<T> Having<T> {
    fn new(predicate: Predicate) -> Self {
        Self { predicate, of: PhantomData }
    }

    /// Both conditions hold.
    #[must_use]
    pub fn and<U>(self, other: Having<U>) -> Having<Both<T, U>> {
        Having::new(Predicate::all([self.predicate, other.predicate]))
    }

    /// At least one of the conditions holds.
    #[must_use]
    pub fn or<U>(self, other: Having<U>) -> Having<Both<T, U>> {
        Having::new(Predicate::any([self.predicate, other.predicate]))
    }
}

/// The condition does not hold.
impl<T> std::ops::Not for Having<T> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(self.predicate.negated())
    }
}

impl<T, V: ColumnType> Expr<T, V> {
    /// Equal to the value. `None` equals `NULL`.
    pub fn eq(self, value: impl Operand<V>) -> Having<T> {
        self.compare(Comparison::Is, value)
    }

    /// Not equal to the value. `NULL` differs from every value but `None`.
    pub fn ne(self, value: impl Operand<V>) -> Having<T> {
        self.compare(Comparison::IsNot, value)
    }

    /// Less than the value; never true for `NULL`.
    pub fn lt(self, value: impl Operand<V>) -> Having<T> {
        self.compare(Comparison::Lt, value)
    }

    /// At most the value; never true for `NULL`.
    pub fn le(self, value: impl Operand<V>) -> Having<T> {
        self.compare(Comparison::Le, value)
    }

    /// Greater than the value; never true for `NULL`.
    pub fn gt(self, value: impl Operand<V>) -> Having<T> {
        self.compare(Comparison::Gt, value)
    }

    /// At least the value; never true for `NULL`.
    pub fn ge(self, value: impl Operand<V>) -> Having<T> {
        self.compare(Comparison::Ge, value)
    }

    fn compare(self, comparison: Comparison, value: impl Operand<V>) -> Having<T> {
        Having::new(match value.into_value() {
            Ok(value) => Predicate::CompareAggregate(self.node, comparison, value),
            Err(error) => Predicate::invalid(self.node.description(), error),
        })
    }
}

impl<T> fmt::Debug for Having<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.predicate.fmt(f)
    }
}
