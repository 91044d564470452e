//! The query builder.

use std::fmt;
use std::marker::PhantomData;

use super::ast::SelectAst;
use super::query::{Fetch, fetch_first};
use super::{
    Projection, Query, QueryError, Reader, Row, RowError, RowReader, SelectList, Source, Table,
};
use crate::value::{ColumnType, Operand, Value, ValueError};

/// A query over the source `S` that returns rows of type `O`, as many of them as `C` says.
///
/// It is a plain value: build it once, run it as often as you like.
///
/// ```
/// # use livestore::prelude::*;
/// # #[table] struct Todo { #[column(primary_key)] id: String, done: bool, created_at: Timestamp }
/// let next_three = Todo::filter(Todo::DONE.eq(false)).order_by(Todo::CREATED_AT.asc()).limit(3);
/// let ids = next_three.select(Todo::ID);
/// ```
pub struct Select<S: Source, O = <S as Source>::Row, C = Many> {
    pub(super) ast: SelectAst,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
    of: PhantomData<fn() -> (S, C)>,
}

/// A function that reads a row.
pub(crate) type Decode<O> = fn(&RowReader<'_>) -> Result<O, RowError>;

/// The number of rows that a query returns, and the type that it returns them as.
///
/// Sealed: the four of this module are all there are.
pub trait Cardinality<O>: sealed::Sealed {
    /// The query's result.
    type Output;

    /// The number of rows that need to be read at most.
    const AT_MOST: Option<u64>;

    /// Makes the output of the rows.
    ///
    /// # Errors
    /// When there are too few or too many.
    fn collect(rows: Vec<O>) -> Result<Self::Output, QueryError>;
}

/// All rows, as a `Vec`.
#[derive(Debug)]
pub struct Many(());
/// The first row, if there is one.
#[derive(Debug)]
pub struct First(());
/// The only row; none or several are errors.
#[derive(Debug)]
pub struct One(());
/// The only row, if there is one; several are an error.
#[derive(Debug)]
pub struct Optional(());

pub(super) mod sealed {
    pub trait Sealed {}

    impl Sealed for super::Many {}
    impl Sealed for super::First {}
    impl Sealed for super::One {}
    impl Sealed for super::Optional {}

    /// A primary key.
    pub trait Key<K> {}
}

impl<O> Cardinality<O> for Many {
    type Output = Vec<O>;
    const AT_MOST: Option<u64> = None;

    fn collect(rows: Vec<O>) -> Result<Vec<O>, QueryError> {
        Ok(rows)
    }
}

impl<O> Cardinality<O> for First {
    type Output = Option<O>;
    const AT_MOST: Option<u64> = Some(1);

    fn collect(rows: Vec<O>) -> Result<Option<O>, QueryError> {
        Ok(rows.into_iter().next())
    }
}

impl<O> Cardinality<O> for One {
    type Output = O;
    const AT_MOST: Option<u64> = Some(2);

    fn collect(rows: Vec<O>) -> Result<O, QueryError> {
        Optional::collect(rows)?.ok_or(QueryError::NoRow)
    }
}

impl<O> Cardinality<O> for Optional {
    type Output = Option<O>;
    const AT_MOST: Option<u64> = Some(2);

    fn collect(rows: Vec<O>) -> Result<Option<O>, QueryError> {
        let mut rows = rows.into_iter();
        match (rows.next(), rows.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(QueryError::SeveralRows),
        }
    }
}

impl<T: Table> Select<T> {
    pub(super) fn new() -> Self {
        Self { ast: SelectAst::new(T::def()), decode: <T as Source>::decode, of: PhantomData }
    }
}

/// The number of rows.
impl<S: Source, O, C> Select<S, O, C> {
    /// Returns at most `rows` rows.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.ast.limit = Some(rows);
        self
    }

    /// Skips the first `rows` rows.
    #[must_use]
    pub fn offset(mut self, rows: u64) -> Self {
        self.ast.offset = Some(rows);
        self
    }

    /// A query that was not built, but made up.
    #[cfg(test)]
    pub(crate) fn of(ast: SelectAst, decode: Decode<O>) -> Self {
        Self { ast, decode, of: PhantomData }
    }

    /// The query, and how its rows are read.
    pub(crate) fn parts(&self) -> (&SelectAst, Decode<O>) {
        (&self.ast, self.decode)
    }

    pub(super) fn with<P: Source, Q, D>(
        self,
        decode: fn(&RowReader<'_>) -> Result<Q, RowError>,
    ) -> Select<P, Q, D> {
        Select { ast: self.ast, decode, of: PhantomData }
    }
}

/// The type of the result.
impl<S: Source, O> Select<S, O> {
    /// Returns a struct that derives `Row` with `#[row(from = …)]`, instead of whole rows.
    #[must_use]
    pub fn select_as<P: Projection<S>>(mut self) -> Select<S, P> {
        let mut list = SelectList::new();
        P::select(&mut list);
        self.ast.list = list.nodes;
        self.with(<P as Row>::decode)
    }

    /// The first row, as an `Option`.
    #[must_use]
    pub fn first(self) -> Select<S, O, First> {
        let decode = self.decode;
        self.with(decode)
    }

    /// The only row. No row, or several, fail the query.
    #[must_use]
    pub fn one(self) -> Select<S, O, One> {
        let decode = self.decode;
        self.with(decode)
    }

    /// The only row, as an `Option`. Several fail the query.
    #[must_use]
    pub fn optional(self) -> Select<S, O, Optional> {
        let decode = self.decode;
        self.with(decode)
    }

    /// Returns equal rows once. They can be ordered by what is selected.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] struct Todo { #[column(primary_key)] id: String, list: String }
    /// let lists = Todo::all().select(Todo::LIST).distinct();
    /// ```
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.ast.distinct = true;
        self
    }

    /// The number of rows.
    #[must_use]
    pub fn count(mut self) -> Select<S, u64, One> {
        self.ast.counted = true;
        self.with(|row| row.get(0))
    }
}

