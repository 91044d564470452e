//! An app with 200 queries in SQL, checked or not.

use std::fmt::Write as _;

const TABLES: usize = 20;
const QUERIES: usize = 200;

/// How a query is written, of its SQL.
pub(crate) type Style = fn(&str) -> String;

pub(crate) const CHECKED: Style = |sql| format!("sql!(App as {ROW}, {sql:?}, {BINDS})");

pub(crate) const RAW: Style = |sql| format!("raw::<{ROW}>({sql:?}, ({BINDS}))");

const ROW: &str = "(String, Option<String>, i64)";
const BINDS: &str = "true, least, \"a%\"";

/// Tables, a schema, and a function for each query.
pub(crate) fn app(style: Style) -> String {
    let mut source = "#![allow(missing_docs)]\nuse livestore::prelude::*;\n".to_owned();
    for n in 0..TABLES {
        let _ = writeln!(source, "#[table] pub struct Table{n} {{{COLUMNS}}}");
    }
    let list = (0..TABLES).map(|n| format!("Table{n}")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(source, "livestore::schema! {{ pub App {{ tables: [{list}] }} }}");
    for n in 0..QUERIES {
        let (table, other) = (n % TABLES, (n + 1) % TABLES);
        let sql = format!(
            "SELECT a.id, b.note, a.count FROM table{table} a LEFT JOIN table{other} b ON b.id = a.note \
             WHERE a.done = ? AND a.count > ? AND a.title LIKE ? ORDER BY a.count DESC LIMIT {}",
            n + 1
        );
        let query = style(&sql);
        let _ = writeln!(
            source,
            "pub fn query{n}(least: i64) -> impl Query<Output = Vec<{ROW}>> {{ {query} }}"
        );
    }
    source
}

const COLUMNS: &str = "
    #[column(primary_key)]
    pub id: String,
    pub title: String,
    pub count: i64,
    pub done: bool,
    pub score: f64,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub note: Option<String>,
";
