//! Queries that a schema's stores can run.

use super::{Document, GetDocument, HasDocument, Schema};
use crate::table::{
    Cardinality, GetRow, Nested, Query, QueryError, Raw, Reader, Relation, Select, Slot, Source,
    Table,
};

/// Proof that the table `T` is part of the schema.
pub trait HasTable<T>: Schema {}

/// A query that a store of schema `S` can run: `S` lists every table and client document that it reads.
///
/// For [`raw`](crate::table::raw()) SQL, this is found when it runs.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// use livestore::schema::QueryIn;
///
/// fn print<T: std::fmt::Debug>(store: &Store<App>, query: impl QueryIn<App, Output = Vec<T>>) {
///     println!("{:?}", store.query(query));
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a query of schema `{S}`",
    label = "not a query of `{S}`",
    note = "a query is built from a table, such as `Todo::all()`, or with `sql!` or `raw`",
    note = "an `INSERT`, `UPDATE` or `DELETE` is no query: run it in a materializer, with `state.run(sql!(…))`",
    note = "all that it reads must be listed by `{S}` in `schema!`: tables under `tables: […]`, client documents under `documents: […]`"
)]
pub trait QueryIn<S: Schema> {
    /// The type of the result.
    type Output;

    /// Runs it.
    ///
    /// # Errors
    /// See [`QueryError`].
    #[doc(hidden)]
    fn run_in(&self, reader: &Reader<'_>) -> Result<Self::Output, QueryError>;
}

macro_rules! queries {
    ($([$($params:tt)*] $Query:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<S: Schema, $($params)*> QueryIn<S> for $Query {
            type Output = <Self as Query>::Output;

            fn run_in(&self, reader: &Reader<'_>) -> Result<Self::Output, QueryError> {
                self.run(reader)
            }
        }
    )*};
}

queries! {
    [From: TablesIn<S>, O, C: Cardinality<O>] Select<From, O, C>;
    [P: TablesIn<S> + Table, C: TablesIn<S> + Table] Nested<P, C>;
    [T: TablesIn<S> + Table] GetRow<T>;
    [D: DocumentIn<S>] GetDocument<D>;
    [R, C: Cardinality<R>] Raw<R, C>;
    // Of `sql!`, which has checked it against the schema.
    [R, C: Cardinality<R>] Raw<R, C, S>;
}

#[diagnostic::do_not_recommend]
impl<S: Schema, Q: QueryIn<S> + ?Sized> QueryIn<S> for &Q {
    type Output = Q::Output;

    fn run_in(&self, reader: &Reader<'_>) -> Result<Q::Output, QueryError> {
        Q::run_in(self, reader)
    }
}

/// A client document of the schema `S`.
pub trait DocumentIn<S>: Document {}

impl<S: HasDocument<D>, D: Document> DocumentIn<S> for D {}

/// The tables of a query, which are all part of the schema `S`.
pub trait TablesIn<S>: Source {}

impl<S: HasTable<T>, T: Table> TablesIn<S> for T {}

type TableOf<S> = <<S as Slot>::Relation as Relation>::Table;

macro_rules! joins {
    ($(($First:ident $($Next:ident)+))*) => {$(
        impl<S, $First: Table, $($Next: Slot),+> TablesIn<S> for ($First, $($Next),+)
        where
            S: HasTable<$First> $(+ HasTable<TableOf<$Next>>)+,
        {}
    )*};
}

joins! {
    (A B)
    (A B C)
    (A B C D)
}