impl<S: Source, O, C> Select<S, O, C> {
    /// A query changes nothing: this is an error that says so.
    #[doc(hidden)]
    #[must_use]
    pub fn set<V>(self, _: V, _: impl Sized) -> Self
    where
        Self: Changes,
    {
        self
    }
}

/// A change of rows, which no query is.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a query changes nothing: write `Todo::update().set(…).filter(…)`, and have a materializer run it",
    label = "this is a query"
)]
pub trait Changes {}

#[diagnostic::do_not_recommend]
impl<S: Source, O, C: Cardinality<O>> Query for Select<S, O, C> {
    type Output = C::Output;

    fn run(&self, reader: &Reader<'_>) -> Result<C::Output, QueryError> {
        C::collect(reader.select_at_most(&self.ast, C::AT_MOST, self.decode)?)
    }
}

/// The row with one primary key, if there is one. [`Table::get`] makes it.
pub struct GetRow<T> {
    key: Result<Vec<Value<'static>>, ValueError>,
    of: PhantomData<fn() -> T>,
}

/// A value that is a primary key of type `K`: an operand, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a primary key of type `{K}`",
    label = "expected a `{K}`"
)]
pub trait IntoKey<K>: sealed::Key<K> {
    /// The key's SQL values.
    ///
    /// # Errors
    /// When one has no SQL form.
    fn into_key(self) -> Result<Vec<Value<'static>>, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<K: ColumnType, O: Operand<K>> sealed::Key<K> for O {}

#[diagnostic::do_not_recommend]
impl<K: ColumnType, O: Operand<K>> IntoKey<K> for O {
    fn into_key(self) -> Result<Vec<Value<'static>>, ValueError> {
        Ok(vec![self.into_value()?])
    }
}

macro_rules! tuple_keys {
    ($(($($K:ident $O:ident $index:tt),+))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($K: ColumnType, $O: Operand<$K>),+> sealed::Key<($($K,)+)> for ($($O,)+) {}

        #[diagnostic::do_not_recommend]
        impl<$($K: ColumnType, $O: Operand<$K>),+> IntoKey<($($K,)+)> for ($($O,)+) {
            fn into_key(self) -> Result<Vec<Value<'static>>, ValueError> {
                Ok(vec![$(self.$index.into_value()?),+])
            }
        }
    )*};
}

tuple_keys! {
    (K0 O0 0, K1 O1 1)
    (K0 O0 0, K1 O1 1, K2 O2 2)
    (K0 O0 0, K1 O1 1, K2 O2 2, K3 O3 3)
}

impl<T: Table> GetRow<T> {
    /// The key's values.
    pub(crate) fn key(&self) -> Result<&[Value<'static>], QueryError> {
        self.key.as_deref().map_err(|source| QueryError::Value {
            column: T::NAME.to_owned(),
            source: source.clone(),
        })
    }

    pub(super) fn new<K: IntoKey<T::Key>>(key: K) -> Self {
        Self { key: key.into_key(), of: PhantomData }
    }

    /// Reads the row as something else.
    pub(crate) fn read<R>(
        &self,
        reader: &Reader<'_>,
        decode: impl FnOnce(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Result<Option<R>, QueryError> {
        let key = self.key()?;
        let sql = &T::def().sql().get;
        let statement = reader.prepare(sql)?;
        let ready = Fetch { sql, statement, positions: None, hash: reader.hash };
        fetch_first(ready, key, decode)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Table> Query for GetRow<T> {
    type Output = Option<T>;

    fn run(&self, reader: &Reader<'_>) -> Result<Option<T>, QueryError> {
        self.read(reader, <T as Row>::decode)
    }
}

impl<S: Source, O, C> Clone for Select<S, O, C> {
    fn clone(&self) -> Self {
        Self { ast: self.ast.clone(), decode: self.decode, of: PhantomData }
    }
}

impl<S: Source, O, C> fmt::Debug for Select<S, O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ast.fmt(f)
    }
}

impl<T> Clone for GetRow<T> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), of: PhantomData }
    }
}

impl<T> fmt::Debug for GetRow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GetRow").field(&self.key).finish()
    }
}
