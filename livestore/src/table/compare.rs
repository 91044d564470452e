//! Comparing a column with a value, or with another column.

use super::ast::{ColumnRef, Comparison};
use super::predicate::Predicate;
use super::{Both, Column, Condition, Joined, Relation, SameType};
use crate::value::{ColumnType, Operand, Value, ValueError};

/// A column of type `V`, of table `T`, that can be compared with an `O`.
///
/// It is a trait so that a mistake is reported in few lines: where a method's own bound fails, the
/// compiler adds where that bound stands; where a method's trait is not implemented, it does not.
#[diagnostic::on_unimplemented(
    message = "a `{V}` column of `{T}` cannot be compared with `{O}`",
    label = "expected a `{V}`",
    note = "compare it with a value of its own type: a time with `\"2026-01-31T00:00:00Z\".parse::<Timestamp>()?`, an enum with a variant, JSON with `Json(…)`",
    note = "or with a column of the same type: of a joined table with `column.joined()`"
)]
pub trait Compare<O, V, T>: Sized {
    /// The tables that the condition is about: `T`, and that of a [`joined`](Column::joined) column.
    type On;

    /// Equal to the value or the other column. `None` equals `NULL`, and `NULL` equals `NULL`.
    fn eq(self, value: O) -> Condition<Self::On>;

    /// Not equal to the value or the other column. `NULL` differs from every value but `None`.
    fn ne(self, value: O) -> Condition<Self::On>;

    /// Less than the value or the other column; never true for `NULL`. An enum that is stored as text has no
    /// order that means something, and this does not compile for it.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[derive(ColumnType)] #[column_type(integer)] enum Status { Open, Done }
    /// # #[table] struct Issue { #[column(primary_key)] id: String, status: Status }
    /// let open = Issue::filter(Issue::STATUS.lt(Status::Done));
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use livestore::prelude::*;
    /// # #[derive(ColumnType)] enum Status { Open, Done }
    /// # #[table] struct Issue { #[column(primary_key)] id: String, status: Status }
    /// let open = Issue::filter(Issue::STATUS.lt(Status::Done));
    /// ```
    fn lt(self, value: O) -> Condition<Self::On>;

    /// At most the value or the other column; never true for `NULL`.
    fn le(self, value: O) -> Condition<Self::On>;

    /// Greater than the value or the other column; never true for `NULL`.
    fn gt(self, value: O) -> Condition<Self::On>;

    /// At least the value or the other column; never true for `NULL`.
    fn ge(self, value: O) -> Condition<Self::On>;
}

#[diagnostic::do_not_recommend]
impl<T: Relation, V: ColumnType, O: Comparand<V, T>> Compare<O, V, T> for Column<T, V> {
    type On = O::On;

    fn eq(self, value: O) -> Condition<O::On> {
        compare(self, Comparison::Is, value)
    }

    fn ne(self, value: O) -> Condition<O::On> {
        compare(self, Comparison::IsNot, value)
    }

    fn lt(self, value: O) -> Condition<O::On> {
        const { assert_order::<V>() };
        compare(self, Comparison::Lt, value)
    }

    fn le(self, value: O) -> Condition<O::On> {
        const { assert_order::<V>() };
        compare(self, Comparison::Le, value)
    }

    fn gt(self, value: O) -> Condition<O::On> {
        const { assert_order::<V>() };
        compare(self, Comparison::Gt, value)
    }

    fn ge(self, value: O) -> Condition<O::On> {
        const { assert_order::<V>() };
        compare(self, Comparison::Ge, value)
    }
}

/// Refuses an enum that is stored as text: its variants have the order of the alphabet.
const fn assert_order<V: ColumnType>() {
    assert!(
        V::VARIANTS.is_empty(),
        "an enum that is stored as text has the order of the alphabet: list the variants that are meant with \
         `.in_([…])`, or store the enum as integers, with `#[column_type(integer)]`"
    );
}

fn compare<T: Relation, V: ColumnType, O: Comparand<V, T>>(
    column: Column<T, V>,
    comparison: Comparison,
    value: O,
) -> Condition<O::On> {
    let column = column.reference();
    Condition::new(match value.compared() {
        Ok(Compared::Value(value)) => Predicate::Compare(column, comparison, value),
        Ok(Compared::Column(other)) => Predicate::CompareColumns(column, comparison, other),
        Err(error) => Predicate::invalid(column.full_name(), error),
    })
}

/// The other side of a comparison with a column of type `V` of table `T`: an [`Operand`], or a column.
pub trait Comparand<V, T> {
    /// The tables that the comparison is about.
    type On;

    #[doc(hidden)]
    fn compared(self) -> Result<Compared, ValueError>;
}

/// What a column is compared with.
#[doc(hidden)]
#[derive(Debug)]
pub enum Compared {
    Value(Value<'static>),
    #[expect(private_interfaces, reason = "apps cannot name it")]
    Column(ColumnRef),
}

/// Not once for all operands: a column could become one, for all that the compiler knows.
macro_rules! values {
    ($(($($V:ident)?) $operand:ty => $of:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($V: ColumnType,)? T> Comparand<$of, T> for $operand {
            type On = T;

            fn compared(self) -> Result<Compared, ValueError> {
                Operand::<$of>::into_value(self).map(Compared::Value)
            }
        }
    )*};
}

values! {
    (V) V => V;
    (V) &V => V;
    (V) V => Option<V>;
    (V) &V => Option<V>;
    () &str => String;
    () &str => Option<String>;
}

#[diagnostic::do_not_recommend]
impl<T: Relation, V: SameType<W>, W: ColumnType> Comparand<V, T> for Column<T, W> {
    type On = T;

    fn compared(self) -> Result<Compared, ValueError> {
        Ok(Compared::Column(self.reference()))
    }
}

#[diagnostic::do_not_recommend]
impl<T, U: Relation, V: SameType<W>, W: ColumnType> Comparand<V, T> for Joined<U, W> {
    type On = Both<T, U>;

    fn compared(self) -> Result<Compared, ValueError> {
        Ok(Compared::Column(self.0.reference()))
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
    T: Relation,
    V: ColumnType,
    I: IntoIterator<Item: Operand<V>>,
{
    fn in_(self, values: I) -> Condition<T> {
        let column = self.reference();
        let values: Result<Vec<_>, _> = values.into_iter().map(Operand::into_value).collect();
        Condition::new(match values {
            Ok(values) => Predicate::is_in(column, values),
            Err(error) => Predicate::invalid(column.full_name(), error),
        })
    }
}

/// Rust's own `==` and `<` give a `bool`, and a query needs a condition.
#[diagnostic::on_unimplemented(
    message = "a column is compared by method: write `.eq(…)` for `==`, `.ne(…)` for `!=`, `.lt(…)`, `.le(…)`, `.gt(…)` and `.ge(…)` for `<`, `<=`, `>` and `>=`",
    label = "use a method instead"
)]
pub trait ComparedByOperator {
    #[doc(hidden)]
    fn never(&self) -> bool;
}

impl<T, V, O: ComparedByOperator> PartialEq<O> for Column<T, V> {
    fn eq(&self, other: &O) -> bool {
        other.never()
    }
}

impl<T, V, O: ComparedByOperator> PartialOrd<O> for Column<T, V> {
    fn partial_cmp(&self, other: &O) -> Option<std::cmp::Ordering> {
        other.never().then_some(std::cmp::Ordering::Equal)
    }
}
