//! Comparisons that mean nothing, and writes that no row can take.

use super::super::ast::{Expr, ExprKind};
use super::super::catalog::{SqlColumn, StorageClass};
use super::super::constant::Constant;
use super::super::token::Span;
use super::scope::Scope;
use super::{Infer, Mismatch, Ty, Typed};

/// Something that must be true of the type of a column, for the compiler to check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TypeCheck {
    /// The positions of the table and the column.
    pub(crate) column: (usize, usize),
    pub(crate) must: Must,
    /// The mistake if it is not.
    pub(crate) mismatch: Mismatch,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Must {
    /// It is stored as this, or as another kind of number.
    CompareWith(StorageClass),
    BeStoredAs(StorageClass),
    NotBeStoredAsBlob,
    /// It is stored as the type of this column is, or as another kind of number.
    CompareWithColumn(usize, usize),
    /// It has this value.
    Have(Constant),
    /// It is not an enum that is stored as text.
    HaveAnOrder,
}

impl Infer<'_> {
    /// Checks that a `found` can be compared with, or assigned to, a `wanted`.
    pub(super) fn check(&mut self, span: &Span, found: Ty, wanted: Ty) {
        match (self.class(found), self.class(wanted)) {
            (Some(is), Some(must)) if is == must || is.is_number() && must.is_number() => {}
            (Some(_), Some(_)) => {
                let message = self.incompatible(found, wanted);
                self.mismatches.push(Mismatch { span: span.clone(), message });
            }
            (Some(class), None) => self.check_column(span, wanted, found, class),
            (None, Some(class)) => self.check_column(span, found, wanted, class),
            (None, None) => self.check_columns(span, found, wanted),
        }
    }

    /// Has the compiler check a column beside something of this class.
    fn check_column(&mut self, span: &Span, column: Ty, beside: Ty, class: StorageClass) {
        let message = self.incompatible(beside, column);
        self.require(span, column, Must::CompareWith(class), message);
    }

    fn check_columns(&mut self, span: &Span, found: Ty, wanted: Ty) {
        let Ty::Column(table, column) = wanted else { return };
        if found != wanted {
            let message = self.incompatible(found, wanted);
            self.require(span, found, Must::CompareWithColumn(table, column), message);
        }
    }

    pub(super) fn require(&mut self, span: &Span, ty: Ty, must: Must, message: String) {
        let Ty::Column(table, column) = ty else { return };
        let mismatch = Mismatch { span: span.clone(), message };
        self.checks.push(TypeCheck { column: (table, column), must, mismatch });
    }

    fn incompatible(&self, found: Ty, wanted: Ty) -> String {
        let help = match (found, wanted) {
            (Ty::Column(..), Ty::Column(..)) => "",
            (_, column @ Ty::Column(..)) | (column, _) => self.right_form(column),
        };
        let (found, wanted) = (self.describe(found), self.describe(wanted));
        format!("{wanted} cannot be compared with or set to {found}{help}")
    }

    /// Says how a value of the column's type is written in SQL.
    fn right_form(&self, ty: Ty) -> &'static str {
        let Ty::Column(table, column) = ty else { return "" };
        let Some(column) = self.catalog.column(table, column) else { return "" };
        match column.base_type().rsplit("::").next().unwrap_or_default() {
            "bool" => ": write `TRUE` or `FALSE`",
            "Timestamp" => {
                ": it is stored as an integer, in milliseconds since 1970. Write `?` and give a \
                 `Timestamp`, or `unixepoch('2026-01-01') * 1000`"
            }
            _ if is_json(column) => {
                ": it is stored as JSON text. Compare a part of it, as in `column ->> '$.name'`, or \
                 write `?` and give a `Json`"
            }
            _ if column.class().is_none() => ": write `?`, and give a value of its type",
            _ => "",
        }
    }

    /// Checks a constant that a column is compared with for equality.
    pub(super) fn check_equal(&mut self, left: &Expr, right: &Expr, scope: &Scope<'_>) {
        for (column, other) in [(left, right), (right, left)] {
            if let Some(ty) = column_of(column, scope)
                && let Some(constant) = self.constant(other)
            {
                self.check_has(&other.span, ty, constant, "never equals");
            }
        }
    }

    /// Refuses a comparison with `NULL`, which is never true.
    pub(super) fn check_null(&mut self, left: &Expr, right: &Expr) {
        if let Some(null) = [left, right].into_iter().find(|e| matches!(e.kind, ExprKind::Null)) {
            let message = "a comparison with NULL is never true: write `IS NULL` or `IS NOT NULL`";
            self.mismatches.push(Mismatch { span: null.span.clone(), message: message.to_owned() });
        }
    }

    /// Refuses `<`, `>` and `BETWEEN` beside an enum whose texts only have the order of the alphabet.
    pub(super) fn check_order<const N: usize>(&mut self, operands: [&Expr; N], scope: &Scope<'_>) {
        for operand in operands {
            let Some(ty) = column_of(operand, scope) else { continue };
            if self.class(ty).is_none() {
                let message = format!(
                    "{} is stored as text, and `<`, `>` and `BETWEEN` compare the letters: list its \
                     variants with `IN (…)`, or store it as integers, with `#[column_type(integer)]` \
                     at the enum",
                    self.describe(ty)
                );
                self.require(&operand.span, ty, Must::HaveAnOrder, message);
            }
        }
    }

    /// Refuses a pattern beside a column that is not a text.
    pub(super) fn check_pattern(&mut self, operand: &Expr, ty: Ty) {
        let Ty::Column(table, position) = ty else { return };
        let Some(column) = self.catalog.column(table, position) else { return };
        let text = self.text(&operand.span);
        let help = match (column.base_type(), column.class()) {
            (_, Some(StorageClass::Text)) => return,
            ("bool", _) => format!("write `{text}`, or `NOT {text}`"),
            (_, Some(StorageClass::Blob)) => format!("write `hex({text})`"),
            (_, Some(_)) => format!("write `CAST({text} AS TEXT)`"),
            _ if self.is_timestamp(ty) => format!(
                "write `datetime({text} / 1000, 'unixepoch')`, or compare it with \
                 `unixepoch('2026-01-01') * 1000`"
            ),
            _ => "compare it with `=` or `IN (…)`".to_owned(),
        };
        let message =
            format!("{} is not stored as text, which patterns are for: {help}", self.describe(ty));
        if column.class().is_some() {
            self.mismatches.push(Mismatch { span: operand.span.clone(), message });
        } else {
            let must = Must::BeStoredAs(StorageClass::Text);
            self.require(&operand.span, ty, must, message);
        }
    }

    /// Infers an expression that a column of this type is set to.
    pub(super) fn assign(&mut self, expr: &Expr, wanted: Typed, scope: &Scope<'_>) -> Typed {
        let typed = self.expect(expr, wanted, scope);
        self.check_unit(expr, wanted.ty);
        self.check_assigned(expr, wanted.ty, true);
        typed
    }

    /// Checks a constant that a column is set to, or may be set to. With `null_is_left`, nothing takes
    /// the place of a NULL.
    fn check_assigned(&mut self, expr: &Expr, wanted: Ty, null_is_left: bool) {
        let Ty::Column(table, column) = wanted else { return };
        for choice in expr.choices() {
            self.check_assigned(choice, wanted, null_is_left && !expr.passes_over_null());
        }
        let column = self.catalog.column(table, column);
        match (self.constant(expr), column) {
            (Some(Constant::Null), Some(column))
                if null_is_left && !(column.nullable || self.replaces && column.has_default) =>
            {
                let message = format!("{} is never null", self.describe(wanted));
                self.mismatches.push(Mismatch { span: expr.span.clone(), message });
            }
            (Some(constant), Some(_)) => {
                self.check_has(&expr.span, wanted, constant, "cannot be set to");
            }
            _ => {}
        }
    }

    /// Checks that a column can have this value.
    fn check_has(&mut self, span: &Span, ty: Ty, constant: Constant, verb: &str) {
        let Ty::Column(table, position) = ty else { return };
        let Some(column) = self.catalog.column(table, position) else { return };
        let has = match (&constant, column.class(), column.range()) {
            (Constant::Null, ..) => true,
            (Constant::Integer(integer), Some(StorageClass::Integer), Some((least, most))) => {
                (least..=most).contains(integer)
            }
            (Constant::Real(real), Some(StorageClass::Integer), _) => is_whole(*real),
            (Constant::Text(text), None, _) if is_json(column) => self.is_json_text(text),
            (_, Some(_), _) => true,
            (_, None, _) => {
                let message = self.has_not(span, ty, verb);
                return self.require(span, ty, Must::Have(constant), message);
            }
        };
        if !has {
            let message = self.has_not(span, ty, verb);
            self.mismatches.push(Mismatch { span: span.clone(), message });
        }
    }

    fn has_not(&self, span: &Span, ty: Ty, verb: &str) -> String {
        let help = self.right_form(ty);
        format!("{} {verb} `{}`{help}", self.describe(ty), self.text(span))
    }

    fn is_json_text(&self, text: &str) -> bool {
        let sql = format!("json_valid('{}')", text.replace('\'', "''"));
        (self.evaluate)(&sql) != Some(Constant::Integer(0))
    }

    fn constant(&self, expr: &Expr) -> Option<Constant> {
        if is_constant(expr) { (self.evaluate)(self.text(&expr.span)) } else { None }
    }
}

