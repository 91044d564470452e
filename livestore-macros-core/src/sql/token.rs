//! Splits SQL into tokens, as SQLite's own tokenizer does.

use std::ops::Range;

/// A place in the SQL, in bytes.
pub(crate) type Span = Range<usize>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A keyword or a name.
    Word(String),
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Quoted(String),
    Text,
    Blob,
    Integer,
    Real,
    /// `?`, or `?3`.
    Param(Option<usize>),
    /// `:name`, `@name`, `$name`, `#name`.
    NamedParam,
    /// Punctuation and operators.
    Symbol(&'static str),
}

/// Longer ones first: `->>` is not `->` and `>`.
const SYMBOLS: [&str; 27] = [
    "->>", "->", "||", "<<", ">>", "<=", ">=", "<>", "==", "!=", "(", ")", ",", ".", ";", "+", "-",
    "*", "/", "%", "&", "|", "~", "<", ">", "=", "!",
];

/// Returns the tokens of the SQL. Characters that start no token are skipped: SQLite reports them.
pub(crate) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (len, kind) = next(rest);
        if let Some(kind) = kind {
            tokens.push(Token { kind, span: at..at + len });
        }
        at += len;
    }
    tokens
}

fn next(rest: &str) -> (usize, Option<TokenKind>) {
    let first = rest.chars().next().unwrap_or(' ');
    let second = rest.chars().nth(1);
    match first {
        _ if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
        _ if rest.starts_with("/*") => (
            rest.get(2..).and_then(|inside| inside.find("*/")).map_or(rest.len(), |end| end + 4),
            None,
        ),
        '\'' => (quoted(rest, '\'').0, Some(TokenKind::Text)),
        '"' | '`' => {
            let (len, name) = quoted(rest, first);
            (len, Some(TokenKind::Quoted(name)))
        }
        '[' => {
            let end = rest.find(']').unwrap_or(rest.len());
            let name = rest.get(1..end).unwrap_or_default().to_owned();
            ((end + 1).min(rest.len()), Some(TokenKind::Quoted(name)))
        }
        'x' | 'X' if second == Some('\'') => {
            (1 + quoted(rest.get(1..).unwrap_or_default(), '\'').0, Some(TokenKind::Blob))
        }
        '?' => {
            let digits = run(rest.get(1..).unwrap_or_default(), |c| c.is_ascii_digit());
            let number = rest.get(1..1 + digits).and_then(|digits| digits.parse().ok());
            (1 + digits, Some(TokenKind::Param(number)))
        }
        ':' | '@' | '$' | '#' => {
            (1 + run(rest.get(1..).unwrap_or_default(), is_word), Some(TokenKind::NamedParam))
        }
        '0'..='9' => number(rest),
        '.' if second.is_some_and(|c| c.is_ascii_digit()) => number(rest),
        first if is_word(first) => {
            let len = run(rest, is_word);
            (len, Some(TokenKind::Word(rest.get(..len).unwrap_or_default().to_owned())))
        }
        ' ' | '\n' | '\t' | '\r' => (1, None),
        first => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => (symbol.len(), Some(TokenKind::Symbol(symbol))),
            None => (first.len_utf8(), None),
        },
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// Returns the number of bytes at the start whose characters are `wanted`.
fn run(text: &str, wanted: fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

/// Reads a text that begins with the quote; returns its length in bytes and what is inside, where a doubled
/// quote stands for one.
fn quoted(text: &str, quote: char) -> (usize, String) {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            inside.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            inside.push(quote);
        } else {
            return (at + 1, inside);
        }
    }
    (text.len(), inside)
}

fn number(text: &str) -> (usize, Option<TokenKind>) {
    let digit = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut len = run(text, digit);
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let ends_in_e = |len: usize| text.get(..len).is_some_and(|text| text.ends_with(['e', 'E']));
    if !is_hex && ends_in_e(len) && text.get(len..).is_some_and(|rest| rest.starts_with(['+', '-']))
    {
        len += 1 + run(text.get(len + 1..).unwrap_or_default(), |c| c.is_ascii_digit());
    }
    let is_real = !is_hex && text.get(..len).is_some_and(|text| text.contains(['.', 'e', 'E']));
    (len, Some(if is_real { TokenKind::Real } else { TokenKind::Integer }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).into_iter().map(|token| &sql[token.span]).collect()
    }

    #[test]
    fn cuts_where_sqlite_does() {
        assert_eq!(
            texts("a.\"b\"\"c\"<=?12 -- no\n||'it''s'/* no */x'00'"),
            ["a", ".", "\"b\"\"c\"", "<=", "?12", "||", "'it''s'", "x'00'"]
        );
        assert_eq!(texts("1.5e-3+.5+0x1F->>'$'"), ["1.5e-3", "+", ".5", "+", "0x1F", "->>", "'$'"]);
    }

    #[test]
    fn reads_names() {
        let kinds: Vec<_> =
            tokens("\"a\"\"b\" [c d] ä ?3 :x #y").into_iter().map(|t| t.kind).collect();
        let quoted = |name: &str| TokenKind::Quoted(name.into());
        let wanted = [
            quoted("a\"b"),
            quoted("c d"),
            TokenKind::Word("ä".into()),
            TokenKind::Param(Some(3)),
            TokenKind::NamedParam,
            TokenKind::NamedParam,
        ];
        assert_eq!(kinds, wanted);
    }

    #[test]
    fn what_does_not_end_goes_to_the_end() {
        assert_eq!(texts("'a"), ["'a"]);
        assert_eq!(texts("/* a"), [""; 0]);
        assert_eq!(texts("[a"), ["[a"]);
    }
}
