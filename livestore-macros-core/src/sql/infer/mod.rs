//! Which Rust type each result column has and each bind must have.
//!
//! The rules, from the surest on:
//!
//! 1. A column has the type of its field. It becomes an `Option` where a join may leave it out, and
//!    beside an aggregate without `GROUP BY`, which has a row even for no rows.
//! 2. A bind has the type of what it is compared with or assigned to.
//! 3. An expression has the type of SQLite's result: `i64`, `f64`, `String`, `Vec<u8>`; `bool` for
//!    conditions, `u64` for counts.
//! 4. What has no type by these rules must be given one; nothing is guessed.

mod expr;
mod functions;
mod query;
mod scope;
mod write;

use super::ast::{Expr, ExprKind, Statement};
use super::catalog::{Catalog, Class};
use super::parse::Parsed;
use super::token::Span;
use scope::{Ctes, Scope};

/// A type, as far as SQL tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ty {
    Unknown,
    /// Of `NULL`, which goes with every type.
    Null,
    /// The same as this column of this table.
    Column(usize, usize),
    Integer,
    Count,
    Real,
    Text,
    Blob,
    Bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Typed {
    pub(crate) ty: Ty,
    pub(crate) nullable: bool,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    /// `None`: an expression without an alias.
    pub(crate) name: Option<String>,
    pub(crate) typed: Typed,
    /// Where its name stands, or the expression.
    pub(crate) span: Span,
}

/// Two things that do not go together.
#[derive(Debug, PartialEq)]
pub(crate) struct Mismatch {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// What is known of a statement.
#[derive(Debug)]
pub(crate) struct Inferred {
    /// `None`: it is a write.
    pub(crate) outputs: Option<Vec<Output>>,
    /// Of each bind what it stands beside; `None`: nothing with a type.
    pub(crate) binds: Vec<Option<Typed>>,
    pub(crate) mismatches: Vec<Mismatch>,
}

pub(crate) fn infer(catalog: &Catalog, parsed: &Parsed) -> Inferred {
    let mut infer = Infer { catalog, binds: vec![None; parsed.params], mismatches: Vec::new() };
    let outputs = match &parsed.statement {
        Statement::Query(query) => Some(infer.query(query, None, &Ctes::default(), &[])),
        Statement::Write(write) => {
            infer.write(write);
            None
        }
    };
    Inferred { outputs, binds: infer.binds, mismatches: infer.mismatches }
}

struct Infer<'c> {
    catalog: &'c Catalog,
    binds: Vec<Option<Typed>>,
    mismatches: Vec<Mismatch>,
}

impl Infer<'_> {
    /// `expr` stands where a `wanted` belongs.
    fn expect(&mut self, expr: &Expr, wanted: Typed, scope: &Scope<'_>) -> Typed {
        match expr.kind {
            ExprKind::Param(number) => {
                if let Some(bind) = number.checked_sub(1).and_then(|at| self.binds.get_mut(at))
                    && !matches!(wanted.ty, Ty::Unknown | Ty::Null)
                {
                    bind.get_or_insert(wanted);
                }
                wanted
            }
            _ => {
                let found = self.expr(expr, scope);
                self.check(&expr.span, found.ty, wanted.ty);
                found
            }
        }
    }

    /// Two expressions that are compared; `null`: also with `NULL`.
    fn beside(&mut self, left: &Expr, right: &Expr, null: bool, scope: &Scope<'_>) -> bool {
        if let (ExprKind::Row(left), ExprKind::Row(right)) = (&left.kind, &right.kind) {
            let mut nullable = false;
            for (left, right) in left.iter().zip(right) {
                nullable |= self.beside(left, right, null, scope);
            }
            return nullable;
        }
        let (first, second) =
            if matches!(left.kind, ExprKind::Param(_)) { (right, left) } else { (left, right) };
        let known = self.expr(first, scope);
        let found = self.expect(second, Typed { nullable: null, ..known }, scope);
        known.nullable || found.nullable
    }

    fn check(&mut self, span: &Span, found: Ty, wanted: Ty) {
        let (Some(is), Some(must)) = (self.class(found), self.class(wanted)) else { return };
        let number = |class| matches!(class, Class::Integer | Class::Real);
        if is != must && !(number(is) && number(must)) {
            let (found, wanted) = (self.describe(found), self.describe(wanted));
            let message = format!("{wanted} cannot be compared with or set to {found}");
            self.mismatches.push(Mismatch { span: span.clone(), message });
        }
    }

    fn class(&self, ty: Ty) -> Option<Class> {
        match ty {
            Ty::Unknown | Ty::Null => None,
            Ty::Column(table, column) => self.catalog.column(table, column)?.class(),
            Ty::Integer | Ty::Count | Ty::Bool => Some(Class::Integer),
            Ty::Real => Some(Class::Real),
            Ty::Text => Some(Class::Text),
            Ty::Blob => Some(Class::Blob),
        }
    }

    fn describe(&self, ty: Ty) -> String {
        match ty {
            Ty::Column(table, column) => {
                let name = self.catalog.tables.get(table).map_or("?", |table| &table.name);
                match self.catalog.column(table, column) {
                    Some(column) => format!("`{name}.{}` (`{}`)", column.name, column.ty),
                    None => "a column".to_owned(),
                }
            }
            Ty::Integer | Ty::Count => "an integer".to_owned(),
            Ty::Real => "a real number".to_owned(),
            Ty::Text => "a text".to_owned(),
            Ty::Blob => "a blob".to_owned(),
            Ty::Bool => "a condition".to_owned(),
            Ty::Unknown | Ty::Null => "a value".to_owned(),
        }
    }

    /// The type of what may be either.
    fn either(&self, left: Typed, right: Typed) -> Typed {
        let nullable = left.nullable || right.nullable;
        let ty = match (left.ty, right.ty) {
            (left, right) if left == right => left,
            (Ty::Null, other) | (other, Ty::Null) => other,
            (Ty::Unknown, _) | (_, Ty::Unknown) => Ty::Unknown,
            (Ty::Column(..), Ty::Column(..)) => {
                if self.same_field_type(left.ty, right.ty) {
                    left.ty
                } else {
                    Ty::Unknown
                }
            }
            // A literal takes the type of the column it stands in for.
            (column @ Ty::Column(..), other) | (other, column @ Ty::Column(..)) => {
                let class = self.class(column);
                if class.is_none() || class == self.class(other) { column } else { Ty::Unknown }
            }
            (left, right) => match (self.class(left), self.class(right)) {
                (Some(Class::Integer), Some(Class::Integer)) => Ty::Integer,
                _ => Ty::Unknown,
            },
        };
        Typed { ty, nullable }
    }

    fn same_field_type(&self, left: Ty, right: Ty) -> bool {
        let field = |ty| match ty {
            Ty::Column(table, column) => self.catalog.column(table, column),
            _ => None,
        };
        let bare = |ty: &str| ty.trim_start_matches("Option<").trim_end_matches('>').to_owned();
        // By name only where the name can mean one thing.
        field(left).zip(field(right)).is_some_and(|(left, right)| {
            left.class().is_some() && bare(&left.ty) == bare(&right.ty)
        })
    }
}

impl Ty {
    fn nullable(self) -> Typed {
        Typed { ty: self, nullable: true }
    }

    fn always(self) -> Typed {
        Typed { ty: self, nullable: false }
    }

    fn or_null(self, nullable: bool) -> Typed {
        Typed { ty: self, nullable }
    }
}
