//! The functions that an expansion of `sql!` calls.
//!
//! The macro knows tables and columns by their positions only, and a type not at all. So it writes
//! `sql.column::<_, _, 0, 2>()`, which has the type of the third column of the first table as a value
//! that the compiler infers.

use std::marker::PhantomData;

use super::raw::{Bind, Raw};
use super::{Many, QueryError, RowError, RowReader, Write};
use crate::value::{ColumnType, Operand, Storage, Value, ValueError};

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

/// Questions about a column's type, for constants.
impl<V: ColumnType> Of<V> {
    /// Whether its values can equal some of another storage class: numbers can equal each other.
    #[must_use]
    pub const fn compares_with(&self, other: Storage) -> bool {
        matches!(
            (V::STORAGE, other),
            (Storage::Integer | Storage::Real, Storage::Integer | Storage::Real)
                | (Storage::Text, Storage::Text)
                | (Storage::Blob, Storage::Blob)
        )
    }

    /// The same for another column. Two enums need a variant in common.
    #[must_use]
    pub const fn compares_with_column<W: ColumnType>(&self, other: &Of<W>) -> bool {
        self.compares_with(W::STORAGE) && self.shares_a_text(other) && self.shares_a_number(other)
    }

    const fn shares_a_text<W: ColumnType>(&self, other: &Of<W>) -> bool {
        let mut variants = V::VARIANTS;
        while let [variant, rest @ ..] = variants {
            if other.has_text(variant) {
                return true;
            }
            variants = rest;
        }
        V::VARIANTS.is_empty()
    }

    const fn shares_a_number<W: ColumnType>(&self, other: &Of<W>) -> bool {
        let mut numbers = V::NUMBERS;
        while let [(_, number), rest @ ..] = numbers {
            if other.has_integer(*number) {
                return true;
            }
            numbers = rest;
        }
        V::NUMBERS.is_empty()
    }

    /// Whether the order of its values means something: an enum's texts have the order of the alphabet.
    #[must_use]
    pub const fn has_an_order(&self) -> bool {
        V::VARIANTS.is_empty()
    }

    /// Whether its values are of this storage class.
    #[must_use]
    pub const fn is_stored_as(&self, storage: Storage) -> bool {
        matches!(
            (V::STORAGE, storage),
            (Storage::Integer, Storage::Integer)
                | (Storage::Real, Storage::Real)
                | (Storage::Text, Storage::Text)
                | (Storage::Blob, Storage::Blob)
        )
    }

    /// Whether its values are readable as text.
    #[must_use]
    pub const fn is_not_blob(&self) -> bool {
        !self.is_stored_as(Storage::Blob)
    }

    /// Whether it can have this value.
    #[must_use]
    pub const fn has_integer(&self, integer: i64) -> bool {
        if let Some((least, most)) = V::RANGE
            && (integer < least || most < integer)
        {
            return false;
        }
        let mut numbers = V::NUMBERS;
        while let [(_, number), rest @ ..] = numbers {
            if *number == integer {
                return true;
            }
            numbers = rest;
        }
        V::NUMBERS.is_empty()
    }

    /// Whether it can have the value of the number with these bits: a column of integers has whole ones.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rounded integer is none of the real number's"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "what is cut off is compared")]
    #[expect(clippy::float_cmp, reason = "only the same number is meant")]
    pub const fn has_real(&self, bits: u64) -> bool {
        let real = f64::from_bits(bits);
        !self.is_stored_as(Storage::Integer)
            || (real as i64) as f64 == real && self.has_integer(real as i64)
    }

    /// Whether it can have this value.
    #[must_use]
    pub const fn has_text(&self, text: &str) -> bool {
        let mut variants = V::VARIANTS;
        while let [variant, rest @ ..] = variants {
            if equal(variant.as_bytes(), text.as_bytes()) {
                return true;
            }
            variants = rest;
        }
        V::VARIANTS.is_empty()
    }
}

