//! Changes of several rows at once.

use std::fmt;
use std::marker::PhantomData;

use super::ast::{Aggregate, ColumnRef};
use super::predicate::Predicate;
use super::sql::{BoundSql, SqlWriter};
use super::{Column, Condition, In, Narrow, QueryError, Table};
use crate::value::{ColumnType, Operand, Value, ValueError};

/// A write that a materializer can run: an [`Update`], a [`Delete`], or one in [`sql!`](crate::sql).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a write",
    label = "expected an update or a delete"
)]
pub trait Write: sealed::Write {
    /// Whether the app wrote the SQL.
    #[doc(hidden)]
    const IS_APP_SQL: bool = false;

    /// The SQL and its binds.
    ///
    /// # Errors
    /// When an operand has no SQL form.
    #[doc(hidden)]
    fn to_sql(&self) -> Result<(String, Vec<Value<'static>>), QueryError>;
}

mod sealed {
    use super::super::{RawWrite, Table};
    use super::{Delete, Update};

    pub trait Write {}

    impl<T: Table> Write for Update<T> {}
    impl<T: Table> Write for Delete<T> {}
    impl Write for RawWrite {}

    pub trait Numeric {}
}

/// A number type that can be added up.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a number")]
pub trait Numeric: ColumnType + sealed::Numeric {
    /// The type of a sum.
    type Sum: ColumnType;

