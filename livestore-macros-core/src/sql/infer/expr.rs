//! The types of expressions.

use super::super::ast::{Expr, ExprKind};
use super::super::catalog::StorageClass;
use super::super::token::Span;
use super::scope::Scope;
use super::{Infer, Ty, Typed};

impl Infer<'_> {
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Typed {
        match &expr.kind {
            ExprKind::Null => Ty::Null.nullable(),
            ExprKind::Integer(literal) => self.integer(literal).always(),
            ExprKind::Real(_) => Ty::Real.always(),
            ExprKind::Text(_) => Ty::Text.always(),
            ExprKind::Blob => Ty::Blob.always(),
            ExprKind::Bool => Ty::Bool.always(),
            ExprKind::Param(number) => self.bound(*number),
            ExprKind::Column { table, column } => scope.lookup(table.as_ref(), column),
            ExprKind::Plus(inner) | ExprKind::Collate(inner) => self.expr(inner, scope),
            ExprKind::Minus(inner) => self.minus(inner, scope),
            ExprKind::Invert(inner) => Ty::Integer.or_null(self.expr(inner, scope).nullable),
            ExprKind::Sum(left, right) => self.arithmetic(left, right, scope, false),
            ExprKind::Product(left, right) => self.arithmetic(left, right, scope, true),
            ExprKind::Divide(left, right) => {
                let (left, right) = (self.expr(left, scope), self.expr(right, scope));
                self.number(left, right).nullable()
            }
            ExprKind::Whole(left, right) => {
                let nullable = self.any_null([left, right], scope);
                Ty::Integer.or_null(nullable)
            }
            ExprKind::Concat(left, right) => {
                let parts = [self.expr(left, scope), self.expr(right, scope)];
                self.text_of(&parts).or_null(parts.iter().any(|part| part.nullable))
            }
            ExprKind::Extract(left, right) => {
                self.any_null([left, right], scope);
                Ty::Unknown.nullable()
            }
            ExprKind::Cast(inner, to) => {
                let inner = self.expr(inner, scope);
                let ty = match cast(to) {
                    Ty::Text => self.text_of(&[inner]),
                    ty => ty,
                };
                ty.or_null(inner.nullable)
            }
            ExprKind::Call(call) => self.call(call, scope),
            ExprKind::Query(query) => {
                let outputs = self.query(query, Some(scope), &scope.ctes, &[]);
                // There may be no row.
                outputs.first().map_or(Ty::Unknown, |output| output.typed.ty).nullable()
            }
            ExprKind::Case { base, arms, otherwise } => {
                self.case(base.as_deref(), arms, otherwise.as_deref(), scope)
            }
            ExprKind::Row(exprs) => {
                self.any_null(exprs, scope);
                Ty::Unknown.nullable()
            }
            _ => self.condition(expr, scope),
        }
    }

    /// A literal that does not fit into 64 bits is a real number.
    fn integer(&self, literal: &Span) -> Ty {
        let digits = self.text(literal).replace('_', "");
        let is_hex = digits.starts_with("0x") || digits.starts_with("0X");
        if is_hex || digits.parse::<i64>().is_ok() { Ty::Integer } else { Ty::Real }
    }

    fn minus(&mut self, inner: &Expr, scope: &Scope<'_>) -> Typed {
        let typed = self.expr(inner, scope);
        let least = matches!(&inner.kind, ExprKind::Integer(literal)
            if self.text(literal).replace('_', "") == "9223372036854775808");
        let ty = if least { Ty::Integer } else { self.number(typed, typed) };
        ty.or_null(typed.nullable)
    }

    /// The difference of two infinities, and an infinity times zero, are null.
    fn arithmetic(
        &mut self,
        left: &Expr,
        right: &Expr,
        scope: &Scope<'_>,
        is_product: bool,
    ) -> Typed {
        let (first, second) = (self.expr(left, scope), self.expr(right, scope));
        let infinite = |expr: &Expr, typed: Typed| {
            self.number_literal(expr).is_none_or(f64::is_infinite) && self.may_be_infinite(typed.ty)
        };
        let may_be_zero =
            |expr: &Expr| self.number_literal(expr).is_none_or(|number| number == 0.0);
        let (one, other) = (infinite(left, first), infinite(right, second));
        let cancels = match is_product {
            true => one && may_be_zero(right) || other && may_be_zero(left),
            false => one && other,
        };
        self.number(first, second).or_null(first.nullable || second.nullable || cancels)
    }

    /// The value of a literal number.
    fn number_literal(&self, expr: &Expr) -> Option<f64> {
        match &expr.kind {
            ExprKind::Integer(literal) | ExprKind::Real(literal) => {
                self.text(literal).replace('_', "").parse().ok()
            }
            ExprKind::Plus(inner) | ExprKind::Minus(inner) => self.number_literal(inner),
            _ => None,
        }
    }

    /// Infers an expression that is true or false.
    fn condition(&mut self, expr: &Expr, scope: &Scope<'_>) -> Typed {
        let nullable = match &expr.kind {
            ExprKind::Not(inner) => self.expr(inner, scope).nullable,
            ExprKind::Logic(left, right) => self.any_null([left, right], scope),
            ExprKind::Equal(left, right) => {
                self.check_null(left, right);
                self.check_equal(left, right, scope);
                self.compared(left, right, false, scope)
            }
            ExprKind::Order(left, right) => {
                self.check_null(left, right);
                self.check_order([left, right], scope);
                self.compared(left, right, false, scope)
            }
            ExprKind::Is(left, right) => {
                self.compared(left, right, true, scope);
                self.check_equal(left, right, scope);
                false
            }
            ExprKind::IsNull(inner) => {
                self.expr(inner, scope);
                false
            }
            ExprKind::Like(operands) => operands.iter().fold(false, |any, operand| {
                let typed = match operand.kind {
                    ExprKind::Param(_) => self.expect(operand, Ty::Text.always(), scope),
                    _ => self.expr(operand, scope),
                };
                self.check_pattern(operand, typed.ty);
                any | typed.nullable
            }),
            ExprKind::Between(operands) => {
                let [value, low, high] = operands.as_ref();
                self.check_order([value, low, high], scope);
                self.compared_with_each(value, &[low, high], scope)
            }
            ExprKind::In(value, members) => {
                let members: Vec<&Expr> = members.iter().collect();
                let nullable = self.compared_with_each(value, &members, scope);
                for member in members {
                    self.check_equal(value, member, scope);
                }
                nullable
            }
            ExprKind::InQuery(value, query) => {
                let outputs = self.query(query, Some(scope), &scope.ctes, &[]);
                let member = outputs.first().map_or(Ty::Unknown.nullable(), |output| output.typed);
                let found = self.expect(value, Typed { nullable: false, ..member }, scope);
                found.nullable || member.nullable
            }
            ExprKind::InTable(value) => {
                self.expr(value, scope);
                true
            }
            ExprKind::Exists(query) => {
                self.query(query, Some(scope), &scope.ctes, &[]);
                false
            }
            _ => true,
        };
        Ty::Bool.or_null(nullable)
    }

    fn case(
        &mut self,
        base: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Typed {
        let whens: Vec<&Expr> = arms.iter().map(|(when, _)| when).collect();
        match base {
            Some(base) => {
                self.compared_with_each(base, &whens, scope);
                for when in whens {
                    self.check_equal(base, when, scope);
                }
            }
            None => {
                self.any_null(whens, scope);
            }
        }
        let mut results: Vec<&Expr> = arms.iter().map(|(_, then)| then).collect();
        results.extend(otherwise);
        let typed = self.all(&results, scope).0;
        Typed { nullable: typed.nullable || otherwise.is_none(), ..typed }
    }

    /// Returns the common type of several expressions, which a bind among them gets, too, and the type of
    /// each.
    pub(super) fn all(&mut self, exprs: &[&Expr], scope: &Scope<'_>) -> (Typed, Vec<Typed>) {
        let mut each = vec![Ty::Null.nullable(); exprs.len()];
        let mut common: Option<Typed> = None;
        for (expr, typed) in exprs.iter().zip(&mut each).filter(|(expr, _)| !expr.is_bind()) {
            *typed = self.expr(expr, scope);
            common = Some(common.map_or(*typed, |before| self.either(before, *typed)));
        }
        let mut common = common.unwrap_or(Ty::Unknown.nullable());
        let wanted = Typed { nullable: true, ..common };
        for (expr, typed) in exprs.iter().zip(&mut each).filter(|(expr, _)| expr.is_bind()) {
            *typed = self.expect(expr, wanted, scope);
            common = self.either(common, *typed);
        }
        (common, each)
    }

    pub(super) fn any_null<'e, E: AsRef<Expr> + 'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e E>,
        scope: &Scope<'_>,
    ) -> bool {
        exprs.into_iter().fold(false, |any, expr| any | self.expr(expr.as_ref(), scope).nullable)
    }

    /// Returns the type of arithmetic on two numbers: real if one is real, unknown if one is unknown.
    pub(super) fn number(&self, left: Typed, right: Typed) -> Ty {
        match (self.class(left.ty), self.class(right.ty)) {
            (Some(StorageClass::Integer), Some(StorageClass::Integer)) => Ty::Integer,
            (
                Some(StorageClass::Integer | StorageClass::Real),
                Some(StorageClass::Integer | StorageClass::Real),
            ) => Ty::Real,
            _ => Ty::Unknown,
        }
    }

    pub(super) fn may_be_infinite(&self, ty: Ty) -> bool {
        self.class(ty) != Some(StorageClass::Integer)
    }

    /// Returns the type of a text in which bytes of these values stand.
    pub(super) fn text_of(&self, parts: &[Typed]) -> Ty {
        let mut unless_blob = None;
        for part in parts {
            match (part.ty, self.class(part.ty)) {
                (_, Some(StorageClass::Blob)) | (Ty::Unknown, _) => return Ty::Unknown,
                (Ty::Column(table, column), None)
                    if unless_blob.is_none_or(|other| other == (table, column)) =>
                {
                    unless_blob = Some((table, column));
                }
                (Ty::Column(..), None) => return Ty::Unknown,
                _ => {}
            }
        }
        unless_blob.map_or(Ty::Text, |(table, column)| Ty::TextUnlessBlob(table, column))
    }
}

/// Returns the type of a `CAST`, by SQLite's rules for the affinity of a declared type.
fn cast(to: &str) -> Ty {
    let to = to.to_ascii_uppercase();
    let has = |part| to.contains(part);
    if has("INT") {
        Ty::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Ty::Text
    } else if has("BLOB") {
        Ty::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Ty::Real
    } else {
        Ty::Unknown
    }
}
