//! Expressions, by SQLite's operator precedence.

use super::super::ast::{Call, Expr, ExprKind, Name};
use super::super::token::{Span, TokenKind};
use super::{Parser, Result};

/// How tightly an operator binds: the greater, the tighter.
type Power = u8;

const OR: Power = 1;
const AND: Power = 2;
const NOT: Power = 3;
const EQUALITY: Power = 4;
const ORDER: Power = 5;
const BITS: Power = 7;
const SUM: Power = 8;
const PRODUCT: Power = 9;
const CONCAT: Power = 10;
const COLLATE: Power = 11;
const SIGN: Power = 12;

/// The largest number of a bind that SQLite accepts.
const MAX_PARAMS: usize = 32_766;

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_above(0)
    }

    fn expr_above(&mut self, least: Power) -> Result<Expr> {
        let start = self.here();
        let mut left = self.prefix()?;
        while let Some(kind) = self.infix(&mut left, least)? {
            left = Expr { kind, span: self.since(&start) };
        }
        Ok(left)
    }

    fn prefix(&mut self) -> Result<Expr> {
        let start = self.here();
        let kind = if self.is_word("NOT") && !self.is_word_at(1, "EXISTS") {
            self.word("NOT");
            ExprKind::Not(Box::new(self.expr_above(NOT)?))
        } else if self.symbol("-") {
            ExprKind::Minus(Box::new(self.expr_above(SIGN)?))
        } else if self.symbol("+") {
            ExprKind::Plus(Box::new(self.expr_above(SIGN)?))
        } else if self.symbol("~") {
            ExprKind::Invert(Box::new(self.expr_above(SIGN)?))
        } else {
            self.primary()?
        };
        Ok(Expr { kind, span: self.since(&start) })
    }

    /// Parses the operator after `left` and its other operands, if it binds tighter than `least`.
    fn infix(&mut self, left: &mut Expr, least: Power) -> Result<Option<ExprKind>> {
        let mut take = || {
            let nothing = Expr { kind: ExprKind::Null, span: Span::default() };
            Box::new(std::mem::replace(left, nothing))
        };
        match self.peek() {
            Some(TokenKind::Symbol(symbol)) => {
                let Some((power, make)) = binary(symbol).filter(|(power, _)| *power > least) else {
                    return Ok(None);
                };
                self.at += 1;
                let left = take();
                Ok(Some(make(left, Box::new(self.expr_above(power)?))))
            }
            Some(TokenKind::Word(_)) => {
                let Some(power) = self.word_power().filter(|power| *power > least) else {
                    return Ok(None);
                };
                let left = take();
                self.word_operator(left, power).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn word_power(&self) -> Option<Power> {
        let is = |word| self.is_word(word);
        if is("OR") {
            Some(OR)
        } else if is("AND") {
            Some(AND)
        } else if is("COLLATE") {
            Some(COLLATE)
        } else if ["IS", "LIKE", "GLOB", "REGEXP", "MATCH", "BETWEEN", "IN", "ISNULL", "NOTNULL"]
            .iter()
            .any(|word| is(word))
            || is("NOT")
                && ["LIKE", "GLOB", "REGEXP", "MATCH", "BETWEEN", "IN", "NULL"]
                    .iter()
                    .any(|word| self.is_word_at(1, word))
        {
            Some(EQUALITY)
        } else {
            None
        }
    }

    fn word_operator(&mut self, left: Box<Expr>, power: Power) -> Result<ExprKind> {
        if self.one_of(&["OR", "AND"]) {
            return Ok(ExprKind::Logic(left, Box::new(self.expr_above(power)?)));
        }
        if self.word("COLLATE") {
            self.name()?;
            return Ok(ExprKind::Collate(left));
        }
        if self.one_of(&["ISNULL", "NOTNULL"]) || self.words(&["NOT", "NULL"]) {
            return Ok(ExprKind::IsNull(left));
        }
        if self.word("IS") {
            self.word("NOT");
            self.words(&["DISTINCT", "FROM"]);
            return Ok(ExprKind::Is(left, Box::new(self.expr_above(power)?)));
        }
        self.word("NOT");
        if self.word("BETWEEN") {
            let low = self.expr_above(EQUALITY)?;
            self.expect_word("AND")?;
            return Ok(ExprKind::Between(Box::new([*left, low, self.expr_above(EQUALITY)?])));
        }
        if self.word("IN") {
            return self.members(left);
        }
        self.at += 1;
        let mut operands = vec![*left, self.expr_above(power)?];
        if self.word("ESCAPE") {
            operands.push(self.expr_above(power)?);
        }
        Ok(ExprKind::Like(operands))
    }

    /// Parses the operand after `IN`.
    fn members(&mut self, left: Box<Expr>) -> Result<ExprKind> {
        if !self.is_symbol("(") {
            self.name()?;
            if self.is_symbol("(") {
                self.args()?;
            }
            return Ok(ExprKind::InTable(left));
        }
        self.parenthesized(|parser| {
            if parser.is_query() {
                Ok(ExprKind::InQuery(left, Box::new(parser.query()?)))
            } else if parser.is_symbol(")") {
                Ok(ExprKind::In(left, Vec::new()))
            } else {
                Ok(ExprKind::In(left, parser.list(Self::expr)?))
            }
        })
    }

    fn primary(&mut self) -> Result<ExprKind> {
        let kind = match self.peek() {
            Some(TokenKind::Text) => ExprKind::Text(self.here()),
            Some(TokenKind::Blob) => ExprKind::Blob,
            Some(TokenKind::Integer) => ExprKind::Integer(self.here()),
            Some(TokenKind::Real) => ExprKind::Real(self.here()),
            Some(&TokenKind::Param(number)) => {
                let number = number.unwrap_or(self.params + 1);
                if number > MAX_PARAMS {
                    return self.expected("a bind with a smaller number");
                }
                self.params = self.params.max(number);
                ExprKind::Param(number)
            }
            Some(TokenKind::Word(word)) => match word.to_ascii_uppercase().as_str() {
                "NULL" => ExprKind::Null,
                "TRUE" | "FALSE" => ExprKind::Bool,
                "CURRENT_TIMESTAMP" | "CURRENT_DATE" | "CURRENT_TIME" => {
                    let name = self.name()?;
                    let call = Call { name, args: Vec::new(), filter: None, over: None };
                    return Ok(ExprKind::Call(Box::new(call)));
                }
                _ => return self.word_or_name(),
            },
            Some(TokenKind::Quoted(_)) => return self.column(),
            Some(TokenKind::Symbol("(")) => return self.in_parentheses(),
            _ => return self.expected("an expression"),
        };
        self.at += 1;
        Ok(kind)
    }

    fn word_or_name(&mut self) -> Result<ExprKind> {
        let has_parenthesis = matches!(self.peek_at(1), Some(TokenKind::Symbol("(")));
        if self.word("CASE") {
            return self.case();
        }
        if self.is_word("EXISTS") || self.is_word("NOT") {
            self.word("NOT");
            self.expect_word("EXISTS")?;
            return Ok(ExprKind::Exists(Box::new(self.parenthesized(Self::query)?)));
        }
        if self.is_word("CAST") && has_parenthesis {
            self.word("CAST");
            return self.parenthesized(|parser| {
                let expr = parser.expr()?;
                parser.expect_word("AS")?;
                let mut to = parser.name()?.text;
                // `VARCHAR(3)`, `DOUBLE PRECISION`
                while !parser.is_symbol(")") {
                    if parser.is_symbol("(") {
                        parser.args()?;
                    } else {
                        to = to + " " + &parser.name()?.text;
                    }
                }
                Ok(ExprKind::Cast(Box::new(expr), to))
            });
        }
        if has_parenthesis { self.call() } else { self.column() }
    }

    fn column(&mut self) -> Result<ExprKind> {
        let mut names = vec![self.name()?];
        while self.symbol(".") {
            names.push(self.name()?);
        }
        let column = names.pop();
        match column {
            Some(column) => Ok(ExprKind::Column { table: names.pop(), column }),
            None => self.expected("a name"),
        }
    }

    fn in_parentheses(&mut self) -> Result<ExprKind> {
        self.parenthesized(|parser| {
            if parser.is_query() {
                return Ok(ExprKind::Query(Box::new(parser.query()?)));
            }
            let mut exprs = parser.list(Self::expr)?;
            match (exprs.len(), exprs.pop()) {
                (1, Some(only)) => Ok(only.kind),
                (_, last) => {
                    exprs.extend(last);
                    Ok(ExprKind::Row(exprs))
                }
            }
        })
    }

    fn case(&mut self) -> Result<ExprKind> {
        let base = if self.is_word("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut arms = Vec::new();
        while self.word("WHEN") {
            let when = self.expr()?;
            self.expect_word("THEN")?;
            arms.push((when, self.expr()?));
        }
        let otherwise = if self.word("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        self.expect_word("END")?;
        Ok(ExprKind::Case { base, arms, otherwise })
    }

    fn call(&mut self) -> Result<ExprKind> {
        let name: Name = self.name()?;
        let args = self.args()?;
        let mut filter = None;
        if self.is_word("FILTER") && matches!(self.peek_at(1), Some(TokenKind::Symbol("("))) {
            self.word("FILTER");
            filter = Some(self.parenthesized(|parser| {
                parser.expect_word("WHERE")?;
                parser.expr()
            })?);
        }
        let mut over = None;
        if self.word("OVER") {
            over = Some(if self.is_symbol("(") {
                self.window()?
            } else {
                self.name()?;
                Vec::new()
            });
        }
        Ok(ExprKind::Call(Box::new(Call { name, args, filter, over })))
    }

    pub(super) fn args(&mut self) -> Result<Vec<Expr>> {
        self.parenthesized(|parser| {
            parser.word("DISTINCT");
            if parser.symbol("*") || parser.is_symbol(")") {
                return Ok(Vec::new());
            }
            let args = parser.list(Self::expr)?;
            if parser.words(&["ORDER", "BY"]) {
                parser.list(Self::term)?;
            }
            Ok(args)
        })
    }

    /// Parses `(PARTITION BY … ORDER BY … ROWS …)`, and returns its expressions.
    pub(super) fn window(&mut self) -> Result<Vec<Expr>> {
        self.parenthesized(|parser| {
            let mut exprs = Vec::new();
            let starts = ["PARTITION", "ORDER", "RANGE", "ROWS", "GROUPS"];
            if !parser.is_symbol(")") && !starts.iter().any(|word| parser.is_word(word)) {
                parser.name()?;
            }
            if parser.words(&["PARTITION", "BY"]) {
                exprs.extend(parser.list(Self::expr)?);
            }
            if parser.words(&["ORDER", "BY"]) {
                exprs.extend(parser.list(Self::term)?);
            }
            if parser.one_of(&["RANGE", "ROWS", "GROUPS"]) {
                parser.frame(&mut exprs)?;
            }
            Ok(exprs)
        })
    }

    fn frame(&mut self, exprs: &mut Vec<Expr>) -> Result<()> {
        let words = [
            "BETWEEN",
            "AND",
            "UNBOUNDED",
            "PRECEDING",
            "FOLLOWING",
            "CURRENT",
            "ROW",
            "EXCLUDE",
            "NO",
            "OTHERS",
            "GROUP",
            "TIES",
        ];
        while !self.is_symbol(")") {
            if !self.one_of(&words) {
                // Binds tighter than the `AND` between the two ends.
                exprs.push(self.expr_above(AND)?);
            }
        }
        Ok(())
    }
}

type Make = fn(Box<Expr>, Box<Expr>) -> ExprKind;

/// The operators that are symbols and stand between two expressions.
pub(crate) const OPERATORS: [(&str, Power, Make); 20] = [
    ("=", EQUALITY, ExprKind::Equal),
    ("==", EQUALITY, ExprKind::Equal),
    ("<>", EQUALITY, ExprKind::Equal),
    ("!=", EQUALITY, ExprKind::Equal),
    ("<", ORDER, ExprKind::Order),
    ("<=", ORDER, ExprKind::Order),
    (">", ORDER, ExprKind::Order),
    (">=", ORDER, ExprKind::Order),
    ("&", BITS, ExprKind::Whole),
    ("|", BITS, ExprKind::Whole),
    ("<<", BITS, ExprKind::Whole),
    (">>", BITS, ExprKind::Whole),
    ("+", SUM, ExprKind::Sum),
    ("-", SUM, ExprKind::Sum),
    ("*", PRODUCT, ExprKind::Product),
    ("/", PRODUCT, ExprKind::Divide),
    ("%", PRODUCT, ExprKind::Divide),
    ("||", CONCAT, ExprKind::Concat),
    ("->", CONCAT, ExprKind::Extract),
    ("->>", CONCAT, ExprKind::Extract),
];

fn binary(symbol: &str) -> Option<(Power, Make)> {
    let found = OPERATORS.iter().find(|(operator, ..)| *operator == symbol);
    found.map(|&(_, power, make)| (power, make))
}
