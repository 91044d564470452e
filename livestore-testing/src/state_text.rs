//! State as text.

use std::fmt::Write as _;

use livestore::prelude::*;
use livestore::table::TableDef;

/// Returns the rows of all tables as text, a line each, in an order that depends on nothing but the
/// rows: for a snapshot that a test compares with.
///
/// Client documents are left out: they differ from client to client.
///
/// ```
/// use livestore::prelude::*;
/// use livestore_testing::sample::notes::{App, NoteEvent, added};
/// use livestore_testing::state_text;
///
/// # fn main() -> livestore::Result<()> {
/// let store = Store::<App>::builder("notes").open()?;
/// store.commit([added("b"), added("a"), NoteEvent::Seen { id: "b".into() }])?;
/// assert_eq!(state_text(&store)?, "\
/// note id='a' text='text of a'
/// note id='b' text='seen'
/// ");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the store is closed, or its state cannot be read.
pub fn state_text<S: Schema>(store: &Store<S>) -> Result<String, QueryError> {
    let is_document = |table: &TableDef| {
        S::def().document_tables().any(|document| document.name() == table.name())
    };
    let mut text = String::new();
    for table in S::def().tables().filter(|table| !is_document(table)) {
        for (row,) in store.query(raw::<(String,)>(rows_as_text(table), ()))? {
            let _ = writeln!(text, "{}{row}", table.name());
        }
    }
    Ok(text)
}

/// The query for a table's rows, each as one text of its columns' names and SQL literals.
fn rows_as_text(table: &TableDef) -> String {
    let identifier = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let column = |name| format!("' {name}=' || quote({})", identifier(name));
    let columns: Vec<_> = table.column_names().map(column).collect();
    format!("SELECT {} AS row FROM {} ORDER BY 1", columns.join(" || "), identifier(table.name()))
}
