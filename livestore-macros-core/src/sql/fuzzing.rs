//! For fuzzing: a statement as this crate parses it, and as SQLite does.

use super::infer::infer;
use super::{alias_types, parse, schema_cache, token};

/// Facts about a statement that this crate and SQLite must agree on.
#[derive(Debug, PartialEq, Eq)]
pub struct StatementSummary {
    /// Whether it is an `INSERT`, `UPDATE` or `DELETE`.
    pub is_write: bool,
    /// The number of columns that its rows have.
    pub columns: usize,
    /// The number of binds that it takes.
    pub params: usize,
}

/// Returns this crate's summary of a statement, and SQLite's; each is `None` if that parser rejects the
/// statement. `tables` are tokens as the macros write them.
pub fn summarize_sql(
    tables: &str,
    sql: &str,
) -> (Option<StatementSummary>, Option<StatementSummary>) {
    let tables = proc_macro2::Literal::string(tables);
    let (Ok(schema), Ok((plain, _))) = (schema_cache::schema(&tables), alias_types::extract(sql))
    else {
        return (None, None);
    };
    assert_eq!(plain.len(), sql.len(), "{plain}");
    let ours = parse::parse(&token::tokens(&plain)).ok().map(|parsed| {
        let inferred = infer(&schema.catalog, &plain, &parsed, &|expr| schema.constant(expr));
        let columns = inferred.outputs.as_ref().map(Vec::len);
        StatementSummary {
            is_write: columns.is_none(),
            columns: columns.unwrap_or_default(),
            params: parsed.params,
        }
    });
    let prepared = schema.database.as_ref().ok().and_then(|database| database.prepare(&plain).ok());
    let sqlites = prepared.map(|prepared| StatementSummary {
        is_write: prepared.is_write,
        columns: prepared.columns,
        params: prepared.params,
    });
    (ours, sqlites)
}
