//! The tables of a schema, as `sql!` needs to know them.

use super::ast::Name;

/// A schema's tables, in the order in which `schema!` lists them.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) tables: Vec<SqlTable>,
}

/// A table; one that nothing is known about has an empty name.
#[derive(Debug, Default)]
pub(crate) struct SqlTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<SqlColumn>,
    /// The positions of the key's columns, in key order.
    pub(crate) primary_key: Vec<usize>,
    pub(crate) indexes: Vec<SqlIndex>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct SqlColumn {
    pub(crate) name: String,
    /// The Rust type, as it is written in the struct.
    pub(crate) ty: String,
    pub(crate) nullable: bool,
    /// Whether a row that gives no value gets a default.
    pub(crate) has_default: bool,
}

#[derive(Debug)]
pub(crate) struct SqlIndex {
    pub(crate) name: String,
    /// The positions of its columns, in index order.
    pub(crate) columns: Vec<usize>,
    pub(crate) is_unique: bool,
}

/// SQLite's storage class of a type, where the name of the type shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum StorageClass {
    Integer,
    Real,
    Text,
    Blob,
}

impl Catalog {
    /// Returns the table of this name, with its position.
    pub(crate) fn table(&self, name: &Name) -> Option<(usize, &SqlTable)> {
        self.tables.iter().enumerate().find(|(_, table)| name.is(&table.name))
    }

    /// Returns a column by its table's and its own position.
    pub(crate) fn column(&self, table: usize, column: usize) -> Option<&SqlColumn> {
        self.tables.get(table)?.columns.get(column)
    }
}

impl SqlColumn {
    /// Whether a new row must give a value for it.
    pub(crate) fn is_required(&self) -> bool {
        !self.nullable && !self.has_default
    }

    /// Its type without the `Option`, as it is written.
    pub(crate) fn base_type(&self) -> &str {
        let ty = self.ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>'));
        ty.unwrap_or(&self.ty)
    }

    /// Returns how it is stored, or `None` for a type that only the compiler knows.
    pub(crate) fn class(&self) -> Option<StorageClass> {
        match self.base_type() {
            "i64" => Some(StorageClass::Integer),
            _ if self.range().is_some() => Some(StorageClass::Integer),
            "f32" | "f64" => Some(StorageClass::Real),
            "String" => Some(StorageClass::Text),
            "Vec<u8>" => Some(StorageClass::Blob),
            _ => None,
        }
    }

    /// Returns the least and the greatest integer that it takes, if its type is an integer whose name
    /// says so.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        Some(match self.base_type() {
            "i8" => (i8::MIN.into(), i8::MAX.into()),
            "i16" => (i16::MIN.into(), i16::MAX.into()),
            "i32" => (i32::MIN.into(), i32::MAX.into()),
            "u8" => (0, u8::MAX.into()),
            "u16" => (0, u16::MAX.into()),
            "u32" => (0, u32::MAX.into()),
            "u64" => (0, i64::MAX),
            "bool" => (0, 1),
            _ => return None,
        })
    }
}

impl StorageClass {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Real => "a real number",
            Self::Text => "a text",
            Self::Blob => "a blob",
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_stored_as_its_name_says() {
        let class = |ty: &str| {
            SqlColumn { name: "n".into(), ty: ty.into(), nullable: true, has_default: false }
                .class()
        };
        assert_eq!(class("Option<u8>"), Some(StorageClass::Integer));
        assert_eq!(class("Vec<u8>"), Some(StorageClass::Blob));
        assert_eq!(class("UserId"), None);
    }
}
