//! The tables of a schema, read back from their DDL.

use super::ast::Name;
use super::token::{Kind, Token, tokens};

/// A schema's tables, at their positions in `schema!`.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) tables: Vec<Table>,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The Rust type, as it is written in the struct.
    pub(crate) ty: String,
    pub(crate) nullable: bool,
    /// The DDL has a value for it where none is given.
    pub(crate) has_default: bool,
}

/// How a value is stored, as far as it can be told from the name of its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Class {
    Integer,
    Real,
    Text,
    Blob,
}

impl Catalog {
    /// Each text is the DDL of one table.
    pub(crate) fn new<'a>(ddl: impl IntoIterator<Item = &'a str>) -> Self {
        Self { tables: ddl.into_iter().map(Table::read).collect() }
    }

    /// The table of this name, with its position.
    pub(crate) fn table(&self, name: &Name) -> Option<(usize, &Table)> {
        self.tables.iter().enumerate().find(|(_, table)| name.is(&table.name))
    }

    pub(crate) fn column(&self, table: usize, column: usize) -> Option<&Column> {
        self.tables.get(table)?.columns.get(column)
    }
}

impl Table {
    /// Reads `CREATE TABLE "todo" ("id" "String" NOT NULL, …, PRIMARY KEY ("id"));`.
    fn read(ddl: &str) -> Self {
        let mut tokens = tokens(ddl).into_iter().skip(2);
        let name = tokens.next().as_ref().and_then(quoted).unwrap_or_default();
        let mut columns = Vec::new();
        let mut definition = Vec::new();
        let mut depth = 0;
        for token in tokens {
            match token.kind {
                Kind::Symbol(";") => break,
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") => depth -= 1,
                _ => {}
            }
            if depth == 0 || depth == 1 && token.kind == Kind::Symbol(",") {
                columns.extend(Column::read(&definition));
                definition.clear();
            } else if definition.is_empty() && token.kind == Kind::Symbol("(") {
                // The one that opens the list.
            } else {
                definition.push(token);
            }
        }
        Self { name, columns }
    }
}

impl Column {
    /// Reads `"id" "String" NOT NULL`; a constraint is no column.
    fn read(definition: &[Token]) -> Option<Self> {
        let [name, ty, rest @ ..] = definition else { return None };
        let is_word =
            |token: &Token, wanted: &str| matches!(&token.kind, Kind::Word(word) if word == wanted);
        Some(Self {
            name: quoted(name)?,
            ty: quoted(ty)?,
            nullable: !rest.first().is_some_and(|token| is_word(token, "NOT")),
            has_default: rest.iter().any(|token| is_word(token, "DEFAULT")),
        })
    }

    /// Whether a new row must name a value for it.
    pub(crate) fn is_required(&self) -> bool {
        !self.nullable && !self.has_default
    }

    /// How it is stored; `None` for a type that only the compiler knows.
    pub(crate) fn class(&self) -> Option<Class> {
        let ty = self.ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>'));
        match ty.unwrap_or(&self.ty) {
            "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "bool" => {
                Some(Class::Integer)
            }
            "f32" | "f64" => Some(Class::Real),
            "String" => Some(Class::Text),
            "Vec<u8>" => Some(Class::Blob),
            _ => None,
        }
    }
}

fn quoted(token: &Token) -> Option<String> {
    match &token.kind {
        Kind::Quoted(name) => Some(name.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_macros_write() {
        let catalog = Catalog::new([concat!(
            "CREATE TABLE \"to\"\"do\" (\"id\" \"String\" NOT NULL, \"n\" \"Option<u8>\" DEFAULT 0, ",
            "PRIMARY KEY (\"id\", \"n\"));\nCREATE UNIQUE INDEX \"x\" ON \"todo\" (\"n\");\n"
        )]);
        let table = &catalog.tables[0];
        assert_eq!(table.name, "to\"do");
        let column = |name: &str, ty: &str, nullable| Column {
            name: name.into(),
            ty: ty.into(),
            nullable,
            has_default: nullable,
        };
        assert_eq!(table.columns, [column("id", "String", false), column("n", "Option<u8>", true)]);
        assert_eq!(table.columns[1].class(), Some(Class::Integer));
    }

    #[test]
    fn a_table_that_is_not_known_has_no_name() {
        let catalog = Catalog::new([""]);
        assert_eq!((catalog.tables[0].name.as_str(), catalog.tables[0].columns.len()), ("", 0));
    }
}
