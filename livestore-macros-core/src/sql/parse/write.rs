//! Parses INSERT, UPDATE and DELETE.

use super::super::ast::{Conflict, Cte, Name, Set, Write, WriteKind};
use super::super::token::Span;
use super::{Parser, Result};

impl Parser<'_> {
    pub(super) fn insert(&mut self, ctes: Vec<Cte>) -> Result<Write> {
        let mut replaces = self.word("REPLACE");
        if !replaces {
            self.expect_word("INSERT")?;
            replaces = self.or_else()?;
        }
        self.expect_word("INTO")?;
        let table = self.table()?;
        let alias = if self.word("AS") { Some(self.name()?) } else { None };
        let columns = if self.is_symbol("(") { self.names()? } else { Vec::new() };
        let rows = if self.words(&["DEFAULT", "VALUES"]) { None } else { Some(self.query()?) };
        let mut conflicts = Vec::new();
        while self.words(&["ON", "CONFLICT"]) {
            conflicts.push(self.conflict()?);
        }
        let kind = WriteKind::Insert { columns, rows, conflicts };
        Ok(Write { ctes, table, alias, kind, replaces, returning: self.returning()? })
    }

    pub(super) fn update(&mut self, ctes: Vec<Cte>) -> Result<Write> {
        self.expect_word("UPDATE")?;
        let replaces = self.or_else()?;
        let table = self.table()?;
        let alias = self.alias()?;
        self.index()?;
        self.expect_word("SET")?;
        let sets = self.list(Self::set)?;
        let from = if self.word("FROM") { self.joins()? } else { Vec::new() };
        let filter = if self.word("WHERE") { Some(self.expr()?) } else { None };
        let kind = WriteKind::Update { sets, from, filter };
        Ok(Write { ctes, table, alias, kind, replaces, returning: self.returning()? })
    }

    pub(super) fn delete(&mut self, ctes: Vec<Cte>) -> Result<Write> {
        self.expect_word("DELETE")?;
        self.expect_word("FROM")?;
        let table = self.table()?;
        let alias = self.alias()?;
        self.index()?;
        let filter = if self.word("WHERE") { Some(self.expr()?) } else { None };
        let (kind, replaces) = (WriteKind::Delete { filter }, false);
        Ok(Write { ctes, table, alias, kind, replaces, returning: self.returning()? })
    }

    /// Parses `OR IGNORE` and the like, and returns whether it is `OR REPLACE`.
    fn or_else(&mut self) -> Result<bool> {
        if !self.word("OR") || self.one_of(&["IGNORE", "ABORT", "FAIL", "ROLLBACK"]) {
            return Ok(false);
        }
        match self.word("REPLACE") {
            true => Ok(true),
            false => self.expected("`IGNORE`, `REPLACE`, `ABORT` or `FAIL`"),
        }
    }

    fn table(&mut self) -> Result<Name> {
        let name = self.name()?;
        if self.symbol(".") { self.name() } else { Ok(name) }
    }

    fn index(&mut self) -> Result<()> {
        if self.words(&["INDEXED", "BY"]) {
            self.name()?;
        }
        self.words(&["NOT", "INDEXED"]);
        Ok(())
    }

    fn conflict(&mut self) -> Result<Conflict> {
        let (mut target, mut target_filter) = (Vec::new(), None);
        if self.is_symbol("(") {
            target = self.parenthesized(|parser| parser.list(Self::term))?;
            target_filter = if self.word("WHERE") { Some(self.expr()?) } else { None };
        }
        self.expect_word("DO")?;
        if self.word("NOTHING") {
            return Ok(Conflict { target, target_filter, sets: Vec::new(), filter: None });
        }
        self.expect_word("UPDATE")?;
        self.expect_word("SET")?;
        let sets = self.list(Self::set)?;
        let filter = if self.word("WHERE") { Some(self.expr()?) } else { None };
        Ok(Conflict { target, target_filter, sets, filter })
    }

    fn set(&mut self) -> Result<Set> {
        let columns = if self.is_symbol("(") { self.names()? } else { vec![self.name()?] };
        self.expect_symbol("=")?;
        Ok(Set { columns, value: self.expr()? })
    }

    fn returning(&mut self) -> Result<Option<Span>> {
        let span = self.here();
        if !self.word("RETURNING") {
            return Ok(None);
        }
        self.list(Self::result_column)?;
        Ok(Some(span))
    }
}
