//! The types of expressions.

use super::super::ast::{Expr, ExprKind};
use super::super::catalog::StorageClass;
use super::scope::Scope;
use super::{Infer, Ty, Typed};

impl Infer<'_> {
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Typed {
        match &expr.kind {
            ExprKind::Null => Ty::Null.nullable(),
            ExprKind::Integer => Ty::Integer.always(),
            ExprKind::Real => Ty::Real.always(),
            ExprKind::Text => Ty::Text.always(),
            ExprKind::Blob => Ty::Blob.always(),
            ExprKind::Bool => Ty::Bool.always(),
            ExprKind::Param(_) => Ty::Unknown.nullable(),
            ExprKind::Column { table, column } => scope.lookup(table.as_ref(), column),
            ExprKind::Sign(inner) => {
                let inner = self.expr(inner, scope);
                self.number(inner, inner)
            }
            ExprKind::Arithmetic(left, right) => {
                let (left, right) = (self.expr(left, scope), self.expr(right, scope));
                self.number(left, right)
            }
            ExprKind::Divide(left, right) => {
                let (left, right) = (self.expr(left, scope), self.expr(right, scope));
                self.number(left, right).ty.nullable()
            }
            ExprKind::Whole(left, right) => {
                let nullable = self.any_null([left, right], scope);
                Ty::Integer.or_null(nullable)
            }
            ExprKind::Concat(left, right) => Ty::Text.or_null(self.any_null([left, right], scope)),
            ExprKind::Extract(left, right) => {
                self.any_null([left, right], scope);
                Ty::Unknown.nullable()
            }
            ExprKind::Collate(inner) => self.expr(inner, scope),
            ExprKind::Cast(inner, to) => {
                let inner = self.expr(inner, scope);
                cast(to).or_null(inner.nullable)
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

    /// Infers an expression that is true or false.
    fn condition(&mut self, expr: &Expr, scope: &Scope<'_>) -> Typed {
        let nullable = match &expr.kind {
            ExprKind::Not(inner) => self.expr(inner, scope).nullable,
            ExprKind::Logic(left, right) => self.any_null([left, right], scope),
            ExprKind::Compare(left, right) => self.compared(left, right, false, scope),
            ExprKind::Is(left, right) => {
                self.compared(left, right, true, scope);
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
                any | typed.nullable
            }),
            ExprKind::Between(operands) => {
                let [value, low, high] = operands.as_ref();
                self.compared(value, low, false, scope) | self.compared(value, high, false, scope)
            }
            ExprKind::In(value, members) => {
                let alone = self.expr(value, scope).nullable;
                members
                    .iter()
                    .fold(alone, |any, member| any | self.compared(value, member, false, scope))
            }
            ExprKind::InQuery(value, query) => {
                let outputs = self.query(query, Some(scope), &scope.ctes, &[]);
                let member = outputs.first().map_or(Ty::Unknown.nullable(), |output| output.typed);
                let found = self.expect(value, Typed { nullable: false, ..member }, scope);
                found.nullable || member.nullable
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
        for (when, _) in arms {
            match base {
                Some(base) => self.compared(base, when, false, scope),
                None => self.expr(when, scope).nullable,
            };
        }
        let mut results: Vec<&Expr> = arms.iter().map(|(_, then)| then).collect();
        results.extend(otherwise);
        let typed = self.all(&results, scope);
        Typed { nullable: typed.nullable || otherwise.is_none(), ..typed }
    }

    /// Returns the common type of several expressions, which a bind among them gets, too.
    pub(super) fn all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e &'e Expr> + Clone,
        scope: &Scope<'_>,
    ) -> Typed {
        let is_bind = |expr: &Expr| matches!(expr.kind, ExprKind::Param(_));
        let mut typed: Option<Typed> = None;
        let mut any_bind = false;
        for expr in exprs.clone() {
            if is_bind(expr) {
                any_bind = true;
                continue;
            }
            let found = self.expr(expr, scope);
            typed = Some(typed.map_or(found, |before| self.either(before, found)));
        }
        let typed = typed.unwrap_or(Ty::Unknown.nullable());
        for expr in exprs {
            if is_bind(expr) {
                self.expect(expr, Typed { nullable: true, ..typed }, scope);
            }
        }
        Typed { nullable: typed.nullable || any_bind, ..typed }
    }

    pub(super) fn any_null<'e, E: AsRef<Expr> + 'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e E>,
        scope: &Scope<'_>,
    ) -> bool {
        exprs.into_iter().fold(false, |any, expr| any | self.expr(expr.as_ref(), scope).nullable)
    }

    /// Returns the type of arithmetic on two numbers: real if one is real, unknown if one is unknown.
    pub(super) fn number(&self, left: Typed, right: Typed) -> Typed {
        let ty = match (self.class(left.ty), self.class(right.ty)) {
            (Some(StorageClass::Integer), Some(StorageClass::Integer)) => Ty::Integer,
            (
                Some(StorageClass::Integer | StorageClass::Real),
                Some(StorageClass::Integer | StorageClass::Real),
            ) => Ty::Real,
            _ => Ty::Unknown,
        };
        ty.or_null(left.nullable || right.nullable)
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
