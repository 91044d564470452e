//! Infers the Rust type of each result column and of each bind.
//!
//! The rules, from the surest on:
//!
//! 1. A column has the type of its field. It becomes an `Option` where a join may leave it out, and
//!    beside an aggregate without `GROUP BY`, which has a row even for no rows.
//! 2. A bind has the type of what it is compared with, or of the column it is assigned to.
//! 3. An expression has the type of SQLite's result: `i64`, `f64`, `String`, `Vec<u8>`; `bool` for
//!    conditions, `u64` for counts. A column beside something else, as in `coalesce(level, -1)`, is an
//!    expression.
//! 4. An expression without a type by these rules must be annotated; nothing is guessed.
//!
//! The type holds for every value, with one exception: integers whose sum, difference, product or
//! quotient leaves 64 bits are a real number in SQLite, and such a query fails when it runs.
//!
//! How a type of the app's is stored, only the compiler knows. What depends on that becomes a
//! [`TypeCheck`].

mod checks;
mod dates;
mod expr;
mod formats;
pub(crate) mod functions;
mod json;
mod query;
mod scope;
mod write;

use super::ast::{Expr, ExprKind, Statement};
use super::catalog::{Catalog, StorageClass};
use super::constant::Constant;
use super::parse::Parsed;
use super::token::Span;
pub(crate) use checks::{Must, TypeCheck};
use scope::{Ctes, Scope};

/// A type, as far as it follows from the SQL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ty {
    Unknown,
    /// The type of `NULL`, which is compatible with every type.
    Null,
    /// The type of a column, by the positions of its table and itself.
    Column(usize, usize),
    /// The type of this class, provided that the column is stored as such.
    Stored(usize, usize, StorageClass),
    /// A text, provided that the column is not stored as a blob.
    TextUnlessBlob(usize, usize),
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

/// A mistake that SQLite does not report, such as two expressions whose types are incompatible.
#[derive(Debug, Clone, PartialEq)]
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
    pub(crate) checks: Vec<TypeCheck>,
    /// A function that it calls, whose result changes although no row does.
    pub(crate) impure: Option<String>,
}

/// Computes a constant expression, if it can.
pub(crate) type Evaluate<'a> = &'a dyn Fn(&str) -> Option<Constant>;

/// Infers the types of the statement that was parsed from `sql`.
pub(crate) fn infer(
    catalog: &Catalog,
    sql: &str,
    parsed: &Parsed,
    evaluate: Evaluate<'_>,
) -> Inferred {
    let (binds, mismatches, checks) = (vec![None; parsed.params], Vec::new(), Vec::new());
    let (impure, replaces, aggregates_outside) = (None, false, false);
    let mut infer = Infer {
        catalog,
        sql,
        evaluate,
        binds,
        mismatches,
        checks,
        impure,
        replaces,
        aggregates_outside,
    };
    let outputs = match &parsed.statement {
        Statement::Query(query) => Some(infer.query(query, None, &Ctes::default(), &[])),
        Statement::Write(write) => {
            infer.write(write);
            None
        }
    };
    let Infer { binds, mismatches, checks, impure, .. } = infer;
    Inferred { outputs, binds, mismatches, checks, impure }
}

struct Infer<'c> {
    catalog: &'c Catalog,
    sql: &'c str,
    evaluate: Evaluate<'c>,
    binds: Vec<Option<Typed>>,
    mismatches: Vec<Mismatch>,
    checks: Vec<TypeCheck>,
    impure: Option<String>,
    /// Whether a default stands in for a NULL that the statement writes.
    replaces: bool,
    /// Whether a subquery has an aggregate over rows of a query around it, which makes that one a query of
    /// one row.
    aggregates_outside: bool,
}

