//! What is wrong with a statement, where, and what to write instead.

use syn::Expr;

use super::ast::Statement;
use super::catalog::Catalog;
#[cfg(feature = "checked-sql")]
use super::check::{Checked, Refused};
use super::infer::Mismatch;
use super::parse::Stopped;
#[cfg(feature = "checked-sql")]
use super::purity::{FORBIDDEN, IMPURE};
use super::text::SqlText;
use super::token::{Kind, Span, Token, tokens};
use crate::suggest;

/// A statement, to say something about.
pub(crate) struct Report<'a> {
    pub(crate) text: &'a SqlText,
    /// The text as SQLite gets it; every place in it is the same in the user's.
    pub(crate) sql: &'a str,
    pub(crate) catalog: &'a Catalog,
}

impl Report<'_> {
    /// What SQLite accepts, and we cannot read.
    pub(crate) fn stopped(&self, stopped: &Stopped) -> syn::Error {
        let message = format!("`sql!` expected {} here; `raw` takes any query", stopped.expected);
        self.text.error(&stopped.span, &message)
    }

    pub(crate) fn statement(&self, statement: &Statement) -> syn::Result<()> {
        match statement {
            Statement::Write(write) if write.returning.is_some() => {
                let place = write.returning.clone().unwrap_or_default();
                let message =
                    "a write returns no rows: leave `RETURNING` out, and query before or after";
                Err(self.text.error(&place, message))
            }
            _ => Ok(()),
        }
    }

    /// What SQLite accepts, and `sql!` does not.
    pub(crate) fn tokens(&self) -> syn::Result<()> {
        let tokens = tokens(self.sql);
        if tokens.is_empty() {
            return Err(syn::Error::new(self.text.span(), "there is no SQL"));
        }
        if let Some(token) = tokens.iter().find(|token| token.kind == Kind::NamedParam) {
            let message = "binds have no names: write `?`, or `?1` for the first value";
            return Err(self.text.error(&token.span, message));
        }
        Ok(())
    }

    /// One value for each `?`.
    pub(crate) fn binds(&self, params: usize, binds: &[Expr]) -> syn::Result<()> {
        let tokens = tokens(self.sql);
        if let Some(extra) = binds.get(params) {
            let message = format!("there is no `?` for this value; the SQL has {}", count(params));
            return Err(syn::Error::new_spanned(extra, message));
        }
        if binds.len() < params {
            let place = param(&tokens, binds.len() + 1).unwrap_or_default();
            let given = match binds.len() {
                1 => "one value is given".to_owned(),
                given => format!("{given} values are given"),
            };
            let message =
                format!("this `?` has no value: the SQL has {}, and {given}", count(params));
            return Err(self.text.error(&place, &message));
        }
        Ok(())
    }

    pub(crate) fn mismatches(&self, mismatches: &[Mismatch]) -> syn::Result<()> {
        let mut places = Vec::new();
        let mut errors: Option<syn::Error> = None;
        for Mismatch { span, message } in mismatches {
            if places.contains(&span) {
                continue;
            }
            places.push(span);
            let error = self.text.error(span, message);
            match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            }
        }
        errors.map_or(Ok(()), Err)
    }
}

