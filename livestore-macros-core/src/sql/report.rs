//! Errors about a statement: what is wrong, where, and what to write instead.

use syn::Expr;

use super::ast::Statement;
use super::infer::Mismatch;
use super::parse::ParseError;
use super::text::SqlText;
use super::token::{Span, Token, TokenKind};

/// Reports errors about one statement.
pub(crate) struct Report<'a> {
    pub(crate) text: &'a SqlText,
    /// The tokens of the SQL without annotations, whose places are the same as in the user's text.
    pub(crate) tokens: &'a [Token],
}

impl Report<'_> {
    /// The error for SQL that SQLite accepts, but our parser does not.
    pub(crate) fn parse_error(&self, error: &ParseError) -> syn::Error {
        let message = format!("`sql!` expected {} here; `raw` takes any query", error.expected);
        self.text.error(&error.span, &message)
    }

    /// Refuses a write with `RETURNING`.
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

    /// Refuses tokens that SQLite accepts, but `sql!` does not.
    pub(crate) fn tokens(&self) -> syn::Result<()> {
        if self.tokens.is_empty() {
            return Err(syn::Error::new(self.text.span(), "the SQL is empty"));
        }
        // It ends even a comment.
        if let Some(at) = self.text.sql.find('\0') {
            return Err(self
                .text
                .error(&(at..at + 1), "SQLite stops reading at this NUL character"));
        }
        if let Some(token) = self.tokens.iter().find(|token| token.kind == TokenKind::NamedParam) {
            let message = "binds have no names: write `?`, or `?1` for the first value";
            return Err(self.text.error(&token.span, message));
        }
        Ok(())
    }

    /// Checks that there is one value for each `?`.
    pub(crate) fn binds(&self, params: usize, binds: &[Expr]) -> syn::Result<()> {
        if let Some(extra) = binds.get(params) {
            let message = format!("there is no `?` for this value; the SQL has {}", count(params));
            return Err(syn::Error::new_spanned(extra, message));
        }
        if binds.len() < params {
            let place = param(self.tokens, binds.len() + 1).unwrap_or_default();
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

    /// One error per place where types do not match.
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

fn count(params: usize) -> String {
    match params {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        params => params.to_string(),
    }
}

/// Returns the place of the parameter with this number.
fn param(tokens: &[Token], number: usize) -> Option<Span> {
    let mut last = 0;
    tokens.iter().find_map(|token| {
        let TokenKind::Param(given) = token.kind else { return None };
        let own = given.unwrap_or(last + 1);
        last = last.max(own);
        (own == number).then(|| token.span.clone())
    })
}
