//! `sql!`: SQL that is checked, and typed, while compiling.
//!
//! `sql!(App, "…", binds)` calls the macro `App`, which `schema!` has defined: that hands the schema's
//! tables and the same input to [`sql_in_schema`]. There
//!
//! 1. [`schema_cache`] reads the tables, unless it has met them before;
//! 2. [`alias_types`] takes type annotations out of the aliases;
//! 3. [`prepare`] has SQLite check the statement, and [`prepare_errors`] adds a place and a hint to its
//!    errors;
//! 4. [`parse`] and [`infer`] find out what SQLite does not report: the types of columns and of binds;
//! 5. [`expand`] writes the query or the write.

mod alias_types;
mod assertions;
mod ast;
mod catalog;
#[cfg(feature = "checked-sql")]
mod conditions;
mod constant;
#[cfg(feature = "checked-sql")]
mod ddl;
#[cfg(test)]
#[cfg(feature = "checked-sql")]
mod differential;
mod expand;
#[cfg(feature = "checked-sql")]
pub(crate) mod fuzzing;
mod infer;
mod input;
mod parse;
#[cfg(feature = "checked-sql")]
mod prepare;
#[cfg(feature = "checked-sql")]
mod prepare_errors;
#[cfg(feature = "checked-sql")]
mod purity;
mod report;
mod rows;
mod schema_cache;
pub(crate) mod table_tokens;
#[cfg(test)]
mod tests;
mod text;
mod token;

use std::rc::Rc;

#[cfg(feature = "checked-sql")]
pub(crate) use self::conditions::check_conditions;

use proc_macro2::TokenStream;
use quote::quote;

use self::alias_types::Annotations;
use self::infer::{Inferred, infer};
use self::input::Input;
use self::report::Report;
use self::schema_cache::SqlSchema;

/// The tables and columns that a statement reads; `None` where SQLite was not asked.
type Reads = Option<Vec<(String, String)>>;

/// A statement that has no mistakes.
struct CheckedStatement {
    input: Input,
    /// The SQL without annotations, as SQLite gets it.
    sql: String,
    annotations: Annotations,
    schema: Rc<SqlSchema>,
    inferred: Inferred,
    reads: Reads,
}

/// Calls the schema's macro, which knows the tables.
pub(crate) fn sql(tokens: TokenStream) -> TokenStream {
    match input::schema(tokens.clone()) {
        Ok((runtime, schema)) => quote!(#schema! { [#runtime::sql_in_schema] #tokens }),
        Err(error) => error.into_compile_error(),
    }
}

/// Expands the call that comes back from the schema's macro.
pub(crate) fn sql_in_schema(tokens: TokenStream) -> TokenStream {
    expand_in_schema(tokens).unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        // An expression has room for one macro call, and these may be several.
        quote!({ #errors })
    })
}

fn expand_in_schema(tokens: TokenStream) -> syn::Result<TokenStream> {
    let (tables, input) = Input::parse_with_tables(tokens)?;
    let schema = schema_cache::schema(&tables)?;
    expand::expand(&CheckedStatement::check(schema, input)?)
}

impl CheckedStatement {
    fn check(schema: Rc<SqlSchema>, input: Input) -> syn::Result<Self> {
        let (sql, annotations) = alias_types::extract(&input.text.sql)
            .map_err(|error| input.text.error(&error.span, &error.message))?;
        let tokens = token::tokens(&sql);
        let report = Report { text: &input.text, tokens: &tokens };
        report.tokens()?;
        let reads = prepared_reads(&schema, &sql, &report)?;
        let parsed = parse::parse(&tokens).map_err(|error| report.parse_error(&error))?;
        report.statement(&parsed.statement)?;
        report.binds(parsed.params, &input.binds)?;
        let inferred = infer(&schema.catalog, &sql, &parsed, &|expr| schema.constant(expr));
        report.mismatches(&inferred.mismatches)?;
        Ok(Self { input, sql, annotations, schema, inferred, reads })
    }
}

/// Has SQLite check the statement, and returns what it reads.
#[cfg(feature = "checked-sql")]
fn prepared_reads(schema: &SqlSchema, sql: &str, report: &Report<'_>) -> syn::Result<Reads> {
    let database = schema.database.as_ref().map_err(Clone::clone);
    let prepared = database
        .and_then(|database| database.prepare(sql))
        .map_err(|error| report.prepare_error(&error, &schema.catalog))?;
    report.functions(&prepared)?;
    report.tables(&prepared, &schema.catalog)?;
    Ok(Some(prepared.reads))
}

/// Without SQLite, nothing is known of what a statement reads.
#[cfg(not(feature = "checked-sql"))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as with SQLite")]
fn prepared_reads(_: &SqlSchema, _: &str, _: &Report<'_>) -> syn::Result<Reads> {
    Ok(None)
}