#[cfg(feature = "checked-sql")]
impl Report<'_> {
    /// What SQLite does not accept, in its words.
    pub(crate) fn refused(&self, refused: &Refused) -> syn::Error {
        let tokens = tokens(self.sql);
        let Refused { message, offset, other_statement } = refused;
        if *other_statement {
            return self.other_statement(&tokens);
        }
        if message.starts_with("Multiple statements") {
            return self.several(&tokens);
        }
        if let Some(table) = message.strip_prefix("no such table: ") {
            let names: Vec<_> =
                self.catalog.tables.iter().map(|table| table.name.as_str()).collect();
            let known = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>();
            let hint = suggest::hint(table, &known);
            return self.text.error(&named(&tokens, table), &format!("{message}{hint}"));
        }
        let end = self.sql.trim_end().len();
        let place = match offset {
            Some(offset) => at(&tokens, *offset, end),
            None if message == "incomplete input" => end..end,
            None => return syn::Error::new(self.text.span(), message),
        };
        if let Some(column) = message.strip_prefix("no such column: ")
            && !column.starts_with('"')
        {
            let hint = self.column_hint(column, &tokens);
            return self.text.error(&place, &format!("{message}{hint}"));
        }
        self.text.error(&place, message)
    }

    /// A materializer's SQL has no clock and no chance; no SQL reaches out of the database.
    pub(crate) fn functions(&self, checked: &Checked) -> syn::Result<()> {
        let is_one_of = |name: &&String, names: &[&str]| {
            names.iter().any(|other| other.eq_ignore_ascii_case(name))
        };
        let forbidden = checked.functions.iter().find(|name| is_one_of(name, FORBIDDEN));
        let impure = checked.functions.iter().find(|name| is_one_of(name, IMPURE));
        let (name, message) = match (forbidden, impure) {
            (Some(name), _) => {
                (name, format!("`{name}` reaches outside the database: leave it out"))
            }
            (None, Some(name)) if checked.is_write => (
                name,
                format!(
                    "`{name}` may give something else each time, and the same events must always make the same state: put the value into the event, and write `?` here"
                ),
            ),
            _ => return Ok(()),
        };
        Err(self.text.error(&named(&tokens(self.sql), name), &message))
    }

    fn other_statement(&self, tokens: &[Token]) -> syn::Error {
        let first = tokens.first().map(|token| token.span.clone()).unwrap_or_default();
        let word = self.sql.get(first.clone()).unwrap_or_default();
        let message = format!(
            "`{word}` may not stand here: write a `SELECT`, `INSERT`, `UPDATE` or `DELETE` over the schema's tables"
        );
        self.text.error(&first, &message)
    }

    fn several(&self, tokens: &[Token]) -> syn::Error {
        let mut after = tokens.iter().skip_while(|token| token.kind != Kind::Symbol(";")).skip(1);
        let place = after.next().map(|token| token.span.clone()).unwrap_or_default();
        self.text.error(&place, "one statement at a time: give this one a `sql!` of its own")
    }

    /// The column nearest to the name, of the tables that the SQL names.
    fn column_hint(&self, column: &str, tokens: &[Token]) -> String {
        let column = column.rsplit('.').next().unwrap_or(column);
        let tables = self.catalog.tables.iter();
        let used = tables.filter(|table| tokens.iter().any(|token| names(token, &table.name)));
        let known: Vec<_> =
            used.flat_map(|table| &table.columns).map(|column| column.name.as_str()).collect();
        suggest::hint(column, &known)
    }
}

fn count(params: usize) -> String {
    match params {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        params => params.to_string(),
    }
}

/// Where the parameter of this number stands.
fn param(tokens: &[Token], number: usize) -> Option<Span> {
    let mut last = 0;
    tokens.iter().find_map(|token| {
        let Kind::Param(given) = token.kind else { return None };
        let own = given.unwrap_or(last + 1);
        last = last.max(own);
        (own == number).then(|| token.span.clone())
    })
}

/// The token that begins there.
#[cfg(feature = "checked-sql")]
fn at(tokens: &[Token], offset: usize, end: usize) -> Span {
    let token = tokens.iter().find(|token| token.span.end > offset);
    token.map_or(end..end, |token| token.span.clone())
}

/// Where the name stands first.
#[cfg(feature = "checked-sql")]
fn named(tokens: &[Token], name: &str) -> Span {
    let found = tokens.iter().find(|token| names(token, name));
    found.map(|token| token.span.clone()).unwrap_or_default()
}

#[cfg(feature = "checked-sql")]
fn names(token: &Token, name: &str) -> bool {
    match &token.kind {
        Kind::Word(word) | Kind::Quoted(word) => word.eq_ignore_ascii_case(name),
        _ => false,
    }
}
