//! Turns SQLite's errors into ours: its words, with the place in the SQL and what to write instead.

use super::catalog::Catalog;
use super::infer::functions;
use super::prepare::{PrepareError, Prepared};
use super::purity::{FORBIDDEN, IMPURE};
use super::report::Report;
use super::token::{Span, Token, TokenKind};
use crate::suggest;

impl Report<'_> {
    /// The error for a statement that SQLite does not accept.
    pub(crate) fn prepare_error(&self, error: &PrepareError, catalog: &Catalog) -> syn::Error {
        let tokens = self.tokens;
        let PrepareError { message, offset, is_other_statement } = error;
        if *is_other_statement {
            return self.other_statement(tokens);
        }
        if message.starts_with("Multiple statements") {
            return self.several_statements(tokens);
        }
        if let Some(table) = message.strip_prefix("no such table: ") {
            let names: Vec<_> = catalog.tables.iter().map(|table| table.name.as_str()).collect();
            let known = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>();
            let hint = suggest::hint(table, &known);
            return self.text.error(&named(tokens, table), &format!("{message}{hint}"));
        }
        let end = tokens.last().map_or(0, |token| token.span.end);
        let place = match offset {
            Some(offset) => at(tokens, *offset, end),
            None if message == "incomplete input" => end..end,
            None => return syn::Error::new(self.text.span(), message),
        };
        if let Some(column) = message.strip_prefix("no such column: ")
            && !column.starts_with('"')
        {
            let hint = column_hint(column, tokens, catalog);
            return self.text.error(&place, &format!("{message}{hint}"));
        }
        self.text.error(&place, message)
    }

    /// Checks the functions that a statement calls: a write may not read a clock or be random, and no
    /// statement may reach outside the database.
    pub(crate) fn functions(&self, prepared: &Prepared) -> syn::Result<()> {
        let is_one_of = |name: &&String, names: &[&str]| {
            names.iter().any(|other| other.eq_ignore_ascii_case(name))
        };
        let forbidden = prepared.functions.iter().find(|name| is_one_of(name, FORBIDDEN));
        let unknown = prepared.functions.iter().find(|name| !functions::is_known(name));
        let impure = prepared.functions.iter().find(|name| is_one_of(name, IMPURE));
        let (name, message) = match (forbidden.or(unknown), impure) {
            (Some(name), _) if forbidden.is_some() => {
                (name, format!("`{name}` reaches outside the database: leave it out"))
            }
            (Some(name), _) => {
                (name, format!("`{name}` is not there on every platform: leave it out"))
            }
            (None, Some(name)) if prepared.is_write => (
                name,
                format!(
                    "`{name}` may return a different value each time, and the same events must always give the same state: put the value into the event, and write `?` here"
                ),
            ),
            _ => return Ok(()),
        };
        Err(self.text.error(&named(self.tokens, name), &message))
    }

    /// Checks the functions that a condition on rows calls; those `of_time` may be called, but not to
    /// read the clock.
    pub(crate) fn functions_of_condition(
        &self,
        prepared: &Prepared,
        of_time: &[&str],
    ) -> syn::Result<()> {
        let sql = self.text.sql.to_ascii_lowercase().replace(char::is_whitespace, "");
        let reads_clock = |name: &str| sql.contains("'now'") || sql.contains(&format!("{name}()"));
        let is_constant = |name: &str| of_time.contains(&name) && !reads_clock(name);
        let is_refused = |name: &&String| {
            let name = name.to_ascii_lowercase();
            let mut refused = FORBIDDEN.iter().chain(IMPURE);
            let is_known = functions::is_known(&name);
            !is_known || refused.any(|other| *other == name) && !is_constant(&name)
        };
        let Some(name) = prepared.functions.iter().find(is_refused) else { return Ok(()) };
        let message = format!(
            "`{name}` may return a different value each time, and a condition must always give the same answer for the same row"
        );
        Err(self.text.error(&named(self.tokens, name), &message))
    }

    /// Refuses tables that are SQLite's own.
    pub(crate) fn tables(&self, prepared: &Prepared, catalog: &Catalog) -> syn::Result<()> {
        // Without a column, it may be a common table expression.
        let is_known = |(name, column): &&(String, String)| {
            let is_in_with = column.is_empty() && !name.starts_with("sqlite_");
            is_in_with
                || ["json_each", "json_tree"].contains(&name.as_str())
                || catalog.tables.iter().any(|table| table.name.eq_ignore_ascii_case(name))
        };
        let Some((table, _)) = prepared.reads.iter().find(|read| !is_known(read)) else {
            return Ok(());
        };
        // SQLite has several names for one of its tables.
        let of_sqlite = |token: &&Token| match &token.kind {
            TokenKind::Word(word) | TokenKind::Quoted(word) => {
                word.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
            }
            _ => false,
        };
        let place = match self.tokens.iter().find(of_sqlite) {
            Some(token) if table.starts_with("sqlite_") => token.span.clone(),
            _ => named(self.tokens, table),
        };
        let name = self.text.sql.get(place.clone()).unwrap_or(table);
        Err(self.text.error(&place, &format!("`{name}` is not a table of the schema")))
    }

    fn other_statement(&self, tokens: &[Token]) -> syn::Error {
        let first = tokens.first().map(|token| token.span.clone()).unwrap_or_default();
        let word = self.text.sql.get(first.clone()).unwrap_or_default();
        let message = format!(
            "`{word}` is not allowed here: write a `SELECT`, `INSERT`, `UPDATE` or `DELETE` over the schema's tables"
        );
        self.text.error(&first, &message)
    }

    fn several_statements(&self, tokens: &[Token]) -> syn::Error {
        let mut after =
            tokens.iter().skip_while(|token| token.kind != TokenKind::Symbol(";")).skip(1);
        let place = after.next().map(|token| token.span.clone()).unwrap_or_default();
        self.text.error(&place, "one statement at a time: give this one a `sql!` of its own")
    }
}

/// Suggests a column with a similar name, from the tables that the SQL names.
fn column_hint(column: &str, tokens: &[Token], catalog: &Catalog) -> String {
    let column = column.rsplit('.').next().unwrap_or(column);
    let tables = catalog.tables.iter();
    let used = tables.filter(|table| tokens.iter().any(|token| names(token, &table.name)));
    let known: Vec<_> =
        used.flat_map(|table| &table.columns).map(|column| column.name.as_str()).collect();
    suggest::hint(column, &known)
}

/// Returns the place of the token at the offset.
fn at(tokens: &[Token], offset: usize, end: usize) -> Span {
    let token = tokens.iter().find(|token| token.span.end > offset);
    token.map_or(end..end, |token| token.span.clone())
}

/// Returns the first place where the name stands.
fn named(tokens: &[Token], name: &str) -> Span {
    let found = tokens.iter().find(|token| names(token, name));
    found.map(|token| token.span.clone()).unwrap_or_default()
}

fn names(token: &Token, name: &str) -> bool {
    match &token.kind {
        TokenKind::Word(word) | TokenKind::Quoted(word) => word.eq_ignore_ascii_case(name),
        _ => false,
    }
}
