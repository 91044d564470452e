//! Changes of several rows at once.

use std::fmt;
use std::marker::PhantomData;

use super::ast::{Aggregate, ColumnRef, Predicate};
use super::sql::{Sql, SqlWriter};
use super::{Column, Condition, QueryError, Table};
use crate::value::{ColumnType, Operand, Value, ValueError};

/// Something a materializer can run: an [`Update`], a [`Delete`], or a write in [`sql!`](crate::sql).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a write",
    label = "expected an update or a delete"
)]
pub trait Write {
    /// Whether the SQL is the app's own words.
    #[doc(hidden)]
    const BY_THE_APP: bool = false;

    /// The SQL and its binds.
    ///
    /// # Errors
    /// When an operand has no SQL form.
    #[doc(hidden)]
    fn to_sql(&self) -> Result<(String, Vec<Value<'static>>), QueryError>;
}

/// A number type that can be added up.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a number")]
pub trait Numeric: ColumnType {
    /// The type of a sum.
    type Sum: ColumnType;

    #[doc(hidden)]
    const SUM: AggregateFunction;
}

/// How a type's values are added up. For generated code.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AggregateFunction(pub(super) Aggregate);

macro_rules! numeric {
    ($($number:ty => $sum:ty, $aggregate:ident;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Numeric for $number {
            type Sum = $sum;
            const SUM: AggregateFunction = AggregateFunction(Aggregate::$aggregate);
        }
    )*};
}

numeric! {
    i8 => i64, Sum;
    i16 => i64, Sum;
    i32 => i64, Sum;
    i64 => i64, Sum;
    u8 => i64, Sum;
    u16 => i64, Sum;
    u32 => i64, Sum;
    u64 => i64, Sum;
    f32 => f64, SumReal;
    f64 => f64, SumReal;
}

/// A change of the rows of `T` that meet a condition. [`Table::update`] makes it.
pub struct Update<T> {
    sets: Vec<(ColumnRef, Set)>,
    filters: Vec<Predicate>,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone)]
enum Set {
    To(Value<'static>),
    By(Value<'static>),
    Invalid(ValueError),
}

impl<T: Table> Update<T> {
    pub(super) fn new() -> Self {
        Self { sets: Vec::new(), filters: Vec::new(), of: PhantomData }
    }

    /// Gives the column this value.
    #[must_use]
    pub fn set<V: ColumnType>(mut self, column: Column<T, V>, value: impl Operand<V>) -> Self {
        let set = value.into_value().map_or_else(Set::Invalid, Set::To);
        self.sets.push((column.reference(), set));
        self
    }

    /// Adds to the column's number; `NULL` stays `NULL`.
    #[must_use]
    pub fn add<V: ColumnType<Base: Numeric>>(
        mut self,
        column: Column<T, V>,
        by: impl Operand<V>,
    ) -> Self {
        let set = by.into_value().map_or_else(Set::Invalid, Set::By);
        self.sets.push((column.reference(), set));
        self
    }

    /// Only rows that meet the condition, too. Without one, all rows change.
    #[must_use]
    pub fn filter(mut self, condition: Condition<T>) -> Self {
        self.filters.push(condition.predicate);
        self
    }
}

impl<T: Table> Write for Update<T> {
    fn to_sql(&self) -> Result<Sql, QueryError> {
        let mut sql = SqlWriter::new(false);
        sql.push("UPDATE ");
        sql.name(T::NAME);
        sql.push(" SET ");
        for (n, (column, set)) in self.sets.iter().enumerate() {
            sql.push(if n == 0 { "" } else { ", " });
            sql.column(*column);
            sql.push(" = ");
            match set {
                Set::To(value) => sql.bind(value.clone()),
                Set::By(value) => {
                    sql.column(*column);
                    sql.push(" + ");
                    sql.bind(value.clone());
                }
                Set::Invalid(source) => {
                    return Err(QueryError::Value {
                        column: format!("{}.{}", T::NAME, column.name()),
                        source: source.clone(),
                    });
                }
            }
        }
        sql.filters(&self.filters)?;
        Ok(sql.finish())
    }
}

/// A deletion of the rows of `T` that meet a condition. [`Table::delete`] makes it.
pub struct Delete<T> {
    filters: Vec<Predicate>,
    of: PhantomData<fn() -> T>,
}

impl<T: Table> Delete<T> {
    pub(super) fn new() -> Self {
        Self { filters: Vec::new(), of: PhantomData }
    }

    /// Only rows that meet the condition, too. Without one, all rows go.
    #[must_use]
    pub fn filter(mut self, condition: Condition<T>) -> Self {
        self.filters.push(condition.predicate);
        self
    }
}

impl<T: Table> Write for Delete<T> {
    fn to_sql(&self) -> Result<Sql, QueryError> {
        let mut sql = SqlWriter::new(false);
        sql.push("DELETE FROM ");
        sql.name(T::NAME);
        sql.filters(&self.filters)?;
        Ok(sql.finish())
    }
}

impl<T> fmt::Debug for Update<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("sets", &self.sets).field("filters", &self.filters).finish()
    }
}

impl<T> fmt::Debug for Delete<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete").field("filters", &self.filters).finish()
    }
}
