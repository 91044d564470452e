//! The SQLite that is compiled in.

use rusqlite::{Connection, Result};
use serde_json::{Value, json};

/// Its version, functions and options.
pub(crate) fn describe() -> Result<Value> {
    let connection = Connection::open_in_memory()?;
    let texts = |sql: &str| -> Result<Vec<String>> {
        let mut statement = connection.prepare(sql)?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    Ok(json!({
        "version": rusqlite::version(),
        "functions": texts("SELECT DISTINCT name FROM pragma_function_list ORDER BY name")?,
        "options": texts("SELECT compile_options FROM pragma_compile_options ORDER BY 1")?,
    }))
}
