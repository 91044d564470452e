//! What `sql!` is expanded to.
//!
//! The macro knows tables and columns by their positions only, and a type not at all. So it writes
//! `sql.column::<_, _, 0, 2>()`, which has the type of the third column of the first table as a value
//! that the compiler infers.

use std::marker::PhantomData;

use super::raw::{Bind, Raw};
use super::{QueryError, RowError, RowReader, Write};
use crate::value::{ColumnType, Operand, Value, ValueError};

/// `T` is the schema's table at this position.
pub trait TableAt<const AT: usize, T> {}

/// `V` is the type of the table's column at this position.
pub trait ColumnAt<const AT: usize, V> {}

/// A type, as a value.
#[derive(Debug)]
pub struct Of<V>(PhantomData<fn() -> V>);

impl<V> Of<V> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V: ColumnType> Of<V> {
    /// Never null.
    pub const fn base(self) -> Of<V::Base> {
        Of::new()
    }

    /// Maybe null.
    pub const fn nullable(self) -> Of<Option<V::Base>> {
        Of::new()
    }
}

/// What an expansion calls, over the schema `S`. As methods of one value the calls are few tokens.
#[derive(Debug)]
pub struct Sql<S>(PhantomData<fn() -> S>);

/// Over the schema `S`.
pub const fn over<S>() -> Sql<S> {
    Sql(PhantomData)
}

impl<S> Sql<S> {
    /// This type.
    pub const fn of<V>(&self) -> Of<V> {
        Of::new()
    }

    /// The type of a column.
    pub const fn column<T, V, const TABLE: usize, const COLUMN: usize>(&self) -> Of<V>
    where
        S: TableAt<TABLE, T>,
        T: ColumnAt<COLUMN, V>,
    {
        Of::new()
    }

    /// A query that was checked, and what it reads: see [`reads`]; empty where that is not known.
    pub fn query<R, const N: usize>(
        &self,
        sql: &'static str,
        binds: [Result<Value<'static>, ValueError>; N],
        reads: &'static str,
        decode: fn(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Raw<R> {
        Raw::checked(sql, binds.into_iter().collect(), reads, decode)
    }

    /// A write that was checked.
    pub fn write<const N: usize>(
        &self,
        sql: &'static str,
        binds: [Result<Value<'static>, ValueError>; N],
    ) -> RawWrite {
        RawWrite { sql, binds: binds.into_iter().collect() }
    }

    /// A value for a `?` that stands beside nothing with a type.
    ///
    /// # Errors
    /// When it has no SQL form.
    pub fn bind(&self, value: impl Bind) -> Result<Value<'static>, ValueError> {
        value.bind()
    }

    /// A value for a `?` that is compared with, or assigned to, a `V`.
    ///
    /// # Errors
    /// When it has no SQL form.
    pub fn operand<V>(
        &self,
        _: Of<V>,
        value: impl Operand<V>,
    ) -> Result<Value<'static>, ValueError> {
        value.into_value()
    }

    /// A value for a `?` where an integer belongs, such as a limit.
    ///
    /// # Errors
    /// When it does not fit into 64 bits with a sign.
    pub fn integer(&self, value: impl Integer) -> Result<Value<'static>, ValueError> {
        value.bind()
    }

    /// A row that was read.
    ///
    /// # Errors
    /// None.
    pub fn row<R>(&self, row: R) -> Result<R, RowError> {
        Ok(row)
    }

    /// A column of the result.
    ///
    /// # Errors
    /// When its value is not a `V`.
    pub fn read<V: ColumnType>(
        &self,
        row: &RowReader<'_>,
        at: usize,
        _: Of<V>,
    ) -> Result<V, RowError> {
        row.get(at)
    }

    /// A column of the result whose type only its field knows.
    ///
    /// # Errors
    /// When its value is not a `V`.
    pub fn read_any<V: ColumnType>(&self, row: &RowReader<'_>, at: usize) -> Result<V, RowError> {
        row.get(at)
    }

    /// A column of the result, for an element of a tuple.
    ///
    /// # Errors
    /// When its value is not a `V`.
    pub fn read_element<V: ColumnType + FitsElement<F>, F>(
        &self,
        row: &RowReader<'_>,
        at: usize,
        _: Of<V>,
    ) -> Result<F, RowError> {
        row.get::<V>(at).map(V::fit_element)
    }

    /// A column of the result, for a field `Name` that has a type already.
    ///
    /// # Errors
    /// When its value is not a `V`.
    pub fn read_field<Name, V: ColumnType + Fits<F, Name>, F>(
        &self,
        row: &RowReader<'_>,
        at: usize,
        _: Of<V>,
    ) -> Result<F, RowError> {
        row.get::<V>(at).map(V::fit)
    }
}

/// The tables and columns in a list of `table␟column␞`s. No column is the table as such.
pub(crate) fn reads(list: &'static str) -> Vec<(&'static str, &'static str)> {
    list.split_terminator('\u{1e}').filter_map(|read| read.split_once('\u{1f}')).collect()
}

/// An `INSERT`, `UPDATE` or `DELETE` in SQL, for [`Writer::run`](super::Writer::run). `sql!` makes it.
#[derive(Debug, Clone)]
pub struct RawWrite {
    sql: &'static str,
    binds: Result<Vec<Value<'static>>, ValueError>,
}

#[diagnostic::do_not_recommend]
impl Write for RawWrite {
    const BY_THE_APP: bool = true;

    fn to_sql(&self) -> Result<(String, Vec<Value<'static>>), QueryError> {
        let binds = self.binds.clone().map_err(|source| QueryError::Value {
            column: format!("a `?` of `{}`", self.sql),
            source,
        })?;
        Ok((self.sql.to_owned(), binds))
    }
}

/// An integer of any width.
#[diagnostic::on_unimplemented(
    message = "an integer belongs here, not `{Self}`",
    label = "expected an integer"
)]
pub trait Integer: Bind {}

macro_rules! integers {
    ($($int:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Integer for $int {}
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

/// A value of the column `Name` can be that of a field of type `F`: it is the same, or just not an
/// `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Name}` of the result is `{Self}`, not `{F}`",
    label = "the column is `{Self}`",
    note = "`AS \"{Name}: Type\"` gives a column another type, `AS \"{Name}!\"` says that it is never null"
)]
pub trait Fits<F, Name> {
    /// The field's value.
    fn fit(self) -> F;
}

#[diagnostic::do_not_recommend]
impl<V, Name> Fits<V, Name> for V {
    fn fit(self) -> V {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType, Name> Fits<Option<V>, Name> for V {
    fn fit(self) -> Option<V> {
        Some(self)
    }
}

/// The same for the element of a tuple, which has no name.
#[diagnostic::on_unimplemented(
    message = "this column of the result is `{Self}`, not `{F}`",
    label = "the column is `{Self}`",
    note = "`AS \"name!\"` says that a column is never null, `AS \"name: Type\"` gives it another type"
)]
pub trait FitsElement<F> {
    /// The element's value.
    fn fit_element(self) -> F;
}

#[diagnostic::do_not_recommend]
impl<V> FitsElement<V> for V {
    fn fit_element(self) -> V {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> FitsElement<Option<V>> for V {
    fn fit_element(self) -> Option<V> {
        Some(self)
    }
}
