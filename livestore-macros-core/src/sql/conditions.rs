//! Checks the `CHECK` conditions of a table in SQLite, while its `#[table]` is expanded.

use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp};

use super::catalog::{Catalog, StorageClass};
use super::constant::Constant;
use super::ddl;
use super::prepare::{Database, PrepareError, Prepared};
use super::report::Report;
use super::table_tokens;
use super::text::SqlText;
use super::token::{self, TokenKind};
use crate::ctxt::Ctxt;
use crate::parse::column::ColumnField;
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
    let name = ddl::quoted(&table.name);
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
    let select = format!("{before}{}) FROM {name}", text.sql);
    let prepared = database.prepare(&select).map_err(failed)?;
    if prepared.columns != 1 {
        return Err(text.error(&(0..text.sql.len()), "this is more than one condition"));
    }
    report.functions_of_condition(&prepared, &OF_TIME)?;
    // Here SQLite refuses what a query may have, such as a subquery.
    let probe = format!("CREATE TABLE {name} ({}, CHECK ({}))", catalog.columns_ddl(), text.sql);
    let probed = Database::open(&probe).map(drop);
    probed.map_err(|error| syn::Error::new(condition.span(), error.message))?;
    check_defaults(condition, table, &prepared, catalog)
}

/// Refuses literal defaults that the condition refuses: no row could take them.
fn check_defaults(
    condition: &LitStr,
    table: &TableItem,
    prepared: &Prepared,
    catalog: &Catalog,
) -> syn::Result<()> {
    let reads = |column: &ColumnField| {
        prepared.reads.iter().any(|(_, name)| name.eq_ignore_ascii_case(&column.name))
    };
    let (mut row, mut last) = (Vec::new(), None);
    for column in table.columns.iter().filter(|column| reads(column)) {
        // The rest of the condition is up to the app.
        let Some((default, value)) = literal_default(column) else { return Ok(()) };
        let Some(ty) = sql_type(catalog, column) else { return Ok(()) };
        row.push(format!("CAST({value} AS {ty}) AS {}", ddl::quoted(&column.name)));
        last = Some(default);
    }
    let Some(default) = last else { return Ok(()) };
    let name = ddl::quoted(&table.name);
    let one_row = Database::open(&format!("CREATE TABLE {name} AS SELECT {}", row.join(", ")));
    let holds =
        one_row.ok().and_then(|it| it.constant(&format!("({}) FROM {name}", condition.value())));
    match holds {
        Some(Constant::Integer(0)) => Err(syn::Error::new_spanned(
            default,
            format!("the check `{}` refuses this default", condition.value()),
        )),
        _ => Ok(()),
    }
}

/// The type that gives SQLite's column the class of the field, where the field's type shows it.
fn sql_type(catalog: &Catalog, column: &ColumnField) -> Option<&'static str> {
    let mut columns = catalog.tables.iter().flat_map(|table| &table.columns);
    Some(match columns.find(|found| found.name == column.name)?.class()? {
        StorageClass::Integer => "INTEGER",
        StorageClass::Real => "REAL",
        StorageClass::Text => "TEXT",
        StorageClass::Blob => "BLOB",
    })
}

/// The default of the column and its SQL, if it is a literal.
fn literal_default(column: &ColumnField) -> Option<(&Expr, String)> {
    let default = column.default.as_ref()?;
    let (sign, literal) = match default {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => ("-", &**expr),
        literal => ("", literal),
    };
    let Expr::Lit(ExprLit { lit, .. }) = literal else { return None };
    let value = match lit {
        Lit::Int(int) => int.base10_digits().to_owned(),
        Lit::Float(float) => float.base10_digits().to_owned(),
        Lit::Bool(bool) => u8::from(bool.value).to_string(),
        Lit::Str(text) => format!("'{}'", text.value().replace('\'', "''")),
        _ => return None,
    };
    Some((default, format!("{sign}{value}")))
}
