//! The clauses of a query that must fit its tables: filter, order, group, join and select.

use super::ast::Join;
use super::{
    Append, Column, Condition, Expr, Having, In, Maybe, NoCase, On, Order, Relation, Select,
    SelectList, Selection, Source, alias,
};
use crate::value::ColumnType;

/// A query over `S`, an update or a deletion, that takes a condition `C`: a [`Condition`] on its tables, or
/// an `Option` of one, of which `None` leaves all rows.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Todo { #[column(primary_key)] id: String, text: String, done: bool }
/// fn found(search: Option<&str>) -> impl Query<Output = Vec<Todo>> {
///     Todo::filter(Todo::DONE.eq(false)).filter(search.map(|text| Todo::TEXT.contains_text(text)))
/// }
/// ```
///
/// The traits of this file are, as [`Compare`](super::Compare) is, for the sake of short messages.
#[diagnostic::on_unimplemented(
    message = "`{C}` is not a condition on the rows of this query",
    label = "expected a condition on a table of the query",
    note = "join another table first; a condition on groups, such as `count().gt(1)`, belongs in `having`",
    note = "a column is compared by method, such as `.eq(…)` or `.lt(…)`; conditions are joined with `a.and(b)` or `a & b`, `a.or(b)` or `a | b`, and `!a`"
)]
pub trait Narrow<C, S, At>: Sized {
    /// Only rows that meet the condition, too.
    #[must_use]
    fn filter(self, condition: C) -> Self;
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, N, T: In<S, At>, At> Narrow<Condition<T>, S, At> for Select<S, O, N> {
    fn filter(mut self, condition: Condition<T>) -> Self {
        self.ast.filters.push(condition.predicate);
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, N, T: In<S, At>, At> Narrow<Option<Condition<T>>, S, At> for Select<S, O, N> {
    fn filter(self, condition: Option<Condition<T>>) -> Self {
        match condition {
            Some(condition) => self.filter(condition),
            None => self,
        }
    }
}

/// A query over `S` that can be ordered by an `O`: a [`Column`], an [`Expr`], or an [`Order`].
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Issue { #[column(primary_key)] id: String, title: String, due: Option<Timestamp> }
/// // What is due soonest comes first, what is never due comes last; then by title, as people sort it.
/// let agenda = Issue::all().order_by(Issue::DUE.asc().nulls_last()).order_by(Issue::TITLE.nocase());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{O}` is not an order of the rows of this query",
    label = "expected a column of a table of the query, or an order by one",
    note = "order by a column of the query's tables, such as `Todo::CREATED_AT` or `Todo::CREATED_AT.desc()`, or by an expression, such as `count().desc()`; call `order_by` again for a second one"
)]
pub trait Arrange<O, S, At>: Sized {
    /// Ordered by this, after what was said before, where that is equal. A column or an expression by
    /// itself is in ascending order.
    #[must_use]
    fn order_by(self, order: O) -> Self;
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, N, T: In<S, At>, At> Arrange<Order<T>, S, At> for Select<S, O, N> {
    fn order_by(mut self, order: Order<T>) -> Self {
        let order = order.item;
        // What is equal is equal the second time.
        if !self.ast.order_by.iter().any(|other| order.is_implied_by(*other)) {
            self.ast.order_by.push(order);
        }
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S, O, N, T, V, At> Arrange<Column<T, V>, S, At> for Select<S, O, N>
where
    S: Source,
    T: Relation + In<S, At>,
    V: ColumnType,
{
    fn order_by(self, column: Column<T, V>) -> Self {
        self.order_by(column.asc())
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, N, T: In<S, At>, At> Arrange<NoCase<T>, S, At> for Select<S, O, N> {
    fn order_by(self, text: NoCase<T>) -> Self {
        self.order_by(text.asc())
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, N, T: In<S, At>, V, At> Arrange<Expr<T, V>, S, At> for Select<S, O, N> {
    fn order_by(self, expr: Expr<T, V>) -> Self {
        self.order_by(expr.asc())
    }
}

/// A query over `S` that can be grouped by columns of the table `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not part of this query",
    label = "the query reads from `{S}`",
    note = "join `{T}` first, or use a column of the query's own tables"
)]
pub trait Group<T, S, At>: Sized {
    /// One row per value of the column; call it again for several columns.
    ///
    /// Select such columns and aggregates: what may differ between the rows of a group fails the query.
    /// If the rows are grouped by a table's primary key, all columns of the table can be selected.
    #[must_use]
    fn group_by<V: ColumnType>(self, column: Column<T, V>) -> Self
    where
        T: Relation;

    /// Only groups that meet the condition, too.
    #[must_use]
    fn having(self, condition: Having<T>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<S: Source, O, N, T: In<S, At>, At> Group<T, S, At> for Select<S, O, N> {
    fn group_by<V: ColumnType>(mut self, column: Column<T, V>) -> Self
    where
        T: Relation,
    {
        let column = column.reference();
        if !self.ast.group_by.contains(&column) {
            self.ast.group_by.push(column);
        }
        self
    }

    fn having(mut self, condition: Having<T>) -> Self {
        self.ast.having.push(condition.predicate);
        self
    }
}

macro_rules! stands_twice {
    () => {
        "a table stands twice in this join: give it another name with `livestore::alias!`, and join that, \
         as in `.join(Issue::AUTHOR.on(User::ID.of(Author)))`"
    };
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
    fn join<U: Relation>(self, on: On<T, U>) -> Select<<S as Append<U>>::Out>
    where
        S: Append<U>;

    /// With the matching rows of another table; rows without a match have `None` there.
    #[must_use]
    fn left_join<U: Relation>(self, on: On<T, U>) -> Select<<S as Append<Maybe<U>>>::Out>
    where
        S: Append<Maybe<U>>;
}

#[diagnostic::do_not_recommend]
impl<S: Source, T: In<S, At>, At> Joins<T, S, At> for Select<S> {
    fn join<U: Relation>(mut self, on: On<T, U>) -> Select<<S as Append<U>>::Out>
    where
        S: Append<U>,
    {
        const { assert!(alias::is_new::<S, U>(), stands_twice!()) };
        self.ast.joins.push(Join { table: alias::reference::<U>(), left: false, on: on.pairs });
        self.with(<S as Append<U>>::Out::decode)
    }

    fn left_join<U: Relation>(mut self, on: On<T, U>) -> Select<<S as Append<Maybe<U>>>::Out>
    where
        S: Append<Maybe<U>>,
    {
        const { assert!(alias::is_new::<S, U>(), stands_twice!()) };
        self.ast.joins.push(Join { table: alias::reference::<U>(), left: true, on: on.pairs });
        self.with(<S as Append<Maybe<U>>>::Out::decode)
    }
}

/// A query over `S` of which an `E` can be selected, which gives `Out`.
#[diagnostic::on_unimplemented(
    message = "`{E}` cannot be selected from `{S}`",
    label = "the query reads from `{S}`",
    note = "select columns of the query's tables, expressions such as `count()`, or a tuple of up to sixteen of them; for more, `select_as` takes a struct that derives `Row`"
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
