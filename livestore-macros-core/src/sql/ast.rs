//! The syntax tree of a statement, as far as the types of its columns and binds depend on it.

use super::token::Span;

#[derive(Debug)]
pub(crate) enum Statement {
    Query(Query),
    Write(Box<Write>),
}

/// A SELECT, or several joined by `UNION` and the like.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) ctes: Vec<Cte>,
    pub(crate) arms: Vec<Arm>,
    pub(crate) order_by: Vec<Expr>,
    /// `LIMIT` and `OFFSET`.
    pub(crate) limits: Vec<Expr>,
}

/// A common table expression.
#[derive(Debug)]
pub(crate) struct Cte {
    pub(crate) name: Name,
    pub(crate) columns: Vec<Name>,
    pub(crate) query: Query,
}

/// One of the queries that `UNION` and the like join.
#[derive(Debug)]
pub(crate) enum Arm {
    Select(Box<Select>),
    Values(Vec<Vec<Expr>>),
}

#[derive(Debug, Default)]
pub(crate) struct Select {
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) from: Vec<Joined>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Vec<Expr>,
    pub(crate) having: Option<Expr>,
    /// The expressions of named windows.
    pub(crate) windows: Vec<Expr>,
}

#[derive(Debug)]
pub(crate) enum ResultColumn {
    /// `*`, or `todo.*`.
    All(Option<Name>),
    Expr {
        expr: Expr,
        alias: Option<Name>,
    },
}

/// A source of rows, and how it is joined to those before it.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) source: Source,
    pub(crate) join: Join,
    pub(crate) on: Option<Expr>,
    pub(crate) using: Vec<Name>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Join {
    pub(crate) natural: bool,
    /// Whether what comes after may be missing.
    pub(crate) left: bool,
    /// Whether what came before may be missing.
    pub(crate) right: bool,
}

#[derive(Debug)]
pub(crate) enum Source {
    Table {
        name: Name,
        alias: Option<Name>,
    },
    /// `json_each(…)`
    Function {
        name: Name,
        args: Vec<Expr>,
        alias: Option<Name>,
    },
    Query {
        query: Query,
        alias: Option<Name>,
    },
    /// `(a JOIN b)`
    Joins(Vec<Joined>),
}

#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) ctes: Vec<Cte>,
    pub(crate) table: Name,
    pub(crate) alias: Option<Name>,
    pub(crate) kind: WriteKind,
    /// Whether it is `REPLACE`, or `OR REPLACE`.
    pub(crate) replaces: bool,
    /// The place of `RETURNING`.
    pub(crate) returning: Option<Span>,
}

#[derive(Debug)]
pub(crate) enum WriteKind {
    Insert { columns: Vec<Name>, rows: Option<Query>, conflicts: Vec<Conflict> },
    Update { sets: Vec<Set>, from: Vec<Joined>, filter: Option<Expr> },
    Delete { filter: Option<Expr> },
}

/// `ON CONFLICT … DO …`
#[derive(Debug)]
pub(crate) struct Conflict {
    pub(crate) target: Vec<Expr>,
    pub(crate) target_filter: Option<Expr>,
    pub(crate) sets: Vec<Set>,
    pub(crate) filter: Option<Expr>,
}

