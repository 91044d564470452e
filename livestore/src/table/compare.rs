//! Comparing a column with a value.

use super::ast::{Comparison, Predicate};
use super::{Column, Condition, Table};
use crate::value::{ColumnType, Operand};

/// A column of type `V`, of table `T`, that can be compared with an `O`.
///
/// It is a trait so that a mistake is reported in few lines: where a method's own bound fails, the
/// compiler adds where that bound stands; where a method's trait is not implemented, it does not.
#[diagnostic::on_unimplemented(
    message = "a `{V}` column of `{T}` cannot be compared with `{O}`",
    label = "expected a `{V}`"
)]
pub trait Compare<O, V, T>: Sized {
    /// Equal to the value. `None` equals `NULL`.
    fn eq(self, value: O) -> Condition<T>;

    /// Not equal to the value. `NULL` differs from every value but `None`.
    fn ne(self, value: O) -> Condition<T>;

    /// Less than the value; never true for `NULL`.
    fn lt(self, value: O) -> Condition<T>;

    /// At most the value; never true for `NULL`.
    fn le(self, value: O) -> Condition<T>;

    /// Greater than the value; never true for `NULL`.
    fn gt(self, value: O) -> Condition<T>;

    /// At least the value; never true for `NULL`.
    fn ge(self, value: O) -> Condition<T>;
}

#[diagnostic::do_not_recommend]
impl<T: Table, V: ColumnType, O: Operand<V>> Compare<O, V, T> for Column<T, V> {
    fn eq(self, value: O) -> Condition<T> {
        compare(self, Comparison::Is, value)
    }

    fn ne(self, value: O) -> Condition<T> {
        compare(self, Comparison::IsNot, value)
    }

    fn lt(self, value: O) -> Condition<T> {
        compare(self, Comparison::Lt, value)
    }

    fn le(self, value: O) -> Condition<T> {
        compare(self, Comparison::Le, value)
    }

    fn gt(self, value: O) -> Condition<T> {
        compare(self, Comparison::Gt, value)
    }

    fn ge(self, value: O) -> Condition<T> {
        compare(self, Comparison::Ge, value)
    }
}

/// A column of type `V`, of table `T`, that can be compared with each item of `I`.
#[diagnostic::on_unimplemented(
    message = "a `{V}` column of `{T}` cannot be compared with the items of `{I}`",
    label = "expected a list of `{V}`"
)]
pub trait CompareAny<I, V, T>: Sized {
    /// One of the values. An empty list has none.
    fn in_(self, values: I) -> Condition<T>;
}

#[diagnostic::do_not_recommend]
impl<T, V, I> CompareAny<I, V, T> for Column<T, V>
where
    T: Table,
    V: ColumnType,
    I: IntoIterator<Item: Operand<V>>,
{
    fn in_(self, values: I) -> Condition<T> {
        let column = self.reference();
        let values: Result<Vec<_>, _> = values.into_iter().map(Operand::into_value).collect();
        Condition::new(match values {
            Ok(values) => Predicate::In(column, values),
            Err(error) => Predicate::Invalid(column, error),
        })
    }
}

fn compare<T: Table, V: ColumnType>(
    column: Column<T, V>,
    comparison: Comparison,
    value: impl Operand<V>,
) -> Condition<T> {
    let column = column.reference();
    Condition::new(match value.into_value() {
        Ok(value) => Predicate::Compare(column, comparison, value),
        Err(error) => Predicate::Invalid(column, error),
    })
}
