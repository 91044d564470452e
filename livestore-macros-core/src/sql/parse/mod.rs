//! Parses tokens into the syntax tree.
//!
//! It accepts whatever SQLite accepts, and more: SQLite has checked the statement before. So what this
//! parser rejects is syntax that it does not know yet.

pub(crate) mod expr;
mod query;
mod write;

use super::ast::{Name, Statement};
use super::token::{Span, Token, TokenKind};

/// The place where the parser stopped, and what it expected there.
#[derive(Debug, PartialEq)]
pub(crate) struct ParseError {
    pub(crate) span: Span,
    pub(crate) expected: String,
}

type Result<T> = std::result::Result<T, ParseError>;

/// A statement, and the number of binds that it takes.
pub(crate) struct Parsed {
    pub(crate) statement: Statement,
    pub(crate) params: usize,
}

pub(crate) fn parse(tokens: &[Token]) -> Result<Parsed> {
    let end = tokens.last().map_or(0, |token| token.span.end);
    let mut parser = Parser { tokens, at: 0, params: 0, end };
    let statement = parser.statement()?;
    parser.symbol(";");
    if parser.peek().is_some() {
        return parser.expected("the end");
    }
    Ok(Parsed { statement, params: parser.params })
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    params: usize,
    end: usize,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Statement> {
        let ctes = self.ctes()?;
        if self.is_word("INSERT") || self.is_word("REPLACE") {
            Ok(Statement::Write(Box::new(self.insert(ctes)?)))
        } else if self.is_word("UPDATE") {
            Ok(Statement::Write(Box::new(self.update(ctes)?)))
        } else if self.is_word("DELETE") {
            Ok(Statement::Write(Box::new(self.delete(ctes)?)))
        } else {
            Ok(Statement::Query(self.query_with(ctes)?))
        }
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<&TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    /// The place of the next token.
    fn here(&self) -> Span {
        self.tokens.get(self.at).map_or(self.end..self.end, |token| token.span.clone())
    }

    /// The place from `start` to the previous token.
    fn since(&self, start: &Span) -> Span {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        start.start..last.map_or(start.end, |token| token.span.end)
    }

    fn expected<T>(&self, expected: &str) -> Result<T> {
        Err(ParseError { span: self.here(), expected: expected.to_owned() })
    }

    fn is_word(&self, word: &str) -> bool {
        self.is_word_at(0, word)
    }

    fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Some(TokenKind::Word(other)) if other.eq_ignore_ascii_case(word))
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Symbol(other)) if *other == symbol)
    }

    /// Consumes the word, if it is next.
    fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    /// Consumes all the words, if they are next.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.is_word_at(ahead, word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// Consumes one of the words, if it is next.
    fn one_of(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.word(word))
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.word(word) { Ok(()) } else { self.expected(&format!("`{word}`")) }
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { self.expected(&format!("`{symbol}`")) }
    }

    fn name(&mut self) -> Result<Name> {
        let span = self.here();
        match self.peek() {
            Some(TokenKind::Word(text) | TokenKind::Quoted(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(Name { text, span })
            }
            // SQLite accepts a text as a name where only a name can stand.
            _ => self.expected("a name"),
        }
    }

    /// `AS name`, or `name` unless it is a keyword that can come next.
    fn alias(&mut self) -> Result<Option<Name>> {
        if self.word("AS") {
            return self.name().map(Some);
        }
        match self.peek() {
            Some(TokenKind::Quoted(_)) => self.name().map(Some),
            Some(TokenKind::Word(word))
                if !AFTER_A_NAME.iter().any(|k| k.eq_ignore_ascii_case(word)) =>
            {
                self.name().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `a, b, c`
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(…)`
    fn parenthesized<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect_symbol("(")?;
        let inside = inside(self)?;
        self.expect_symbol(")")?;
        Ok(inside)
    }

    fn names(&mut self) -> Result<Vec<Name>> {
        self.parenthesized(|parser| parser.list(Self::name))
    }
}

/// Keywords that can follow a table or a result column, and are not an alias of it.
const AFTER_A_NAME: [&str; 26] = [
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "WINDOW",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "JOIN",
    "NATURAL",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "OUTER",
    "ON",
    "USING",
    "INDEXED",
    "NOT",
    "SET",
    "RETURNING",
    "VALUES",
    "SELECT",
];
