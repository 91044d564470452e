//! `sql!`: SQL that is checked, and typed, while compiling.
//!
//! `sql!(App, "…", binds)` calls the macro `App`, which `schema!` has made: it hands the DDL of the
//! schema's tables and the same input to [`sql_in_schema`]. There
//!
//! 1. [`told`] takes the types out that are said in aliases;
//! 2. [`check`] has SQLite prepare the statement, and [`refused`] gives its errors a place and a hint;
//! 3. [`parse`] and [`infer`] find what SQLite does not tell: the types of columns and of binds;
//! 4. [`expand`] writes the query or the write.

mod ast;
mod catalog;
#[cfg(feature = "checked-sql")]
mod check;
mod expand;
mod infer;
mod input;
pub(crate) mod known;
mod parse;
#[cfg(feature = "checked-sql")]
mod purity;
#[cfg(feature = "checked-sql")]
pub(crate) mod readings;
#[cfg(feature = "checked-sql")]
mod refused;
mod report;
mod rows;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod told;

use std::rc::Rc;

use proc_macro2::TokenStream;
use quote::quote;

use self::infer::{Inferred, infer};
use self::input::Input;
use self::known::Known;
use self::report::Report;
use self::told::AllTold;

/// Tables and columns; `None` where SQLite was not asked.
type Reads = Option<Vec<(String, String)>>;

/// A statement that has no mistakes.
struct Statement {
    input: Input,
    /// What SQLite gets.
    sql: String,
    told: AllTold,
    known: Rc<Known>,
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

/// What the schema's macro calls.
pub(crate) fn sql_in_schema(tokens: TokenStream) -> TokenStream {
    let expanded = Input::parse_with_ddl(tokens)
        .and_then(|(ddl, input)| Statement::read(known::schema(&ddl)?, input))
        .and_then(|statement| expand::expand(&statement));
    expanded.unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        // Several in one place for an expression.
        quote!({ #errors })
    })
}

impl Statement {
    fn read(known: Rc<Known>, input: Input) -> syn::Result<Self> {
        let (sql, told) = told::take(&input.text.sql)
            .map_err(|error| input.text.error(&error.span, &error.message))?;
        let tokens = token::tokens(&sql);
        let report = Report { text: &input.text, tokens: &tokens };
        report.tokens()?;
        let reads = asked(&known, &sql, &report)?;
        let parsed = parse::parse(&tokens).map_err(|stopped| report.stopped(&stopped))?;
        report.statement(&parsed.statement)?;
        report.binds(parsed.params, &input.binds)?;
        let inferred = infer(&known.catalog, &parsed);
        report.mismatches(&inferred.mismatches)?;
        Ok(Self { input, sql, told, known, inferred, reads })
    }
}

/// What SQLite says that the statement reads.
#[cfg(feature = "checked-sql")]
fn asked(known: &Known, sql: &str, report: &Report<'_>) -> syn::Result<Reads> {
    let database = known.database.as_ref().map_err(Clone::clone);
    let checked = database
        .and_then(|database| database.check(sql))
        .map_err(|refused| report.refused(&refused, &known.catalog))?;
    report.functions(&checked)?;
    Ok(Some(checked.reads))
}

/// Without SQLite nothing is known of it.
#[cfg(not(feature = "checked-sql"))]
#[expect(clippy::unnecessary_wraps, reason = "the same as where SQLite is asked")]
fn asked(_: &Known, _: &str, _: &Report<'_>) -> syn::Result<Reads> {
    Ok(None)
}