/// `==` is not const yet.
const fn equal(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([first, rest @ ..], [other, others @ ..]) = (left, right) {
        if *first != *other {
            return false;
        }
        (left, right) = (rest, others);
    }
    left.is_empty() && right.is_empty()
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

/// A type, as a value.
pub const fn of<V>() -> Of<V> {
    Of::new()
}

/// The functions for the schema `S`. As methods of one value, the calls need few tokens.
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
    ) -> Raw<R, Many, S> {
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
    const IS_APP_SQL: bool = true;

    fn to_sql(&self) -> Result<(String, Vec<Value<'static>>), QueryError> {
        let binds = self.binds.clone().map_err(|source| QueryError::Value {
            column: format!("a `?` of `{}`", self.sql),
            source,
        })?;
        Ok((self.sql.to_owned(), binds))
    }
}

// What is checked about types are traits' own methods, as in `Compare`.

/// A value for a `?` that is compared with, or assigned to, a `V`.
#[diagnostic::on_unimplemented(
    message = "a column of type `{V}` cannot be compared with or set to `{O}`",
    label = "expected a `{V}`"
)]
pub trait Takes<O, V> {
    /// The SQL value.
    ///
    /// # Errors
    /// When it has no SQL form.
    fn operand(self, value: O) -> Result<Value<'static>, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<V, O: Operand<V>> Takes<O, V> for Of<V> {
    fn operand(self, value: O) -> Result<Value<'static>, ValueError> {
        value.into_value()
    }
}

/// A value for a `?` where an integer belongs, such as a limit.
#[diagnostic::on_unimplemented(
    message = "an integer belongs here, not `{O}`",
    label = "expected an integer"
)]
pub trait TakesInteger<O> {
    /// The SQL value.
    ///
    /// # Errors
    /// When it does not fit into 64 bits with a sign.
    fn integer(&self, value: O) -> Result<Value<'static>, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<S, O: Integer> TakesInteger<O> for Sql<S> {
    fn integer(&self, value: O) -> Result<Value<'static>, ValueError> {
        value.bind()
    }
}

/// An integer of any width.
pub trait Integer: Bind {}

macro_rules! integers {
    ($($int:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Integer for $int {}
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

/// A column of the result whose value can be that of the field `Name`, of type `F`: it is the same, or
/// just not an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Name}` of the result is `{V}`, not `{F}`",
    label = "the column is `{V}`",
    note = "`AS \"{Name}: Type\"` gives a column another type, `AS \"{Name}!\"` says that it is never null"
)]
pub trait ReadField<Name, V, F> {
    /// The field's value.
    ///
    /// # Errors
    /// When the column's value is not a `V`.
    fn read_field(self, row: &RowReader<'_>, at: usize) -> Result<F, RowError>;
}

#[diagnostic::do_not_recommend]
impl<Name, V: ColumnType + Fits<F>, F> ReadField<Name, V, F> for Of<V> {
    fn read_field(self, row: &RowReader<'_>, at: usize) -> Result<F, RowError> {
        row.get::<V>(at).map(V::fit)
    }
}

/// The same for the element of a tuple, which has no name.
#[diagnostic::on_unimplemented(
    message = "this column of the result is `{V}`, not `{F}`",
    label = "the column is `{V}`",
    note = "`AS \"name!\"` says that a column is never null, `AS \"name: Type\"` gives it another type"
)]
pub trait ReadElement<V, F> {
    /// The element's value.
    ///
    /// # Errors
    /// When the column's value is not a `V`.
    fn read_element(self, row: &RowReader<'_>, at: usize) -> Result<F, RowError>;
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType + Fits<F>, F> ReadElement<V, F> for Of<V> {
    fn read_element(self, row: &RowReader<'_>, at: usize) -> Result<F, RowError> {
        row.get::<V>(at).map(V::fit)
    }
}

/// A value that can be one of type `F`.
pub trait Fits<F> {
    /// That value.
    fn fit(self) -> F;
}

#[diagnostic::do_not_recommend]
impl<V> Fits<V> for V {
    fn fit(self) -> V {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<V: ColumnType> Fits<Option<V>> for V {
    fn fit(self) -> Option<V> {
        Some(self)
    }
}
