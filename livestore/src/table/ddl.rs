//! A table definition as SQL: the DDL, and the statements every table has.

use std::fmt::Write as _;

use super::def::{ColumnDef, ForeignKeyDef, IndexDef, OnDelete, TableDef};
use crate::sqlite::quote;
use crate::value::{Storage, Value, ValueError};

/// The statements that depend on nothing but the table.
#[derive(Debug)]
pub(crate) struct TableSql {
    pub(crate) insert: String,
    pub(crate) insert_or_ignore: String,
    pub(crate) upsert: String,
    pub(crate) get: String,
}

impl TableDef {
    /// The statements of this table, written once.
    pub(crate) fn sql(&self) -> &TableSql {
        self.sql.get_or_init(|| self.write_sql())
    }

    fn write_sql(&self) -> TableSql {
        let table = quote(self.name);
        let columns = list(self.columns.iter().map(|column| quote(column.name)));
        let binds = list((1..=self.columns.len()).map(|n| format!("?{n}")));
        let key = self.names(self.primary_key);
        let key_is = self
            .primary_key
            .iter()
            .enumerate()
            .map(|(n, &column)| format!("{} = ?{}", quote(self.column_name(column)), n + 1))
            .collect::<Vec<_>>()
            .join(" AND ");
        let others: Vec<_> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.primary_key.contains(index))
            .map(|(_, column)| format!("{0} = excluded.{0}", quote(column.name)))
            .collect();
        let conflict = if others.is_empty() {
            "NOTHING".into()
        } else {
            format!("UPDATE SET {}", others.join(", "))
        };
        let insert = format!("INTO {table} ({columns}) VALUES ({binds})");
        TableSql {
            insert_or_ignore: format!("INSERT {insert} ON CONFLICT ({key}) DO NOTHING"),
            upsert: format!("INSERT {insert} ON CONFLICT ({key}) DO {conflict}"),
            insert: format!("INSERT {insert}"),
            get: format!("SELECT {columns} FROM {table} WHERE {key_is}"),
        }
    }

    /// `CREATE TABLE` and its indexes.
    pub(crate) fn ddl(&self) -> Result<String, ValueError> {
        let mut parts = Vec::with_capacity(self.columns.len() + 2);
        for (index, column) in self.columns.iter().enumerate() {
            parts.push(column_ddl(column, self.declared_type(index, column))?);
        }
        parts.push(format!("PRIMARY KEY ({})", self.names(self.primary_key)));
        parts.extend(self.checks.iter().map(|check| format!("CHECK ({check})")));
        parts.extend(self.foreign_keys.iter().map(|key| self.foreign_key_ddl(key)));
        let mut ddl =
            format!("CREATE TABLE {} (\n  {}\n) STRICT;\n", quote(self.name), parts.join(",\n  "));
        for index in self.indexes {
            ddl.push_str(&self.index_ddl(index));
        }
        Ok(ddl)
    }

    /// A single key declared `INTEGER` would be SQLite's row id, which SQLite makes up when it is
    /// not given, at worst by chance (law 3). `INT` is the same type, and has to be given.
    fn declared_type(&self, index: usize, column: &ColumnDef) -> &'static str {
        match column.storage {
            Storage::Integer if self.primary_key == [index] => "INT",
            Storage::Integer => "INTEGER",
            Storage::Real => "REAL",
            Storage::Text => "TEXT",
            Storage::Blob => "BLOB",
        }
    }

    fn foreign_key_ddl(&self, key: &ForeignKeyDef) -> String {
        let reference = (key.references)();
        let on_delete = match key.on_delete {
            OnDelete::Restrict => "RESTRICT",
            OnDelete::Cascade => "CASCADE",
            OnDelete::SetNull => "SET NULL",
        };
        format!(
            "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {on_delete}",
            quote(self.column_name(key.column)),
            quote(reference.table),
            quote(reference.column),
        )
    }

    fn index_ddl(&self, index: &IndexDef) -> String {
        let unique = if index.unique { "UNIQUE " } else { "" };
        format!(
            "CREATE {unique}INDEX {} ON {} ({});\n",
            quote(index.name),
            quote(self.name),
            self.names(index.columns)
        )
    }

    fn names(&self, columns: &[usize]) -> String {
        list(columns.iter().map(|&column| quote(self.column_name(column))))
    }
}

fn column_ddl(column: &ColumnDef, declared_type: &str) -> Result<String, ValueError> {
    let mut ddl = format!("{} {declared_type}", quote(column.name));
    if !column.nullable {
        ddl.push_str(" NOT NULL");
    }
    if let Some(default) = column.default {
        let _ = write!(ddl, " DEFAULT {}", literal(&default()?));
    }
    if !column.variants.is_empty() {
        let variants = list(column.variants.iter().map(|text| literal(&Value::text(*text))));
        let _ = write!(ddl, " CHECK ({} IN ({variants}))", quote(column.name));
    }
    if !column.numbers.is_empty() {
        // With the names, the schema hash differs when a number stands for something else.
        let numbers = column.numbers.iter().map(|(name, number)| format!("{number} /* {name} */"));
        let _ = write!(ddl, " CHECK ({} IN ({}))", quote(column.name), list(numbers));
    }
    if let Some((first, last)) = column.range {
        let _ = write!(ddl, " CHECK ({} BETWEEN {first} AND {last})", quote(column.name));
    }
    if let Some(check) = column.check {
        let _ = write!(ddl, " CHECK ({check})");
    }
    Ok(ddl)
}

fn literal(value: &Value<'_>) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) if real.is_infinite() => {
            if *real > 0.0 {
                "9e999".into()
            } else {
                "-9e999".into()
            }
        }
        Value::Real(real) => format!("{real:?}"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            bytes.iter().fold("X'".to_owned(), |sql, byte| format!("{sql}{byte:02x}")) + "'"
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