/// Whether it depends on nothing. Calls do not count, as they may take long.
fn is_constant(expr: &Expr) -> bool {
    let of_operands = match expr.kind {
        ExprKind::Null
        | ExprKind::Integer(_)
        | ExprKind::Real(_)
        | ExprKind::Text(_)
        | ExprKind::Blob
        | ExprKind::Bool => return true,
        ExprKind::Plus(_)
        | ExprKind::Minus(_)
        | ExprKind::Invert(_)
        | ExprKind::Not(_)
        | ExprKind::Sum(..)
        | ExprKind::Product(..)
        | ExprKind::Divide(..)
        | ExprKind::Whole(..)
        | ExprKind::Concat(..)
        | ExprKind::Equal(..)
        | ExprKind::Order(..)
        | ExprKind::Is(..)
        | ExprKind::Logic(..)
        | ExprKind::IsNull(_)
        | ExprKind::Cast(..) => true,
        _ => false,
    };
    of_operands && expr.children().into_iter().all(is_constant)
}

/// Returns the type of an expression that is a column and nothing more.
fn column_of(expr: &Expr, scope: &Scope<'_>) -> Option<Ty> {
    match &expr.kind {
        ExprKind::Column { table, column } => Some(scope.lookup(table.as_ref(), column).ty),
        ExprKind::Plus(inner) | ExprKind::Collate(inner) => column_of(inner, scope),
        _ => None,
    }
}

fn is_json(column: &SqlColumn) -> bool {
    let name = column.base_type().split('<').next().unwrap_or_default();
    name.rsplit("::").next() == Some("Json") && column.base_type().contains('<')
}

/// Whether SQLite stores it in an integer column, as the integer that it is.
#[expect(clippy::cast_precision_loss, reason = "the bounds are powers of two")]
fn is_whole(real: f64) -> bool {
    real.fract() == 0.0 && real >= i64::MIN as f64 && real < i64::MAX as f64
}