impl Infer<'_> {
    /// The text of this place.
    fn text(&self, span: &Span) -> &str {
        self.sql.get(span.clone()).unwrap_or_default()
    }

    /// Infers the type of `expr`, which stands where `wanted` is expected.
    fn expect(&mut self, expr: &Expr, wanted: Typed, scope: &Scope<'_>) -> Typed {
        let found = match expr.kind {
            ExprKind::Param(number) => self.bind(number, wanted),
            _ => self.expr(expr, scope),
        };
        let choices = expr.choices();
        if choices.is_empty() {
            self.check(&expr.span, found.ty, wanted.ty);
        }
        for choice in choices {
            // It may be null although the column is not.
            let wanted = Typed { nullable: true, ..wanted };
            match choice.kind {
                // The others have given it a type, or have none.
                ExprKind::Param(number) => self.bind(number, wanted),
                _ => self.expect(choice, wanted, scope),
            };
        }
        found
    }

    /// Gives a bind this type, unless it has one already, and returns its type.
    fn bind(&mut self, number: usize, wanted: Typed) -> Typed {
        let bind = number.checked_sub(1).and_then(|at| self.binds.get_mut(at));
        match bind {
            Some(bind) if !matches!(wanted.ty, Ty::Unknown | Ty::Null) => {
                *bind.get_or_insert(wanted)
            }
            _ => self.bound(number),
        }
    }

    /// Returns the type of a bind, as far as it is known.
    fn bound(&self, number: usize) -> Typed {
        let bind = number.checked_sub(1).and_then(|at| *self.binds.get(at)?);
        bind.unwrap_or(Ty::Unknown.nullable())
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
        let (first, second) = if left.is_bind() { (right, left) } else { (left, right) };
        let known = self.expr(first, scope);
        let found = self.expect(second, Typed { nullable: null, ..known }, scope);
        self.check_unit(second, known.ty);
        self.check_unit(first, found.ty);
        known.nullable || found.nullable
    }

    /// Infers the types of a value and of those that it is compared with, and returns whether one may be
    /// null.
    fn compared_with_each(&mut self, value: &Expr, others: &[&Expr], scope: &Scope<'_>) -> bool {
        if value.is_bind() || matches!(value.kind, ExprKind::Row(_)) {
            let alone = self.expr(value, scope).nullable && !value.is_bind();
            return others
                .iter()
                .fold(alone, |any, other| any | self.compared(value, other, false, scope));
        }
        let known = self.expr(value, scope);
        others.iter().fold(known.nullable, |any, other| {
            let found = self.expect(other, Typed { nullable: false, ..known }, scope);
            self.check_unit(other, known.ty);
            self.check_unit(value, found.ty);
            any | found.nullable
        })
    }

    fn class(&self, ty: Ty) -> Option<StorageClass> {
        match ty {
            Ty::Unknown | Ty::Null => None,
            Ty::Column(table, column) => self.catalog.column(table, column)?.class(),
            Ty::Stored(_, _, class) => Some(class),
            Ty::Integer | Ty::Count | Ty::Bool => Some(StorageClass::Integer),
            Ty::Real => Some(StorageClass::Real),
            Ty::Text | Ty::TextUnlessBlob(..) => Some(StorageClass::Text),
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
            Ty::Bool => "a condition".to_owned(),
            _ => match self.class(ty) {
                Some(class) => class.describe().to_owned(),
                None => "a value".to_owned(),
            },
        }
    }

    /// Returns the common type of two values.
    fn either(&self, left: Typed, right: Typed) -> Typed {
        let ty = match (left.ty, right.ty) {
            (left, right) if left == right => left,
            (Ty::Null, other) | (other, Ty::Null) => other,
            (left, right) if self.same_field_type(left, right) => left,
            (left, right) if self.is_bool(left) && self.is_bool(right) => Ty::Bool,
            (left, right) => self.wide(left, right),
        };
        ty.or_null(left.nullable || right.nullable)
    }

    /// Returns the type of all values of the class that both have.
    fn wide(&self, left: Ty, right: Ty) -> Ty {
        let is_proviso = |ty| matches!(ty, Ty::Stored(..) | Ty::TextUnlessBlob(..));
        match (left, self.class(left), right, self.class(right)) {
            (_, Some(one), _, Some(other)) if one == other => {
                match (is_proviso(left), is_proviso(right)) {
                    (true, true) => Ty::Unknown,
                    (true, false) => left,
                    (false, true) => right,
                    (false, false) => one.into(),
                }
            }
            (Ty::Column(table, column), None, other, Some(class))
            | (other, Some(class), Ty::Column(table, column), None)
                if !is_proviso(other) =>
            {
                Ty::Stored(table, column, class)
            }
            _ => Ty::Unknown,
        }
    }

    fn is_bool(&self, ty: Ty) -> bool {
        match ty {
            Ty::Bool => true,
            Ty::Column(table, column) => {
                let column = self.catalog.column(table, column);
                column.is_some_and(|column| column.base_type() == "bool")
            }
            _ => false,
        }
    }

    /// By name only where the name can mean one thing.
    fn same_field_type(&self, left: Ty, right: Ty) -> bool {
        let field = |ty| match ty {
            Ty::Column(table, column) => self.catalog.column(table, column),
            _ => None,
        };
        field(left).zip(field(right)).is_some_and(|(left, right)| {
            left.class().is_some() && left.base_type() == right.base_type()
        })
    }
}

impl From<StorageClass> for Ty {
    fn from(class: StorageClass) -> Self {
        match class {
            StorageClass::Integer => Self::Integer,
            StorageClass::Real => Self::Real,
            StorageClass::Text => Self::Text,
            StorageClass::Blob => Self::Blob,
        }
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
