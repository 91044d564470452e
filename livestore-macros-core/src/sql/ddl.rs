//! The tables as SQL, for the database that `sql!` has its statements prepared in.
//!
//! It says only what a statement can be wrong about: names, keys and indexes. It is not the DDL that a
//! store runs (`livestore/src/table/ddl.rs`), and shares no code with it: storage types, defaults,
//! `CHECK`s and foreign keys are values of the app's types, which exist only once the app is compiled.

use super::catalog::{Catalog, SqlColumn, SqlIndex, SqlTable};

impl Catalog {
    /// Returns the statements that create the tables that are known.
    pub(crate) fn ddl(&self) -> String {
        self.tables.iter().filter(|table| !table.name.is_empty()).map(SqlTable::ddl).collect()
    }
}

impl Catalog {
    /// Returns the columns of all tables, without types, as a list in SQL.
    pub(super) fn columns_ddl(&self) -> String {
        self.names_of_columns().map(quoted).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn names_of_columns(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(|table| &table.columns).map(|column| column.name.as_str())
    }
}

impl SqlTable {
    fn ddl(&self) -> String {
        let name = quoted(&self.name);
        let columns = self.columns.iter().map(SqlColumn::ddl);
        let key = format!("PRIMARY KEY ({})", self.names(&self.primary_key));
        let parts: Vec<_> = columns.chain([key]).collect();
        let indexes = self.indexes.iter().map(|SqlIndex { name: index, columns, is_unique }| {
            let unique = if *is_unique { "UNIQUE " } else { "" };
            let (index, columns) = (quoted(index), self.names(columns));
            format!("CREATE {unique}INDEX {index} ON {name} ({columns});\n")
        });
        let indexes: String = indexes.collect();
        format!("CREATE TABLE {name} ({});\n{indexes}", parts.join(", "))
    }

    fn names(&self, positions: &[usize]) -> String {
        let columns = positions.iter().filter_map(|&position| self.columns.get(position));
        columns.map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }
}

impl SqlColumn {
    fn ddl(&self) -> String {
        let not_null = if self.nullable { "" } else { " NOT NULL" };
        quoted(&self.name) + not_null
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use crate::sql::table_tokens;

    #[test]
    fn names_keys_and_indexes() {
        let tables = quote! {
            { "to\"do" [("id" not_null: String) ("n": Option<u8>)] [1 0] [("x" unique [1])] }
            {}
        };
        assert_eq!(
            table_tokens::read(tables).unwrap().ddl(),
            "CREATE TABLE \"to\"\"do\" (\"id\" NOT NULL, \"n\", PRIMARY KEY (\"n\", \"id\"));\n\
             CREATE UNIQUE INDEX \"x\" ON \"to\"\"do\" (\"n\");\n"
        );
    }
}