/// `a = 1`, or `(a, b) = (1, 2)`.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) columns: Vec<Name>,
    pub(crate) value: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Name {
    /// SQLite compares names without regard to ASCII case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.text.eq_ignore_ascii_case(name)
    }
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Null,
    /// Literals, with the place of the token.
    Integer(Span),
    Real(Span),
    Text(Span),
    Blob,
    /// `TRUE`, `FALSE`.
    Bool,
    /// Counted from 1.
    Param(usize),
    Column {
        table: Option<Name>,
        column: Name,
    },
    /// `+`, which changes nothing.
    Plus(Box<Expr>),
    Minus(Box<Expr>),
    /// `~`
    Invert(Box<Expr>),
    Not(Box<Expr>),
    /// `+`, `-`
    Sum(Box<Expr>, Box<Expr>),
    /// `*`
    Product(Box<Expr>, Box<Expr>),
    /// `/`, `%`: null for zero.
    Divide(Box<Expr>, Box<Expr>),
    /// Operators on bits.
    Whole(Box<Expr>, Box<Expr>),
    Concat(Box<Expr>, Box<Expr>),
    /// `->`, `->>`
    Extract(Box<Expr>, Box<Expr>),
    /// `=`, `<>`
    Equal(Box<Expr>, Box<Expr>),
    /// `<`, `>=`, …
    Order(Box<Expr>, Box<Expr>),
    /// `IS`, `IS NOT`, `IS DISTINCT FROM`; never null.
    Is(Box<Expr>, Box<Expr>),
    /// `AND`, `OR`
    Logic(Box<Expr>, Box<Expr>),
    /// `ISNULL`, `NOTNULL`, `NOT NULL`
    IsNull(Box<Expr>),
    /// `LIKE` and its relatives, with the operand of `ESCAPE`.
    Like(Vec<Expr>),
    Between(Box<[Expr; 3]>),
    In(Box<Expr>, Vec<Expr>),
    InQuery(Box<Expr>, Box<Query>),
    /// `IN table`, `IN json_each(…)`
    InTable(Box<Expr>),
    Case {
        base: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast(Box<Expr>, String),
    Call(Box<Call>),
    Exists(Box<Query>),
    Query(Box<Query>),
    Row(Vec<Expr>),
    Collate(Box<Expr>),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Name,
    pub(crate) args: Vec<Expr>,
    pub(crate) filter: Option<Expr>,
    /// The expressions of the window, if it is a window function.
    pub(crate) over: Option<Vec<Expr>>,
}

impl AsRef<Self> for Expr {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Expr {
    pub(crate) fn is_bind(&self) -> bool {
        matches!(self.kind, ExprKind::Param(_))
    }

    /// Returns the expressions of which one is its value, if it is a choice: the results of `CASE` and `iif`,
    /// the arguments of `coalesce`.
    pub(crate) fn choices(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Case { arms, otherwise, .. } => {
                arms.iter().map(|(_, then)| then).chain(otherwise.as_deref()).collect()
            }
            ExprKind::Call(call) if call.name.is("iif") || call.name.is("if") => {
                call.args.chunks(2).filter_map(<[Self]>::last).collect()
            }
            ExprKind::Call(_) if self.passes_over_null() => self.children(),
            ExprKind::Plus(inner) | ExprKind::Collate(inner) => inner.choices(),
            _ => Vec::new(),
        }
    }

    /// Whether it is a choice that is null only if all of its choices are.
    pub(crate) fn passes_over_null(&self) -> bool {
        matches!(&self.kind, ExprKind::Call(call)
            if call.name.is("coalesce") || call.name.is("ifnull"))
    }

    /// Returns its direct operands, without those inside of subqueries.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Plus(a)
            | ExprKind::Minus(a)
            | ExprKind::Invert(a)
            | ExprKind::Not(a)
            | ExprKind::IsNull(a)
            | ExprKind::Collate(a)
            | ExprKind::Cast(a, _)
            | ExprKind::InTable(a)
            | ExprKind::InQuery(a, _) => vec![a],
            ExprKind::Sum(a, b)
            | ExprKind::Product(a, b)
            | ExprKind::Divide(a, b)
            | ExprKind::Whole(a, b)
            | ExprKind::Concat(a, b)
            | ExprKind::Extract(a, b)
            | ExprKind::Equal(a, b)
            | ExprKind::Order(a, b)
            | ExprKind::Is(a, b)
            | ExprKind::Logic(a, b) => vec![a, b],
            ExprKind::Like(all) | ExprKind::Row(all) => all.iter().collect(),
            ExprKind::Between(all) => all.iter().collect(),
            ExprKind::In(value, members) => {
                std::iter::once(value.as_ref()).chain(members).collect()
            }
            ExprKind::Case { base, arms, otherwise } => base
                .as_deref()
                .into_iter()
                .chain(arms.iter().flat_map(|(when, then)| [when, then]))
                .chain(otherwise.as_deref())
                .collect(),
            ExprKind::Call(call) => {
                let over = call.over.iter().flatten();
                call.args.iter().chain(&call.filter).chain(over).collect()
            }
            _ => Vec::new(),
        }
    }
}
