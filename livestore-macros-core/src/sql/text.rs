//! The SQL of a `sql!`, and how to point into it.
//!
//! Stable Rust has no span for a part of a literal. So an error underlines the whole literal, and shows
//! the line of SQL with the place marked.

use proc_macro2::Span as LiteralSpan;
use syn::LitStr;

use super::token::Span;

/// The SQL, from one literal or from several, each of which is a line.
pub(crate) struct SqlText {
    literals: Vec<LitStr>,
    pub(crate) sql: String,
}

/// The number of characters of a line that are shown.
const MAX_WIDTH: usize = 76;

impl SqlText {
    pub(crate) fn new(literals: Vec<LitStr>) -> Self {
        let sql = literals.iter().map(LitStr::value).collect::<Vec<_>>().join("\n");
        Self { literals, sql }
    }

    /// The span of the first literal.
    pub(crate) fn span(&self) -> LiteralSpan {
        self.literals.first().map_or_else(LiteralSpan::call_site, LitStr::span)
    }

    /// The span of the literal that the place is in.
    pub(crate) fn span_of(&self, place: &Span) -> LiteralSpan {
        let mut start = 0;
        for literal in &self.literals {
            start += literal.value().len() + 1;
            if place.start < start {
                return literal.span();
            }
        }
        self.span()
    }

    pub(crate) fn error(&self, place: &Span, message: &str) -> syn::Error {
        syn::Error::new(self.span_of(place), self.shown(place, message))
    }

    /// Returns the message, and the line with the place marked.
    pub(crate) fn shown(&self, place: &Span, message: &str) -> String {
        format!("{message}\n\n{}", excerpt(&self.sql, place))
    }
}

/// Returns the line of the place, and a line with carets below the place.
fn excerpt(sql: &str, place: &Span) -> String {
    let at = place.start.min(sql.len());
    let before = sql.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = sql.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    let lead = sql.get(start + indent..at).unwrap_or_default().chars().count();
    let marked = sql.get(at..place.end.min(start + line.len())).unwrap_or_default();
    let carets = marked.trim_end().chars().count().max(1);
    let (shown, lead) = cut(line.trim(), lead, carets);
    format!("  {shown}\n  {}{}", " ".repeat(lead), "^".repeat(carets))
}

/// Returns the part of a long line around the place, and the number of characters before the place.
fn cut(line: &str, lead: usize, carets: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= MAX_WIDTH {
        return (line.to_owned(), lead);
    }
    let skipped = (lead + carets + 10).saturating_sub(MAX_WIDTH).min(lead);
    let part: String = line.chars().skip(skipped).take(MAX_WIDTH).collect();
    let start = if skipped > 0 { "…" } else { "" };
    let end = if skipped + MAX_WIDTH < length { "…" } else { "" };
    (format!("{start}{part}{end}"), lead - skipped + start.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_the_place_in_its_line() {
        let sql = "SELECT id\n    FROM todos\n    WHERE x";
        assert_eq!(excerpt(sql, &(19..24)), "  FROM todos\n       ^^^^^");
        assert_eq!(excerpt(sql, &(sql.len()..sql.len())), "  WHERE x\n         ^");
    }

    #[test]
    fn cuts_long_lines() {
        let sql = format!("SELECT {} FROM x", "a, ".repeat(60));
        let at = sql.len() - 1;
        let shown = excerpt(&sql, &(at..at + 1));
        let (line, carets) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().nth(carets.chars().count() - 1), Some('x'));
        assert!(line.chars().count() < 90);
    }

    #[test]
    fn knows_the_literal() {
        let text =
            SqlText::new(vec![syn::parse_quote!("SELECT ä"), syn::parse_quote!("FROM todo")]);
        assert_eq!(text.sql, "SELECT ä\nFROM todo");
        assert!(text.error(&(15..19), "no").to_string().ends_with("FROM todo\n       ^^^^"));
    }
}
