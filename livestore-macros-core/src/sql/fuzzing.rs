//! For tests of other crates: a statement as this crate parses it, and as SQLite does; and what there is
//! to make statements of.

use proc_macro2::Literal;
use quote::quote;

use super::infer::functions::{FUNCTIONS, Kind};
use super::infer::infer;
use super::parse::expr::OPERATORS;
use super::{alias_types, expand_in_schema, parse, schema_cache, token};

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

/// A function that `sql!` knows.
#[derive(Debug, Clone, Copy)]
pub struct SqlFunction {
    /// Its name, or an operator that SQLite treats as a function.
    pub name: &'static str,
    /// The least and the greatest number of arguments.
    pub args: (usize, usize),
    /// Whether it needs `OVER`.
    pub is_window: bool,
}

/// Returns the functions that `sql!` knows.
pub fn sql_functions() -> impl Iterator<Item = SqlFunction> {
    FUNCTIONS.iter().map(|function| SqlFunction {
        name: function.name,
        args: function.args,
        is_window: function.kind == Kind::Window,
    })
}

/// Returns the binary operators that `sql!` knows.
pub fn sql_operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(operator, ..)| *operator)
}

/// Returns the SQL that is run where `sql!` accepts a statement; `None` if it does not. Each bind is `0`,
/// and what only the compiler sees of their types is left to it.
pub fn accepted_sql(tables: &str, sql: &str) -> Option<String> {
    let (plain, _) = alias_types::extract(sql).ok()?;
    let params = parse::parse(&token::tokens(&plain)).ok()?.params;
    let tables = Literal::string(tables);
    let binds = vec![Literal::i64_unsuffixed(0); params];
    expand_in_schema(quote!(#tables App, #sql, #(#binds),*)).ok().map(|_| plain)
}
