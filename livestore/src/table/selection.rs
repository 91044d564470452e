//! Columns and expressions that a query returns instead of whole rows.

use std::marker::PhantomData;

use super::ast::Expression;
use super::{Column, Expr, In, Relation, Row, RowError, RowReader};
use crate::value::ColumnType;

/// A column, an expression, or a tuple of them, from the source `S`.
///
/// `At` says where its tables stand in the source and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from `{S}`",
    label = "not a part of this query",
    note = "select columns of the query's tables, expressions such as `count()`, or a tuple of up to sixteen of them; for more, `select_as` takes a struct that derives `Row`"
)]
pub trait Selection<S, At> {
    /// The type of a row.
    type Out;

    /// Reads a row that begins at column `at`, and moves on.
    ///
    /// # Errors
    /// When a value is not what it should be.
    fn decode(row: &RowReader<'_>, at: &mut usize) -> Result<Self::Out, RowError>;

    /// Adds what it selects to the list.
    fn list(self, list: &mut SelectList<S>);
}

/// A struct that says itself which columns and expressions of `S` it is made of.
///
/// `#[derive(Row)]` with `#[row(from = …)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how to select it from `{S}`",
    note = "derive `Row` with `#[row(from = …)]` naming the query's table, or the tuple of its joined tables"
)]
pub trait Projection<S>: Row {
    /// Adds its fields to the list, in order.
    fn select(list: &mut SelectList<S>);
}

/// The list of things a query over `S` returns.
#[derive(Debug)]
pub struct SelectList<S> {
    pub(super) nodes: Vec<Expression>,
    of: PhantomData<fn() -> S>,
}

impl<S> SelectList<S> {
    pub(super) fn new() -> Self {
        Self { nodes: Vec::new(), of: PhantomData }
    }

    /// Adds something that gives a `V`.
    pub fn push<V, E: Selection<S, At, Out = V>, At>(&mut self, expr: E) {
        expr.list(self);
    }
}

#[diagnostic::do_not_recommend]
impl<S, At, T: Relation + In<S, At>, V: ColumnType> Selection<S, At> for Column<T, V> {
    type Out = T::Wrap<V>;

    fn decode(row: &RowReader<'_>, at: &mut usize) -> Result<Self::Out, RowError> {
        next(row, at)
    }

    fn list(self, list: &mut SelectList<S>) {
        list.nodes.push(Expression::Column(self.reference()));
    }
}

#[diagnostic::do_not_recommend]
impl<S, At, T: In<S, At>, V: ColumnType> Selection<S, At> for Expr<T, V> {
    type Out = V;

    fn decode(row: &RowReader<'_>, at: &mut usize) -> Result<Self::Out, RowError> {
        next(row, at)
    }

    fn list(self, list: &mut SelectList<S>) {
        list.nodes.push(self.node);
    }
}

fn next<V: ColumnType>(row: &RowReader<'_>, at: &mut usize) -> Result<V, RowError> {
    let value = row.get(*at);
    *at += 1;
    value
}

macro_rules! tuple_selections {
    ($(($($E:ident $At:ident),+))*) => {$(
        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "a value per type parameter")]
        impl<Src, $($At, $E: Selection<Src, $At>),+> Selection<Src, ($($At,)+)> for ($($E,)+) {
            type Out = ($($E::Out,)+);

            fn decode(row: &RowReader<'_>, at: &mut usize) -> Result<Self::Out, RowError> {
                Ok(($($E::decode(row, at)?,)+))
            }

            fn list(self, list: &mut SelectList<Src>) {
                let ($($E,)+) = self;
                $($E.list(list);)+
            }
        }
    )*};
}

tuple_selections! {
    (A AtA)
    (A AtA, B AtB)
    (A AtA, B AtB, C AtC)
    (A AtA, B AtB, C AtC, D AtD)
    (A AtA, B AtB, C AtC, D AtD, E AtE)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ, K AtK)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ, K AtK, L AtL)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ, K AtK, L AtL, M AtM)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ, K AtK, L AtL, M AtM, N AtN)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ, K AtK, L AtL, M AtM, N AtN, O AtO)
    (A AtA, B AtB, C AtC, D AtD, E AtE, F AtF, G AtG, H AtH, I AtI, J AtJ, K AtK, L AtL, M AtM, N AtN, O AtO, P AtP)
}
