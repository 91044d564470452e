//! Parses queries.

use super::super::ast::{Arm, Cte, Expr, Join, Joined, Query, ResultColumn, Select, Source};
use super::super::token::TokenKind;
use super::{Parser, Result};

impl Parser<'_> {
    /// Parses `WITH a AS (…), …`.
    pub(super) fn ctes(&mut self) -> Result<Vec<Cte>> {
        if !self.word("WITH") {
            return Ok(Vec::new());
        }
        self.word("RECURSIVE");
        self.list(|parser| {
            let name = parser.name()?;
            let columns = if parser.is_symbol("(") { parser.names()? } else { Vec::new() };
            parser.expect_word("AS")?;
            parser.word("NOT");
            parser.word("MATERIALIZED");
            let query = parser.parenthesized(Self::query)?;
            Ok(Cte { name, columns, query })
        })
    }

    pub(super) fn query(&mut self) -> Result<Query> {
        let ctes = self.ctes()?;
        self.query_with(ctes)
    }

    pub(super) fn query_with(&mut self, ctes: Vec<Cte>) -> Result<Query> {
        let mut arms = vec![self.arm()?];
        while self.one_of(&["UNION", "INTERSECT", "EXCEPT"]) {
            self.word("ALL");
            arms.push(self.arm()?);
        }
        let order_by =
            if self.words(&["ORDER", "BY"]) { self.list(Self::term)? } else { Vec::new() };
        let mut limits = Vec::new();
        if self.word("LIMIT") {
            limits.push(self.expr()?);
            if self.word("OFFSET") || self.symbol(",") {
                limits.push(self.expr()?);
            }
        }
        Ok(Query { ctes, arms, order_by, limits })
    }

    pub(super) fn is_query(&self) -> bool {
        ["SELECT", "WITH", "VALUES"].iter().any(|word| self.is_word(word))
    }

    /// Parses an expression to order by.
    pub(super) fn term(&mut self) -> Result<Expr> {
        let expr = self.expr()?;
        self.one_of(&["ASC", "DESC"]);
        if self.word("NULLS") {
            self.one_of(&["FIRST", "LAST"]);
        }
        Ok(expr)
    }

    fn arm(&mut self) -> Result<Arm> {
        if self.word("VALUES") {
            let row = |parser: &mut Self| parser.parenthesized(|p| p.list(Self::expr));
            return Ok(Arm::Values(self.list(row)?));
        }
        if !self.word("SELECT") {
            return self.expected("`SELECT`");
        }
        self.one_of(&["DISTINCT", "ALL"]);
        let mut select = Select { columns: self.list(Self::result_column)?, ..Select::default() };
        if self.word("FROM") {
            select.from = self.joins()?;
        }
        if self.word("WHERE") {
            select.filter = Some(self.expr()?);
        }
        if self.words(&["GROUP", "BY"]) {
            select.group_by = self.list(Self::expr)?;
        }
        if self.word("HAVING") {
            select.having = Some(self.expr()?);
        }
        if self.word("WINDOW") {
            let windows = self.list(|parser| {
                parser.name()?;
                parser.expect_word("AS")?;
                parser.window()
            })?;
            select.windows = windows.into_iter().flatten().collect();
        }
        Ok(Arm::Select(Box::new(select)))
    }

    pub(super) fn result_column(&mut self) -> Result<ResultColumn> {
        if self.symbol("*") {
            return Ok(ResultColumn::All(None));
        }
        let is_name = matches!(self.peek(), Some(TokenKind::Word(_) | TokenKind::Quoted(_)));
        let then = |ahead, symbol| matches!(self.peek_at(ahead), Some(TokenKind::Symbol(s)) if *s == symbol);
        if is_name && then(1, ".") && then(2, "*") {
            let table = self.name()?;
            self.symbol(".");
            self.symbol("*");
            return Ok(ResultColumn::All(Some(table)));
        }
        let expr = self.expr()?;
        let alias = self.alias()?;
        Ok(ResultColumn::Expr { expr, alias })
    }

    pub(super) fn joins(&mut self) -> Result<Vec<Joined>> {
        let mut joined = vec![self.joined(Join::default())?];
        while let Some(join) = self.join()? {
            joined.push(self.joined(join)?);
        }
        Ok(joined)
    }

    fn join(&mut self) -> Result<Option<Join>> {
        if self.symbol(",") {
            return Ok(Some(Join::default()));
        }
        let natural = self.word("NATURAL");
        let full = self.word("FULL");
        let (left, right) = (full || self.word("LEFT"), full || self.word("RIGHT"));
        self.word("OUTER");
        let inner = self.one_of(&["INNER", "CROSS"]);
        if !self.word("JOIN") {
            return match natural || left || right || inner {
                true => self.expected("`JOIN`"),
                false => Ok(None),
            };
        }
        Ok(Some(Join { natural, left, right }))
    }

    fn joined(&mut self, join: Join) -> Result<Joined> {
        let source = self.source()?;
        let on = if self.word("ON") { Some(self.expr()?) } else { None };
        let using = if self.word("USING") { self.names()? } else { Vec::new() };
        Ok(Joined { source, join, on, using })
    }

    fn source(&mut self) -> Result<Source> {
        if self.symbol("(") {
            if self.is_query() {
                let query = self.query()?;
                self.expect_symbol(")")?;
                return Ok(Source::Query { query, alias: self.alias()? });
            }
            let joined = self.joins()?;
            self.expect_symbol(")")?;
            return Ok(Source::Joins(joined));
        }
        let mut name = self.name()?;
        if self.symbol(".") {
            name = self.name()?;
        }
        if self.is_symbol("(") {
            let args = self.args()?;
            return Ok(Source::Function { name, args, alias: self.alias()? });
        }
        let alias = self.alias()?;
        if self.words(&["INDEXED", "BY"]) {
            self.name()?;
        }
        self.words(&["NOT", "INDEXED"]);
        Ok(Source::Table { name, alias })
    }
}
