//! The types of the schema, for the page.

use std::fmt;
use std::fs;
use std::path::Path;

use livestore_shape::{ItemKind, Lock, MarkedText, Shape};
use serde::Serialize;

const HEADER: &str = "// Written by a test of the app's: `LIVESTORE_SCHEMA=accept cargo test`.\n\n";

/// Writes the types of events, client documents and rows in TypeScript, from the schema lock, and checks that a
/// file of the page has them.
///
/// ```
/// use livestore::prelude::*;
/// use tauri_plugin_livestore::Types;
/// use todo_schema::Todo;
///
/// // In a test: include_str!("../livestore.lock")
/// # let lock = "table todo = Todo\ntable todo created_at: Timestamp\ntable todo id: String\n\
/// #     table todo text: String\ntable todo completed: bool\n";
/// let todo = Todo {
///     id: "a".into(),
///     text: "Milk".into(),
///     completed: false,
///     created_at: now(),
///     deleted_at: None,
/// };
/// let types = Types::of(lock).row("Todo", &todo); // .check("../page/livestore.ts")
/// assert!(types.to_string().contains(
///     "export type Todo = { completed: boolean; createdAt: string; id: string; text: string }"
/// ));
/// ```
#[derive(Debug)]
pub struct Types(Lock);

impl Types {
    /// Returns the types of all events and client documents in `livestore.lock`.
    ///
    /// # Panics
    /// When the text is not that of a schema lock.
    pub fn of(lock: &str) -> Self {
        Self(Lock::parse(lock).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Adds the type of the rows of a table, by the name of its Rust type. `sample` is any row: its JSON shows what
    /// serde calls the columns, and which it skips.
    ///
    /// # Panics
    /// When the lock has no such table, or the JSON has a field that is not a column of the table. For a row
    /// that is made of others, write the type by hand.
    #[must_use]
    pub fn row<T: Serialize>(mut self, name: &str, sample: &T) -> Self {
        let mut tables = self.0.of(ItemKind::Table);
        let table =
            tables.find(|(_, table)| table.head.text == name).map(|(_, table)| table.clone());
        drop(tables);
        let Some(table) = table else {
            panic!("livestore.lock has no table of the type `{name}`");
        };
        let mut row = Shape::of(MarkedText::new("struct"));
        let json = serde_json::to_value(sample).unwrap_or_default();
        for field in json.as_object().into_iter().flat_map(|fields| fields.keys()) {
            let column = table.parts.iter().find(|(column, _)| plain(column) == plain(field));
            let Some((_, column)) = column else {
                panic!("`{field}` is no column of `{name}`: write this type by hand");
            };
            row.parts.insert(field.clone(), MarkedText::new(&column.text));
        }
        self.0.items.insert((ItemKind::Type, name.to_owned()), row);
        self
    }

    /// Checks that the file has these types. With `LIVESTORE_SCHEMA=accept`, writes it.
    ///
    /// # Panics
    /// When the file has others, or cannot be written.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "it writes one of the app's sources")]
    pub fn check(&self, file: impl AsRef<Path>) {
        let file = file.as_ref();
        if std::env::var_os("LIVESTORE_SCHEMA").is_some_and(|mode| mode == "accept") {
            fs::write(file, self.to_string())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        let found = fs::read_to_string(file).unwrap_or_default();
        assert!(
            found.replace("\r\n", "\n") == self.to_string(),
            "{} does not have the types of the schema: run LIVESTORE_SCHEMA=accept cargo test",
            file.display()
        );
    }
}

/// The types, as they are written.
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEADER}{}", self.0.to_typescript())
    }
}

/// A name without what serde's `rename_all` changes.
fn plain(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
