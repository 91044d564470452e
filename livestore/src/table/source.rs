//! Sources of a query: one table, or a join of up to four.
//!
//! A join's type is the tuple of its tables, `(Todo, User)`, with [`Maybe`] around a table of a
//! left join. [`In`] proves that a table is part of a source; its second parameter says where, and
//! is always inferred.

use std::fmt;
use std::marker::PhantomData;

use super::ast::ColumnRef;
use super::{Relation, Row, RowError, RowReader, Table};
use crate::value::ColumnType;

/// The tables that a query reads from: one, or a join.
pub trait Source: sealed::Source {
    /// The type of a row, when nothing else is selected.
    type Row;

    /// The names of the tables, or of their aliases.
    #[doc(hidden)]
    const NAMES: &'static [&'static str];

    /// The first table.
    type First: Table;

    /// Reads a row.
    ///
    /// # Errors
    /// When a value does not fit its field.
    fn decode(row: &RowReader<'_>) -> Result<Self::Row, RowError>;
}

/// A table of a join.
pub trait Slot {
    /// The table, or its alias.
    type Relation: Relation;
    /// Its part of a row.
    type Row;

    /// Reads its part of a row.
    ///
    /// # Errors
    /// When a value does not fit its field.
    fn decode(row: &RowReader<'_>) -> Result<Self::Row, RowError>;
}

/// A table of a left join: its row may be missing.
#[derive(Debug)]
pub struct Maybe<T>(PhantomData<fn() -> T>);

/// A source that has room for one more table.
#[diagnostic::on_unimplemented(
    message = "a query joins at most four tables",
    label = "the fifth table",
    note = "use `raw` for more"
)]
pub trait Append<S: Slot> {
    /// The source with the table.
    type Out: Source;
}

mod sealed {
    use super::{Slot, Table};

    pub trait Source {}

    impl<T: Table> Source for T {}
    impl<A: Table, B: Slot> Source for (A, B) {}
    impl<A: Table, B: Slot, C: Slot> Source for (A, B, C) {}
    impl<A: Table, B: Slot, C: Slot, D: Slot> Source for (A, B, C, D) {}
}

/// A fifth table, which no table is: without an impl of [`Append`] for four tables, the compiler would
/// not get as far as its message.
trait Fifth {}

/// Proof that table `Self` is part of the source `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not part of this query",
    label = "the query reads from `{S}`",
    note = "join `{Self}` first, or use a column of the query's own tables"
)]
pub trait In<S, At> {
    /// The type of a column of type `V` in this source: an `Option` in a left join.
    type Wrap<V: ColumnType>: ColumnType;
}

/// The tables of `T` and those of `U`: what a condition on several tables is about.
#[derive(Debug)]
pub struct Both<T, U>(PhantomData<fn() -> (T, U)>);

/// Every table and none: where an expression like [`count()`](super::count) is at home.
#[derive(Debug)]
pub struct Anything(());

/// The position of a table in a source.
pub mod at {
    /// It is the source.
    #[derive(Debug)]
    pub struct Here(());
    /// It is the `N`th table of the join.
    #[derive(Debug)]
    pub struct Nth<const N: usize>(());
    /// It is the `N`th table of the join, and may be missing.
    #[derive(Debug)]
    pub struct MaybeNth<const N: usize>(());
    /// It is the whole join.
    #[derive(Debug)]
    pub struct Whole(());
    /// It is two parts of the join.
    #[derive(Debug)]
    pub struct Pair<A, B>(std::marker::PhantomData<fn() -> (A, B)>);
    /// It belongs to no table.
    #[derive(Debug)]
    pub struct Free(());
}

/// The condition of a join: columns of a table that is in the query equal columns of `U`.
pub struct On<T, U> {
    pub(super) pairs: Vec<(ColumnRef, ColumnRef)>,
    of: PhantomData<fn() -> (T, U)>,
}

impl<T, U> On<T, U> {
    pub(super) fn new(left: ColumnRef, right: ColumnRef) -> Self {
        Self { pairs: vec![(left, right)], of: PhantomData }
    }

    /// Further columns must be equal, too.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.pairs.extend(other.pairs);
        self
    }
}

impl<T, U> fmt::Debug for On<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("On").field(&self.pairs).finish()
    }
}

impl<T: Table> Source for T {
    type Row = T;
    type First = T;