    #[doc(hidden)]
    const SUM: AggregateFunction;
}

/// The SQL function that adds up a type's values.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AggregateFunction(pub(super) Aggregate);

macro_rules! numeric {
    ($($number:ty => $sum:ty, $aggregate:ident;)*) => {$(
        impl sealed::Numeric for $number {}

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
    f32 => Option<f64>, SumReal;
    f64 => Option<f64>, SumReal;
}

/// A change of the rows of `T` that meet a [condition](Narrow::filter), or of all. [`Table::update`] makes it.
pub struct Update<T> {
    sets: Vec<(ColumnRef, Assignment)>,
    filters: Vec<Predicate>,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone)]
enum Assignment {
    To(Value<'static>),
    By(Value<'static>),
    Invalid(ValueError),
}

impl<T: Table> Update<T> {
    pub(super) fn new() -> Self {
        Self { sets: Vec::new(), filters: Vec::new(), of: PhantomData }
    }
}

macro_rules! narrow {
    ($($Write:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T: Table, U: In<T, At>, At> Narrow<Condition<U>, T, At> for $Write<T> {
            fn filter(mut self, condition: Condition<U>) -> Self {
                self.filters.push(condition.predicate);
                self
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T: Table, U: In<T, At>, At> Narrow<Option<Condition<U>>, T, At> for $Write<T> {
            fn filter(self, condition: Option<Condition<U>>) -> Self {
                match condition {
                    Some(condition) => self.filter(condition),
                    None => self,
                }
            }
        }
    )*};
}

narrow!(Update Delete);

/// A change of rows of `T` that can give a column of type `V` an `O`.
#[diagnostic::on_unimplemented(
    message = "a `{V}` column of `{T}` cannot be set to `{O}`",
    label = "expected a `{V}`"
)]
pub trait Assign<O, V, T> {
    /// Gives the column this value.
    #[must_use]
    fn set(self, column: Column<T, V>, value: O) -> Self;

    /// Adds to the column's number; `NULL` stays `NULL`.
    #[must_use]
    fn add(self, column: Column<T, V>, by: O) -> Self
    where
        V: ColumnType<Base: Numeric>;
}

#[diagnostic::do_not_recommend]
impl<T: Table, V: ColumnType, O: Operand<V>> Assign<O, V, T> for Update<T> {
    fn set(mut self, column: Column<T, V>, value: O) -> Self {
        let set = value.into_value().map_or_else(Assignment::Invalid, Assignment::To);
        self.sets.push((column.reference(), set));
        self
    }

    fn add(mut self, column: Column<T, V>, by: O) -> Self
    where
        V: ColumnType<Base: Numeric>,
    {
        let set = by.into_value().map_or_else(Assignment::Invalid, Assignment::By);
        self.sets.push((column.reference(), set));
        self
    }
}

impl<T: Table> Update<T> {
    /// Whether it changes one row at most: its condition gives the primary key a value.
    ///
    /// Then `FAIL` does what the default, `ABORT`, does, without a journal of the statement where
    /// triggers watch the table: `FAIL` keeps the rows that were changed before one failed a
    /// constraint, and SQLite checks a row's constraints before it changes the row. Foreign keys
    /// `ABORT` whatever is said here.
    fn is_of_one_row(&self) -> bool {
        let is_pinned = |&key: &usize| self.filters.iter().any(|filter| filter.pins(key));
        T::def().primary_key.iter().all(is_pinned)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Table> Write for Update<T> {
    fn to_sql(&self) -> Result<BoundSql, QueryError> {
        let mut sql = SqlWriter::new(false);
        sql.push(if self.is_of_one_row() { "UPDATE OR FAIL " } else { "UPDATE " });
        sql.name(T::NAME);
        sql.push(" SET ");
        for (n, (column, set)) in self.sets.iter().enumerate() {
            sql.push(if n == 0 { "" } else { ", " });
            sql.column(*column);
            sql.push(" = ");
            match set {
                Assignment::To(value) => sql.bind(value.clone()),
                Assignment::By(value) => {
                    sql.column(*column);
                    sql.push(" + ");
                    sql.bind(value.clone());
                }
                Assignment::Invalid(source) => {
                    return Err(QueryError::Value {
                        column: format!("{}.{}", T::NAME, column.name()),
                        source: source.clone(),
                    });
                }
            }
        }
        filters(&mut sql, &self.filters)?;
        if !self.is_of_one_row() && self.depends_on_order() {
            // With a subquery, as with a trigger, SQLite finds all rows before it changes the first:
            // being watched makes no difference.
            sql.push(if self.filters.is_empty() { " WHERE " } else { " AND " });
            sql.push("(SELECT 1)");
        }
        sql.finish()
    }
}

impl<T: Table> Update<T> {
    /// Whether it may fail or not, or fail otherwise, if its rows change in another order: where
    /// one row's new value stands in another's way, or where new values differ between rows.
    fn depends_on_order(&self) -> bool {
        let def = T::def();
        let is_unique = |column: &ColumnRef| def.is_unique(column.name());
        def.has_checks()
            || self
                .sets
                .iter()
                .any(|(column, set)| matches!(set, Assignment::By(_)) || is_unique(column))
    }
}

/// A deletion of the rows of `T` that meet a [condition](Narrow::filter), or of all. [`Table::delete`] makes it.
pub struct Delete<T> {
    filters: Vec<Predicate>,
    of: PhantomData<fn() -> T>,
}

impl<T: Table> Delete<T> {
    pub(super) fn new() -> Self {
        Self { filters: Vec::new(), of: PhantomData }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Table> Write for Delete<T> {
    fn to_sql(&self) -> Result<BoundSql, QueryError> {
        let mut sql = SqlWriter::new(false);
        sql.push("DELETE FROM ");
        sql.name(T::NAME);
        filters(&mut sql, &self.filters)?;
        sql.finish()
    }
}

/// The conditions of a write, which a materializer runs.
fn filters(sql: &mut SqlWriter, filters: &[Predicate]) -> Result<(), QueryError> {
    let mut searched = None;
    filters.iter().for_each(|filter| filter.searches(&mut |table, _| searched = Some(table)));
    match searched {
        Some(table) => Err(QueryError::search_in_materializer(table)),
        None => sql.filters(filters),
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

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[table]
    struct Room {
        #[column(primary_key)]
        id: i64,
    }

    #[table]
    #[derive(Debug, Clone, PartialEq)]
    struct Seat {
        #[column(primary_key)]
        id: i64,
        #[column(unique, check = "place > 0")]
        place: i64,
        #[column(references = Room::ID)]
        room: i64,
    }

    #[derive(Event)]
    enum Seating {
        #[event(name = "v1.Built")]
        Built,
        #[event(name = "v1.Moved")]
        Moved { place: i64, room: i64, fails: bool },
    }

    impl Materialize for Seating {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            let Self::Moved { place, room, fails } = self else {
                (1..=2).try_for_each(|id| {
                    state.insert(&Room { id })?;
                    state.insert(&Seat { id, place: id, room: id })
                })?;
                return Ok(());
            };
            let update = Seat::update().set(Seat::PLACE, *place).set(Seat::ROOM, *room);
            // It goes on after the failure.
            let moved = state.run(update.filter(Seat::ID.eq(1)));
            assert_eq!(moved.is_err(), *fails);
            state.run(Seat::update().add(Seat::PLACE, 10).filter(Seat::ID.eq(2)))
        }
    }

    crate::schema! { App { tables: [Room, Seat], events: [Seating] } }

    #[test]
    fn an_update_of_one_row_that_fails_changes_nothing() {
        for (place, room, fails) in [(3, 2, false), (2, 2, true), (0, 2, true), (3, 7, true)] {
            for is_watched in [false, true] {
                let store = Store::<App>::builder("seats").open().unwrap();
                store.commit(Seating::Built).unwrap();
                let live = is_watched.then(|| store.live(Seat::all()).unwrap());
                store.commit(Seating::Moved { place, room, fails }).unwrap();
                let (place, room) = if fails { (1, 1) } else { (place, room) };
                let seats = [Seat { id: 1, place, room }, Seat { id: 2, place: 12, room: 2 }];
                assert_eq!(store.query(Seat::all()).unwrap(), seats);
                assert!(live.is_none_or(|live| *live.get() == seats[..]));
            }
        }
    }
}
