//! Infers the Rust type of each result column and of each bind.
//!
//! The rules, from the surest on:
//!
//! 1. A column has the type of its field. It becomes an `Option` where a join may leave it out, and
//!    beside an aggregate without `GROUP BY`, which has a row even for no rows.
//! 2. A bind has the type of what it is compared with, or of the column it is assigned to.
//! 3. An expression has the type of SQLite's result: `i64`, `f64`, `String`, `Vec<u8>`; `bool` for
//!    conditions, `u64` for counts.
//! 4. An expression without a type by these rules must be annotated; nothing is guessed.

mod expr;
mod functions;
mod query;
mod scope;
mod write;

use super::ast::{Expr, ExprKind, Statement};
use super::catalog::{Catalog, StorageClass};
use super::parse::Parsed;
use super::token::Span;
use scope::{Ctes, Scope};

/// A type, as far as it follows from the SQL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ty {
    Unknown,
    /// The type of `NULL`, which is compatible with every type.
    Null,
    /// The type of a column, by the positions of its table and itself.
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
pub(crate) struct OutputColumn {
    /// `None` for an expression without an alias.
    pub(crate) name: Option<String>,
    pub(crate) typed: Typed,
    /// The place of its alias, or else of the expression.
    pub(crate) span: Span,
}

/// Two expressions whose types are incompatible.
#[derive(Debug, PartialEq)]
pub(crate) struct Mismatch {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// The types of a statement.
#[derive(Debug)]
pub(crate) struct Inferred {
    /// `None` for a write.
    pub(crate) outputs: Option<Vec<OutputColumn>>,
    /// The type of each bind; `None` if it may be of any type.
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
    /// Infers the type of `expr`, which stands where `wanted` is expected.
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

    /// Infers the types of two expressions that are compared, and returns whether one may be null. With
    /// `null`, a bind among them may be null, too.
    fn compared(&mut self, left: &Expr, right: &Expr, null: bool, scope: &Scope<'_>) -> bool {
        if let (ExprKind::Row(left), ExprKind::Row(right)) = (&left.kind, &right.kind) {
            let mut nullable = false;
            for (left, right) in left.iter().zip(right) {
                nullable |= self.compared(left, right, null, scope);
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
        let number = |class| matches!(class, StorageClass::Integer | StorageClass::Real);
        if is != must && !(number(is) && number(must)) {
            let (found, wanted) = (self.describe(found), self.describe(wanted));
            let message = format!("{wanted} cannot be compared with or set to {found}");
            self.mismatches.push(Mismatch { span: span.clone(), message });
        }
    }

    fn class(&self, ty: Ty) -> Option<StorageClass> {
        match ty {
            Ty::Unknown | Ty::Null => None,
            Ty::Column(table, column) => self.catalog.column(table, column)?.class(),
            Ty::Integer | Ty::Count | Ty::Bool => Some(StorageClass::Integer),
            Ty::Real => Some(StorageClass::Real),
            Ty::Text => Some(StorageClass::Text),
            Ty::Blob => Some(StorageClass::Blob),
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

    /// Returns the common type of two values.
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
                (Some(StorageClass::Integer), Some(StorageClass::Integer)) => Ty::Integer,
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
