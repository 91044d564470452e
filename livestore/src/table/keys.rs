//! What a table says about its keys while compiling, so that a schema can check them.

use super::{Column, Table};
use crate::value::ColumnKind;

/// The unique columns, indexes and foreign keys of a table.
#[derive(Debug, Clone, Copy)]
pub struct TableKeys {
    /// The columns in which each row has a value of its own, by position.
    pub unique: &'static [usize],
    /// The names of the indexes.
    pub indexes: &'static [&'static str],
    /// The names of the tables that it refers to.
    pub references: &'static [&'static str],
}

/// Returns the name of the column's table.
pub const fn table_of<T: Table, V>(_: &Column<T, V>) -> &'static str {
    T::NAME
}

/// Fails to compile if a column may be null and its type is not written as an `Option`, or the reverse.
///
/// # Panics
/// While compiling.
#[track_caller]
pub const fn assert_nullability(kind: ColumnKind, is_option: bool) {
    if is_option {
        assert!(kind.nullable, "this type is named `Option`, but it is not the one of std");
    } else {
        assert!(
            !kind.nullable,
            "a column that may be null is written `Option<…>`: the macros cannot see that behind another name"
        );
    }
}

/// Fails to compile if a foreign key cannot refer to the column, since several rows may have its value.
///
/// # Panics
/// While compiling, unless the column is unique.
#[expect(clippy::panic, reason = "this is how a const says no to the compiler")]
#[expect(clippy::indexing_slicing, reason = "const fns have no iterators; the index is bounded")]
#[track_caller]
pub const fn assert_unique_target<T: Table, V>(column: &Column<T, V>) {
    let Some(keys) = T::KEYS else { return };
    let mut n = 0;
    while n < keys.unique.len() {
        if keys.unique[n] == column.position() {
            return;
        }
        n += 1;
    }
    panic!(
        "a foreign key refers to one row, and several may have this value: refer to the primary key, or mark the column `#[column(unique)]`"
    )
}
