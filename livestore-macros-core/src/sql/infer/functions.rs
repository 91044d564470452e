//! The types that SQLite's functions return.

use super::super::ast::{Call, Expr};
use super::super::catalog::StorageClass;
use super::scope::Scope;
use super::{Infer, Ty, Typed};

const AGGREGATES: [&str; 11] = [
    "avg",
    "count",
    "group_concat",
    "json_group_array",
    "json_group_object",
    "jsonb_group_array",
    "jsonb_group_object",
    "string_agg",
    "sum",
    "total",
    "median",
];

/// Whether the call is an aggregate: one value for several rows.
pub(super) fn is_aggregate(call: &Call) -> bool {
    let extreme = (call.name.is("min") || call.name.is("max")) && call.args.len() == 1;
    call.over.is_none() && (extreme || AGGREGATES.iter().any(|name| call.name.is(name)))
}

impl Infer<'_> {
    pub(super) fn call(&mut self, call: &Call, scope: &Scope<'_>) -> Typed {
        let over = call.over.iter().flatten();
        for expr in call.filter.iter().chain(over) {
            self.expr(expr, scope);
        }
        let args: Vec<&Expr> = call.args.iter().collect();
        let name = call.name.text.to_ascii_lowercase();
        match name.as_str() {
            "coalesce" | "ifnull" => return self.coalesce(&args, scope),
            "iif" | "if" => return self.iif(&args, scope),
            "min" | "max" if args.len() > 1 => return self.all(&args, scope),
            _ => {}
        }
        let typed: Vec<Typed> = args.iter().map(|arg| self.expr(arg, scope)).collect();
        let first = typed.first().copied().unwrap_or(Ty::Unknown.nullable());
        let any = typed.iter().any(|typed| typed.nullable);
        // The aggregate may be over no rows.
        let empty = !scope.grouped || call.filter.is_some() || call.over.is_some();
        match self.aggregate(&name, first, empty || any) {
            Some(typed) => typed,
            None => self.scalar(&name, first, any),
        }
    }

    fn coalesce(&mut self, args: &[&Expr], scope: &Scope<'_>) -> Typed {
        let typed = self.all(args, scope);
        let is_bind = |arg: &&&Expr| matches!(arg.kind, super::ExprKind::Param(_));
        let mut others = args.iter().filter(|arg| !is_bind(arg));
        let never = others.any(|arg| !self.expr(arg, scope).nullable);
        Typed { nullable: !never, ..typed }
    }

    fn iif(&mut self, args: &[&Expr], scope: &Scope<'_>) -> Typed {
        let Some((condition, results)) = args.split_first() else {
            return Ty::Unknown.nullable();
        };
        self.expr(condition, scope);
        let typed = self.all(results, scope);
        Typed { nullable: typed.nullable || results.len() != 2, ..typed }
    }

    /// Aggregates and window functions, most of which are null if `nullable` says so.
    fn aggregate(&self, name: &str, first: Typed, nullable: bool) -> Option<Typed> {
        Some(match name {
            "count" => Ty::Count.always(),
            "total" => Ty::Real.always(),
            "avg" => Ty::Real.or_null(nullable),
            "sum" => self.number(first, first).ty.or_null(nullable),
            "min" | "max" => first.ty.or_null(nullable),
            "group_concat" | "string_agg" => Ty::Text.or_null(nullable),
            "json_group_array" | "json_group_object" => Ty::Text.always(),
            "jsonb_group_array" | "jsonb_group_object" => Ty::Blob.always(),
            "row_number" | "rank" | "dense_rank" | "ntile" => Ty::Integer.always(),
            "percent_rank" | "cume_dist" => Ty::Real.always(),
            "lag" | "lead" | "first_value" | "last_value" | "nth_value" => first.ty.nullable(),
            _ => return None,
        })
    }

    fn scalar(&self, name: &str, first: Typed, any: bool) -> Typed {
        match name {
            "likely" | "unlikely" | "likelihood" => first,
            "nullif" => first.ty.nullable(),
            "abs" | "ceil" | "ceiling" | "floor" | "trunc" => {
                let ty = self.number(first, first).ty;
                ty.or_null(any)
            }
            "round" => Ty::Real.or_null(any),
            "length" | "octet_length" | "instr" | "unicode" => Ty::Integer.or_null(any),
            "random" | "changes" | "total_changes" | "last_insert_rowid" => Ty::Integer.always(),
            "typeof" | "quote" | "hex" | "char" | "concat" => Ty::Text.always(),
            "upper" | "lower" | "trim" | "ltrim" | "rtrim" | "replace" | "substr" | "substring" => {
                self.text_or_blob(first).or_null(any)
            }
            "printf" | "format" | "concat_ws" | "strftime" | "date" | "time" | "datetime"
            | "timediff" | "json_type" => Ty::Text.nullable(),
            "json" | "json_array" | "json_object" | "json_quote" => Ty::Text.or_null(any),
            "json_set" | "json_insert" | "json_replace" | "json_remove" | "json_patch" => {
                Ty::Text.nullable()
            }
            "json_valid" | "like" | "glob" => Ty::Bool.or_null(any),
            "json_array_length" | "unixepoch" | "sign" => Ty::Integer.nullable(),
            "julianday" | "sqrt" | "pow" | "power" | "exp" | "ln" | "log" | "log10" | "log2"
            | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "atan2" | "mod" => {
                Ty::Real.nullable()
            }
            "pi" => Ty::Real.always(),
            "randomblob" | "zeroblob" | "unhex" => Ty::Blob.nullable(),
            _ => Ty::Unknown.nullable(),
        }
    }

    /// `substr` of a blob is a blob.
    fn text_or_blob(&self, first: Typed) -> Ty {
        if self.class(first.ty) == Some(StorageClass::Blob) { Ty::Unknown } else { Ty::Text }
    }
}
