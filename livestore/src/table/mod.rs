//! Tables: how state is stored, read and written.
//!
//! `#[table]` makes a struct a [`Table`]: its definition, its row codec and one typed [`Column`]
//! constant per field. From the constants grow [`Condition`]s and [`Select`] queries; they know
//! which tables they talk about, so a column of a table that is not in the query does not compile.
//!
//! Everything typed here is a thin shell over the untyped `ast`, which one place turns into SQL.

mod alias;
mod ast;
#[doc(hidden)]
pub mod checked;
mod clauses;
mod column;
mod compare;
mod condition;
mod ddl;
mod def;
mod eval;
mod having;
mod keys;
mod nested;
mod predicate;
mod query;
mod raw;
mod row;
mod search;
mod select;
mod selection;
mod source;
mod sql;
mod text;
mod write;
mod writer;

// What an app names in its signatures, or calls.
pub use alias::Relation;
pub use clauses::{Arrange, Choose, Group, Joins, Narrow};
pub use column::{Column, Expr, Joined, Link, NoCase, Order, count};
pub use compare::{Compare, CompareAny};
pub use condition::{Condition, Conditions, Widen, all_of, any_of};
pub use def::TableDef;
pub use having::Having;
pub use nested::Nested;
pub use query::{Query, QueryError, Reader};
pub use raw::{Params, Raw, raw};
pub use row::{Row, RowError, RowReader, RowWriter};
pub use search::{Search, Searchable};
pub use select::{Cardinality, First, GetRow, IntoKey, Many, One, Optional, Select};
pub use source::{Maybe, Source};
pub use write::{Assign, Delete, Numeric, Update, Write};
pub use writer::{MaterializeError, Writer};

pub use crate::ambient::Impurity;

// What the bounds and types of the above need, and generated code: no app names it.
#[doc(hidden)]
pub use alias::AliasOf;
#[doc(hidden)]
pub use checked::RawWrite;
#[doc(hidden)]
pub use column::SameType;
#[doc(hidden)]
pub use def::{ColumnDef, ForeignKeyDef, IndexDef, OnDelete, Refer, Reference};
#[doc(hidden)]
pub use keys::{TableKeys, assert_nullability, assert_unique_target, table_of};
#[doc(hidden)]
pub use raw::{AnySchema, Bind};
#[doc(hidden)]
pub use search::{SearchedColumn, assert_searched};
#[doc(hidden)]
pub use selection::{Projection, SelectList, Selection};
#[doc(hidden)]
pub use source::{Anything, Append, Both, In, On, Slot, at};

pub(crate) use ast::{
    Aggregate, ColumnRef, Comparison, Direction, Expression, OrderBy, SelectAst, Sorting, TableRef,
};
#[cfg(test)]
pub(crate) use ast::{Join, Nulls};
pub(crate) use eval::order;
pub(crate) use nested::{Children, LinkValue};
pub(crate) use predicate::Predicate;
#[cfg(test)]
pub(crate) use select::sealed::Key as SealedKey;

/// A struct that is a row of a table.
///
/// Add `#[table]` to a struct; the attribute's documentation lists what it takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a table",
    label = "not a table",
    note = "add `#[table]` to the struct"
)]
pub trait Table: Row + 'static {
    /// The type of the primary key; a tuple when it has several columns.
    type Key;

    /// The table's name.
    const NAME: &'static str;

    /// The table's keys, if they are known while compiling. For generated code.
    #[doc(hidden)]
    const KEYS: Option<TableKeys> = None;

    /// Returns the table's definition.
    fn def() -> &'static TableDef;

    /// Writes the row, column by column.
    ///
    /// # Errors
    /// When a value has no SQL form.
    fn encode(&self, row: &mut RowWriter<'_>) -> Result<(), RowError>;

    /// Returns the query for the row with this primary key, if there is one.
    fn get<K: IntoKey<Self::Key>>(key: K) -> GetRow<Self> {
        GetRow::new(key)
    }

    /// Returns the query for all rows.
    fn all() -> Select<Self> {
        Select::new()
    }

    /// Returns the query for the rows that meet the condition.
    fn filter<C, At>(condition: C) -> Select<Self>
    where
        Select<Self>: Narrow<C, Self, At>,
    {
        Select::new().filter(condition)
    }

    /// Returns an update of all rows: add the changes with [`set`](Assign::set) and narrow it with
    /// [`filter`](Narrow::filter).
    fn update() -> Update<Self> {
        Update::new()
    }

    /// Returns a deletion of all rows: narrow it with [`filter`](Narrow::filter).
    fn delete() -> Delete<Self> {
        Delete::new()
    }
}