    const NAMES: &'static [&'static str] = &[T::NAME];

    fn decode(row: &RowReader<'_>) -> Result<T, RowError> {
        <T as Row>::decode(row)
    }
}

impl<T: Relation> Slot for T {
    type Relation = T;
    type Row = T::Table;

    fn decode(row: &RowReader<'_>) -> Result<T::Table, RowError> {
        <T::Table as Row>::decode(row)
    }
}

impl<T: Relation> Slot for Maybe<T> {
    type Relation = T;
    type Row = Option<T::Table>;

    fn decode(row: &RowReader<'_>) -> Result<Option<T::Table>, RowError> {
        // A primary key is never NULL, so if it is, the join found no row.
        let key = T::Table::def().primary_key.first();
        let missing = key.is_none_or(|&key| row.is_null(key));
        if missing { Ok(None) } else { <T::Table as Row>::decode(row).map(Some) }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Table> In<T, at::Here> for T {
    type Wrap<V: ColumnType> = V;
}

#[diagnostic::do_not_recommend]
impl<S> In<S, at::Free> for Anything {
    type Wrap<V: ColumnType> = V;
}

#[diagnostic::do_not_recommend]
impl<S, T: In<S, A>, U: In<S, B>, A, B> In<S, at::Pair<A, B>> for Both<T, U> {
    type Wrap<V: ColumnType> = V;
}

macro_rules! joins {
    ($(($First:ident $($Next:ident)+))*) => {$(
        impl<$First: Table, $($Next: Slot),+> Source for ($First, $($Next),+) {
            type Row = ($First, $($Next::Row),+);
            type First = $First;

            const NAMES: &'static [&'static str] =
                &[$First::NAME, $(<$Next::Relation as Relation>::NAME),+];

            #[expect(non_snake_case, reason = "a value per type parameter")]
            fn decode(row: &RowReader<'_>) -> Result<Self::Row, RowError> {
                let $First = <$First as Row>::decode(row)?;
                let at = <$First as Row>::COLUMNS.len();
                $(
                    let $Next = <$Next as Slot>::decode(&row.skip(at))?;
                    let at = at + <<$Next::Relation as Relation>::Table as Row>::COLUMNS.len();
                )+
                let _ = at;
                Ok(($First, $($Next),+))
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$First, $($Next),+> In<($First, $($Next),+), at::Whole> for ($First, $($Next),+) {
            type Wrap<V: ColumnType> = V;
        }
    )*};
}

joins! {
    (A B)
    (A B C)
    (A B C D)
}

macro_rules! append {
    ($(($($T:ident),+) => ($($Out:ident),+);)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($T: Slot,)+ New: Slot> Append<New> for ($($T,)+)
        where
            ($($Out),+): Source,
        {
            type Out = ($($Out),+);
        }
    )*};
}

#[diagnostic::do_not_recommend]
impl<T: Table, New: Slot> Append<New> for T {
    type Out = (T, New);
}

#[diagnostic::do_not_recommend]
impl<A, B, C, D, New> Append<New> for (A, B, C, D)
where
    (A, B, C, D): Source,
    New: Slot + Fifth,
{
    type Out = Self;
}

append! {
    (A, B) => (A, B, New);
    (A, B, C) => (A, B, C, New);
}

/// Each table of each join: itself where it is inner, `Option` where it may be missing.
macro_rules! members {
    ($(($($T:ident),+) $N:literal $This:ident;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($T),+> In<($($T),+), at::Nth<$N>> for $This
        where
            $This: Relation,
        {
            type Wrap<V: ColumnType> = V;
        }
    )*};
}

macro_rules! maybe_members {
    ($(($($Before:ident)*; $This:ident; $($After:ident)*) $N:literal;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($Before,)* $This: Relation, $($After),*>
            In<($($Before,)* Maybe<$This>, $($After),*), at::MaybeNth<$N>> for $This
        {
            type Wrap<V: ColumnType> = Option<V::Base>;
        }
    )*};
}

members! {
    (A, B) 0 A;
    (A, B) 1 B;
    (A, B, C) 0 A;
    (A, B, C) 1 B;
    (A, B, C) 2 C;
    (A, B, C, D) 0 A;
    (A, B, C, D) 1 B;
    (A, B, C, D) 2 C;
    (A, B, C, D) 3 D;
}

maybe_members! {
    (A; B;) 1;
    (A; B; C) 1;
    (A B; C;) 2;
    (A; B; C D) 1;
    (A B; C; D) 2;
    (A B C; D;) 3;
}
