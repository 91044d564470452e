//! Checks the `CHECK` conditions of a table in SQLite, while its `#[table]` is expanded.

use syn::LitStr;

use super::catalog::Catalog;
use super::prepare::{Database, PrepareError};
use super::report::Report;
use super::table_tokens;
use super::text::SqlText;
use super::token::{self, TokenKind};
use crate::ctxt::Ctxt;
use crate::parse::table::TableItem;
use crate::suggest;

/// Functions that are deterministic in a condition, except where they read the clock.
const OF_TIME: [&str; 6] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime"];

/// Reports conditions that SQLite does not accept, and those that depend on more than the row.
pub(crate) fn check_conditions(ctxt: &Ctxt, table: &TableItem) {
    let of_columns = table.columns.iter().filter_map(|column| column.check.as_ref());
    let conditions: Vec<_> = of_columns.chain(&table.checks).collect();
    if conditions.is_empty() || ctxt.has_errors() {
        return;
    }
    let catalog = ctxt.ok(table_tokens::read(table_tokens::of_table(table)));
    let Some(catalog) = catalog else { return };
    for condition in conditions {
        ctxt.ok(check(condition, table, &catalog));
    }
}

fn check(condition: &LitStr, table: &TableItem, catalog: &Catalog) -> syn::Result<()> {
    let text = SqlText::new(vec![condition.clone()]);
    let tokens = token::tokens(&text.sql);
    let report = Report { text: &text, tokens: &tokens };
    report.tokens()?;
    if let Some(param) = tokens.iter().find(|token| matches!(token.kind, TokenKind::Param(_))) {
        return Err(text.error(&param.span, "a condition takes no values: write them out"));
    }
    let name = table.name.replace('"', "\"\"");
    let before = "SELECT (";
    let failed = |error: PrepareError| {
        if let Some(column) = error.message.strip_prefix("no such column: ")
            && let Some(near) = suggest::closest(column, catalog.names_of_columns())
        {
            let message = format!("the table has no column `{column}`: did you mean `{near}`?");
            return syn::Error::new(condition.span(), message);
        }
        let offset = error.offset.map(|offset| offset.saturating_sub(before.len()));
        report.prepare_error(&PrepareError { offset, ..error }, catalog)
    };
    let database = Database::open(&catalog.ddl()).map_err(failed)?;
    let select = format!("{before}{}) FROM \"{name}\"", text.sql);
    let prepared = database.prepare(&select).map_err(failed)?;
    if prepared.columns != 1 {
        return Err(text.error(&(0..text.sql.len()), "this is more than one condition"));
    }
    report.functions_of_condition(&prepared, &OF_TIME)?;
    // Here SQLite refuses what a query may have, such as a subquery.
    let probe =
        format!("CREATE TABLE \"{name}\" ({}, CHECK ({}))", catalog.columns_ddl(), text.sql);
    let probed = Database::open(&probe).map(drop);
    probed.map_err(|error| syn::Error::new(condition.span(), error.message))
}
