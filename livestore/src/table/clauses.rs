//! The clauses of a query that must fit its tables: filter, order, group, join and select.

use super::ast::Join;
use super::{
    Append, Column, Condition, In, Maybe, On, Order, Select, SelectList, Selection, Source, Table,
};
use crate::value::ColumnType;

/// A query over `S` that can speak of the table `T`: with a condition on it, or a column of it.
///
/// The traits of this file are, as [`Compare`](super::Compare) is, for the sake of short messages.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not part of this query",
    label = "the query reads from `{S}`",
    note = "join `{T}` first, or use a column of the query's own tables"
)]
pub trait Narrow<T, S, At>: Sized {
    /// Only rows that meet the condition, too.
    #[must_use]
    fn filter(self, condition: Condition<T>) -> Self;

    /// Ordered by this; after what was said before, where that is equal.
    #[must_use]
    fn order_by(self, order: Order<T>) -> Self;

    /// One row per value of the column; call it again for several columns. Select the column and
    /// aggregates.
    #[must_use]
    fn group_by<V: ColumnType>(self, column: Column<T, V>) -> Self
    where
        T: Table;
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, C, T: In<S, At>, At> Narrow<T, S, At> for Select<S, O, C> {
    fn filter(mut self, condition: Condition<T>) -> Self {
        self.ast.filters.push(condition.predicate);
        self
    }

    fn order_by(mut self, order: Order<T>) -> Self {
        self.ast.order_by.push((order.node, order.direction));
        self
    }

    fn group_by<V: ColumnType>(mut self, column: Column<T, V>) -> Self
    where
        T: Table,
    {
        self.ast.group_by.push(column.reference());
        self
    }
}

/// A query over `S` that tables can be joined to by columns of the table `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not part of this query",
    label = "the query reads from `{S}`",
    note = "join `{T}` first, or use a column of the query's own tables"
)]
pub trait Joins<T, S: Source, At>: Sized {
    /// With the matching rows of another table; rows without a match are left out.
    #[must_use]
    fn join<U: Table>(self, on: On<T, U>) -> Select<<S as Append<U>>::Out>
    where
        S: Append<U>;

    /// With the matching rows of another table; rows without a match have `None` there.
    #[must_use]
    fn left_join<U: Table>(self, on: On<T, U>) -> Select<<S as Append<Maybe<U>>>::Out>
    where
        S: Append<Maybe<U>>;
}

#[diagnostic::do_not_recommend]
impl<S: Source, T: In<S, At>, At> Joins<T, S, At> for Select<S> {
    fn join<U: Table>(mut self, on: On<T, U>) -> Select<<S as Append<U>>::Out>
    where
        S: Append<U>,
    {
        self.ast.joins.push(Join { table: U::def(), left: false, on: on.pairs });
        self.with(<S as Append<U>>::Out::decode)
    }

    fn left_join<U: Table>(mut self, on: On<T, U>) -> Select<<S as Append<Maybe<U>>>::Out>
    where
        S: Append<Maybe<U>>,
    {
        self.ast.joins.push(Join { table: U::def(), left: true, on: on.pairs });
        self.with(<S as Append<Maybe<U>>>::Out::decode)
    }
}

/// A query over `S` of which an `E` can be selected, which gives `Out`.
#[diagnostic::on_unimplemented(
    message = "`{E}` cannot be selected from `{S}`",
    label = "not a part of this query",
    note = "select columns of the query's tables, expressions such as `count()`, or a tuple of them"
)]
pub trait Choose<E, S: Source, At, Out>: Sized {
    /// A column, an expression, or a tuple of them, instead of whole rows.
    #[must_use]
    fn select(self, selection: E) -> Select<S, Out>;
}

#[diagnostic::do_not_recommend]
impl<S, O, E, At, Out> Choose<E, S, At, Out> for Select<S, O>
where
    S: Source,
    E: Selection<S, At, Out = Out>,
{
    fn select(mut self, selection: E) -> Select<S, Out> {
        let mut list = SelectList::new();
        selection.list(&mut list);
        self.ast.list = list.nodes;
        self.with(|row| E::decode(row, &mut 0))
    }
}
