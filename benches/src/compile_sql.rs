//! 200 queries in SQL, checked or not.

use std::fmt::Write as _;

const QUERIES: usize = 200;

/// How a query is written, of its SQL.
pub(crate) type Style = fn(&str) -> String;

pub(crate) const CHECKED: Style = |sql| format!("sql!(App as {ROW}, {sql:?}, {BINDS})");

pub(crate) const RAW: Style = |sql| format!("raw::<{ROW}>({sql:?}, ({BINDS}))");

const ROW: &str = "(String, Option<String>, i64)";
const BINDS: &str = "true, least, \"a%\"";

/// A function for each query, over the tables of the large app.
pub(crate) fn queries(tables: usize, style: Style) -> String {
    let mut source = String::new();
    for n in 0..QUERIES {
        let (table, other) = (n % tables, (n + 1) % tables);
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
