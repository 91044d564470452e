//! Table definitions, which `#[table]` makes from structs.

use std::sync::OnceLock;

use super::ddl::TableSql;
use super::{Column, SameType, Table};
use crate::sqlite::TableNames;
use crate::value::{ColumnKind, Storage, Value, ValueError};

/// A table: its columns, keys, indexes and constraints.
#[derive(Debug)]
pub struct TableDef {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [ColumnDef],
    pub(crate) primary_key: &'static [usize],
    pub(crate) indexes: &'static [IndexDef],
    pub(crate) checks: &'static [&'static str],
    pub(crate) foreign_keys: &'static [ForeignKeyDef],
    /// The columns that are searched.
    pub(crate) searched: &'static [usize],
    pub(super) sql: OnceLock<TableSql>,
}

/// A column of a table.
#[derive(Debug)]
pub struct ColumnDef {
    pub(crate) name: &'static str,
    pub(crate) storage: Storage,
    pub(crate) nullable: bool,
    pub(crate) variants: &'static [&'static str],
    pub(crate) numbers: &'static [(&'static str, i64)],
    pub(crate) range: Option<(i64, i64)>,
    pub(crate) default: Option<fn() -> Result<Value<'static>, ValueError>>,
    pub(crate) check: Option<&'static str>,
}

/// An index over some columns.
#[derive(Debug)]
pub struct IndexDef {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [usize],
    pub(crate) unique: bool,
}

/// A column that refers to a column of another table.
#[derive(Debug)]
pub struct ForeignKeyDef {
    pub(crate) column: usize,
    pub(crate) references: fn() -> Reference,
    pub(crate) on_delete: OnDelete,
}

/// The other end of a foreign key.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
}

/// The consequence for a row when the row that it refers to is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion fails.
    #[default]
    Restrict,
    /// The row is deleted too.
    Cascade,
    /// The reference becomes `NULL`.
    SetNull,
}

impl TableDef {
    /// A table with these columns; the primary key is given by column positions.
    pub const fn new(
        name: &'static str,
        columns: &'static [ColumnDef],
        primary_key: &'static [usize],
    ) -> Self {
        Self {
            name,
            columns,
            primary_key,
            indexes: &[],
            checks: &[],
            foreign_keys: &[],
            searched: &[],
            sql: OnceLock::new(),
        }
    }

    /// Adds indexes.
    #[must_use]
    pub const fn indexes(mut self, indexes: &'static [IndexDef]) -> Self {
        self.indexes = indexes;
        self
    }

    /// Adds `CHECK` constraints.
    #[must_use]
    pub const fn checks(mut self, checks: &'static [&'static str]) -> Self {
        self.checks = checks;
        self
    }

    /// Adds foreign keys.
    #[must_use]
    pub const fn foreign_keys(mut self, foreign_keys: &'static [ForeignKeyDef]) -> Self {
        self.foreign_keys = foreign_keys;
        self
    }

    /// Adds the columns that are searched.
    #[must_use]
    pub const fn searched(mut self, columns: &'static [usize]) -> Self {
        self.searched = columns;
        self
    }

    /// The table's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The names that the triggers of a watched table need.
    pub(crate) fn table_names(&self) -> TableNames {
        TableNames { table: self.name, columns: self.column_names().collect() }
    }

    /// The names that a search of the table needs.
    pub(crate) fn searched_names(&self) -> TableNames {
        let columns = self.searched.iter().map(|&column| self.column_name(column)).collect();
        TableNames { table: self.name, columns }
    }

    /// The columns' names, in order.
    pub fn column_names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.name)
    }

    /// Whether rows must differ in this column, by itself or together with others.
    pub(super) fn is_unique(&self, column: &str) -> bool {
        let unique = self.indexes.iter().filter(|index| index.unique).map(|index| index.columns);
        let mut columns = unique.chain([self.primary_key]).flatten();
        columns.any(|&index| self.column_name(index) == column)
    }

    /// The columns of the primary key, by position.
    pub(crate) const fn primary_key(&self) -> &'static [usize] {
        self.primary_key
    }

    /// The columns of the primary key and of all indexes.
    pub(crate) fn indexed_columns(&self) -> impl Iterator<Item = usize> {
        let of_indexes = self.indexes.iter().flat_map(|index| index.columns);
        self.primary_key.iter().chain(of_indexes).copied()
    }

    /// Whether rows have to meet conditions in SQL.
    pub(super) fn has_checks(&self) -> bool {
        !self.checks.is_empty() || self.columns.iter().any(|column| column.check.is_some())
    }

    /// The name of the column at `index`, for SQL and messages.
    pub(crate) fn column_name(&self, index: usize) -> &'static str {
        self.columns.get(index).map_or("?", |column| column.name)
    }
}

impl ColumnDef {
    /// A column of a type with this `KIND`.
    pub const fn new(name: &'static str, kind: ColumnKind) -> Self {
        let ColumnKind { storage, nullable, variants, numbers, range } = kind;
        Self { name, storage, nullable, variants, numbers, range, default: None, check: None }
    }

    /// The value a row gets when raw SQL inserts it without this column.
    #[must_use]
    pub const fn default(mut self, value: fn() -> Result<Value<'static>, ValueError>) -> Self {
        self.default = Some(value);
        self
    }

    /// A `CHECK` constraint.
    #[must_use]
    pub const fn check(mut self, sql: &'static str) -> Self {
        self.check = Some(sql);
        self
    }
}

impl IndexDef {
    /// An index over the columns at these positions.
    pub const fn new(name: &'static str, columns: &'static [usize], unique: bool) -> Self {
        Self { name, columns, unique }
    }
}

impl ForeignKeyDef {
    /// The column at `column` refers to `references`.
    pub const fn new(column: usize, references: fn() -> Reference) -> Self {
        Self { column, references, on_delete: OnDelete::Restrict }
    }

    /// Sets the consequence of the other row's deletion.
    #[must_use]
    pub const fn on_delete(mut self, on_delete: OnDelete) -> Self {
        self.on_delete = on_delete;
        self
    }
}

/// A column of type `W` that a column of type `V` can refer to.
#[diagnostic::on_unimplemented(
    message = "a `{V}` column cannot refer to a `{W}` column",
    label = "the columns' types differ"
)]
pub trait Refer<V, W> {
    /// The reference.
    fn reference(self) -> Reference;
}

#[diagnostic::do_not_recommend]
impl<T: Table, V: SameType<W>, W> Refer<V, W> for Column<T, W> {
    fn reference(self) -> Reference {
        Reference { table: T::NAME, column: T::def().column_name(self.index()) }
    }
}
