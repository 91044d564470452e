//! The functions that `sql!` knows, and what each returns.
//!
//! These are the functions that SQLite has on every platform. A type holds for every value: an integer
//! that may become a real number, or a text that may not be UTF-8, has no type here.

use super::super::ast::{Call, Expr};
use super::scope::Scope;
use super::{Infer, Ty, Typed, dates, formats};

/// A function, for a number of arguments.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The least and the greatest number of arguments.
    pub(crate) args: (usize, usize),
    pub(crate) kind: Kind,
    ty: Returns,
    nulls: Nulls,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Scalar,
    /// One value for several rows.
    Aggregate,
    /// It needs `OVER`.
    Window,
}

#[derive(Clone, Copy)]
enum Returns {
    Is(Ty),
    /// Text in which bytes of the arguments stand: it is UTF-8 if no argument is a blob.
    TextOfArgs,
    /// The type of the first argument.
    First,
    /// A number like the first argument.
    Number,
    /// As the function says, which also says whether it may be null.
    By(fn(&mut Infer<'_>, &[&Expr], &Scope<'_>) -> Typed),
}

#[derive(Clone, Copy)]
enum Nulls {
    Never,
    /// Null if an argument is.
    OfArgs,
    /// Null if the first argument is.
    OfFirst,
    /// Null over no rows, or if an argument is null.
    OfRows,
    /// The same, and where infinities cancel each other out.
    OfReals,
    Maybe,
}

use Kind::{Aggregate, Scalar, Window};
use Returns::{By, First, Is, Number, TextOfArgs};

const MANY: usize = usize::MAX;

const fn f(
    name: &'static str,
    args: (usize, usize),
    kind: Kind,
    ty: Returns,
    nulls: Nulls,
) -> Function {
    Function { name, args, kind, ty, nulls }
}

/// The list that `livestore/src/sqlite/functions.rs` permits at run time has the same names.
pub(crate) const FUNCTIONS: &[Function] = &[
    f("->", (2, 2), Scalar, Is(Ty::Unknown), Nulls::Maybe),
    f("->>", (2, 2), Scalar, Is(Ty::Unknown), Nulls::Maybe),
    f("abs", (1, 1), Scalar, Number, Nulls::OfArgs),
    f("avg", (1, 1), Aggregate, Is(Ty::Real), Nulls::OfReals),
    f("changes", (0, 0), Scalar, Is(Ty::Integer), Nulls::Never),
    f("char", (0, MANY), Scalar, By(formats::char), Nulls::Never),
    f("coalesce", (2, MANY), Scalar, By(coalesce), Nulls::Maybe),
    f("concat", (1, MANY), Scalar, TextOfArgs, Nulls::Never),
    f("concat_ws", (2, MANY), Scalar, TextOfArgs, Nulls::OfFirst),
    f("count", (0, 1), Aggregate, Is(Ty::Count), Nulls::Never),
    f("cume_dist", (0, 0), Window, Is(Ty::Real), Nulls::Never),
    f("current_date", (0, 0), Scalar, Is(Ty::Text), Nulls::Never),
    f("current_time", (0, 0), Scalar, Is(Ty::Text), Nulls::Never),
    f("current_timestamp", (0, 0), Scalar, Is(Ty::Text), Nulls::Never),
    f("date", (0, MANY), Scalar, Is(Ty::Text), Nulls::Maybe),
    f("datetime", (0, MANY), Scalar, Is(Ty::Text), Nulls::Maybe),
    f("dense_rank", (0, 0), Window, Is(Ty::Integer), Nulls::Never),
    f("first_value", (1, 1), Window, First, Nulls::Maybe),
    f("format", (1, MANY), Scalar, By(formats::format), Nulls::Maybe),
    f("glob", (2, 2), Scalar, Is(Ty::Bool), Nulls::OfArgs),
    f("group_concat", (1, 2), Aggregate, TextOfArgs, Nulls::OfRows),
    f("hex", (1, 1), Scalar, Is(Ty::Text), Nulls::Never),
    f("if", (2, MANY), Scalar, By(iif), Nulls::Maybe),
    f("ifnull", (2, 2), Scalar, By(coalesce), Nulls::Maybe),
    f("iif", (2, MANY), Scalar, By(iif), Nulls::Maybe),
    f("instr", (2, 2), Scalar, Is(Ty::Integer), Nulls::OfArgs),
    f("json", (1, 1), Scalar, TextOfArgs, Nulls::OfArgs),
    f("json_array", (0, MANY), Scalar, TextOfArgs, Nulls::Never),
    f("json_array_insert", (1, MANY), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_array_length", (1, 2), Scalar, Is(Ty::Integer), Nulls::Maybe),
    f("json_error_position", (1, 1), Scalar, Is(Ty::Integer), Nulls::OfArgs),
    f("json_extract", (2, MANY), Scalar, Is(Ty::Unknown), Nulls::Maybe),
    f("json_group_array", (1, 1), Aggregate, TextOfArgs, Nulls::Never),
    f("json_group_object", (2, 2), Aggregate, TextOfArgs, Nulls::Never),
    f("json_insert", (1, MANY), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_object", (0, MANY), Scalar, TextOfArgs, Nulls::Never),
    f("json_patch", (2, 2), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_pretty", (1, 2), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_quote", (1, 1), Scalar, TextOfArgs, Nulls::Never),
    f("json_remove", (1, MANY), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_replace", (1, MANY), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_set", (1, MANY), Scalar, TextOfArgs, Nulls::Maybe),
    f("json_type", (1, 2), Scalar, Is(Ty::Text), Nulls::Maybe),
    f("json_valid", (1, 2), Scalar, Is(Ty::Bool), Nulls::OfArgs),
    f("jsonb", (1, 1), Scalar, Is(Ty::Blob), Nulls::OfArgs),
    f("jsonb_array", (0, MANY), Scalar, Is(Ty::Blob), Nulls::Never),
    f("jsonb_array_insert", (1, MANY), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("jsonb_extract", (2, MANY), Scalar, Is(Ty::Unknown), Nulls::Maybe),
    f("jsonb_group_array", (1, 1), Aggregate, Is(Ty::Blob), Nulls::Never),
    f("jsonb_group_object", (2, 2), Aggregate, Is(Ty::Blob), Nulls::Never),
    f("jsonb_insert", (1, MANY), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("jsonb_object", (0, MANY), Scalar, Is(Ty::Blob), Nulls::Never),
    f("jsonb_patch", (2, 2), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("jsonb_remove", (1, MANY), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("jsonb_replace", (1, MANY), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("jsonb_set", (1, MANY), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("julianday", (0, MANY), Scalar, Is(Ty::Real), Nulls::Maybe),
    f("lag", (1, 3), Window, By(neighbour), Nulls::Maybe),
    f("last_insert_rowid", (0, 0), Scalar, Is(Ty::Integer), Nulls::Never),
    f("last_value", (1, 1), Window, First, Nulls::Maybe),
    f("lead", (1, 3), Window, By(neighbour), Nulls::Maybe),
    f("length", (1, 1), Scalar, Is(Ty::Integer), Nulls::OfArgs),
    f("like", (2, 3), Scalar, Is(Ty::Bool), Nulls::OfArgs),
    f("likelihood", (2, 2), Scalar, First, Nulls::OfFirst),
    f("likely", (1, 1), Scalar, First, Nulls::OfFirst),
    f("lower", (1, 1), Scalar, TextOfArgs, Nulls::OfArgs),
    f("ltrim", (1, 2), Scalar, TextOfArgs, Nulls::OfArgs),
    f("max", (1, 1), Aggregate, First, Nulls::OfRows),
    f("max", (2, MANY), Scalar, By(extreme), Nulls::Maybe),
    f("min", (1, 1), Aggregate, First, Nulls::OfRows),
    f("min", (2, MANY), Scalar, By(extreme), Nulls::Maybe),
    f("nth_value", (2, 2), Window, First, Nulls::Maybe),
    f("ntile", (1, 1), Window, Is(Ty::Integer), Nulls::Never),
    f("nullif", (2, 2), Scalar, First, Nulls::Maybe),
    f("octet_length", (1, 1), Scalar, Is(Ty::Integer), Nulls::OfArgs),
    f("percent_rank", (0, 0), Window, Is(Ty::Real), Nulls::Never),
    f("printf", (1, MANY), Scalar, By(formats::format), Nulls::Maybe),
    f("quote", (1, 1), Scalar, Is(Ty::Text), Nulls::Never),
    f("random", (0, 0), Scalar, Is(Ty::Integer), Nulls::Never),
    f("randomblob", (1, 1), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("rank", (0, 0), Window, Is(Ty::Integer), Nulls::Never),
    f("replace", (3, 3), Scalar, TextOfArgs, Nulls::OfArgs),
    f("round", (1, 2), Scalar, Is(Ty::Real), Nulls::OfArgs),
    f("row_number", (0, 0), Window, Is(Ty::Integer), Nulls::Never),
    f("rtrim", (1, 2), Scalar, TextOfArgs, Nulls::OfArgs),
    f("sign", (1, 1), Scalar, Is(Ty::Integer), Nulls::Maybe),
    f("sqlite_version", (0, 0), Scalar, Is(Ty::Text), Nulls::Never),
    f("strftime", (1, MANY), Scalar, TextOfArgs, Nulls::Maybe),
    f("string_agg", (2, 2), Aggregate, TextOfArgs, Nulls::OfRows),
    f("substr", (2, 3), Scalar, TextOfArgs, Nulls::OfArgs),
    f("substring", (2, 3), Scalar, TextOfArgs, Nulls::OfArgs),
    f("sum", (1, 1), Aggregate, Number, Nulls::OfReals),
    f("time", (0, MANY), Scalar, Is(Ty::Text), Nulls::Maybe),
    f("timediff", (2, 2), Scalar, Is(Ty::Text), Nulls::Maybe),
    f("total", (1, 1), Aggregate, By(total), Nulls::Maybe),
    f("total_changes", (0, 0), Scalar, Is(Ty::Integer), Nulls::Never),
    f("trim", (1, 2), Scalar, TextOfArgs, Nulls::OfArgs),
    f("typeof", (1, 1), Scalar, Is(Ty::Text), Nulls::Never),
    f("unhex", (1, 2), Scalar, Is(Ty::Blob), Nulls::Maybe),
    f("unicode", (1, 1), Scalar, Is(Ty::Integer), Nulls::Maybe),
    f("unistr", (1, 1), Scalar, Is(Ty::Unknown), Nulls::Maybe),
    f("unistr_quote", (1, 1), Scalar, Is(Ty::Text), Nulls::Never),
    f("unixepoch", (0, MANY), Scalar, By(dates::unixepoch), Nulls::Maybe),
    f("unlikely", (1, 1), Scalar, First, Nulls::OfFirst),
    f("upper", (1, 1), Scalar, TextOfArgs, Nulls::OfArgs),
    f("zeroblob", (1, 1), Scalar, Is(Ty::Blob), Nulls::Maybe),
];

/// Whether `sql!` knows a function of this name.
#[cfg(feature = "checked-sql")]
pub(crate) fn is_known(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| function.name.eq_ignore_ascii_case(name))
}

fn function(call: &Call) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| {
        let (least, most) = function.args;
        call.name.is(function.name) && (least..=most).contains(&call.args.len())
    })
}

/// Whether the call is an aggregate: one value for several rows.
pub(super) fn is_aggregate(call: &Call) -> bool {
    call.over.is_none() && function(call).is_some_and(|function| function.kind == Aggregate)
}

impl Infer<'_> {
    pub(super) fn call(&mut self, call: &Call, scope: &Scope<'_>) -> Typed {
        for expr in call.filter.iter().chain(call.over.iter().flatten()) {
            self.expr(expr, scope);
        }
        let args: Vec<&Expr> = call.args.iter().collect();
        let Some(function) = function(call) else {
            self.any_null(args, scope);
            return Ty::Unknown.nullable();
        };
        if let By(infer) = function.ty {
            return infer(self, &args, scope);
        }
        let typed: Vec<Typed> = args.iter().map(|arg| self.expr(arg, scope)).collect();
        self.date_args(call, &typed);
        self.json_args(call, &typed);
        if call.name.is("like") || call.name.is("glob") {
            for (arg, typed) in args.iter().zip(&typed) {
                self.check_pattern(arg, typed.ty);
            }
        }
        let first = typed.first().copied().unwrap_or(Ty::Unknown.nullable());
        let any = typed.iter().any(|typed| typed.nullable);
        if is_aggregate(call) && scope.is_of_outer_query(&args) {
            self.aggregates_outside = true;
        }
        // The aggregate may be over no rows.
        let empty = !scope.grouped || call.filter.is_some() || call.over.is_some();
        let ty = match function.ty {
            Is(ty) => ty,
            // Over a frame that moves, SQLite can cut a separator in the wrong place.
            TextOfArgs if call.over.is_some() => Ty::Unknown,
            TextOfArgs => self.text_of(&typed),
            First => first.ty,
            Number | By(_) => self.number(first, first),
        };
        ty.or_null(match function.nulls {
            _ if ty == Ty::Unknown => true,
            Nulls::Never => false,
            Nulls::OfArgs => any,
            Nulls::OfFirst => first.nullable,
            Nulls::OfRows => any || empty,
            Nulls::OfReals => any || empty || self.may_be_infinite(first.ty),
            Nulls::Maybe => true,
        })
    }
}

/// Null only if all arguments are.
fn coalesce(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    let (common, each) = infer.all(args, scope);
    common.ty.or_null(each.iter().all(|typed| typed.nullable))
}

/// Null if one argument is.
fn extreme(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    infer.all(args, scope).0
}

/// Conditions and results by turns, then perhaps a last result.
fn iif(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    let mut results = Vec::new();
    for pair in args.chunks(2) {
        match pair {
            [condition, result] => {
                infer.expr(condition, scope);
                results.push(*result);
            }
            last => results.extend(last),
        }
    }
    let typed = infer.all(&results, scope).0;
    typed.ty.or_null(typed.nullable || args.len().is_multiple_of(2))
}

/// The value of a row before or after, or the default, where there is no such row.
fn neighbour(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    let values: Vec<&Expr> = args.iter().step_by(2).copied().collect();
    if let Some(distance) = args.get(1) {
        infer.expr(distance, scope);
    }
    infer.all(&values, scope).0.ty.nullable()
}

/// 0.0 over no rows.
fn total(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    let infinite = args.iter().fold(false, |infinite, arg| {
        let ty = infer.expr(arg, scope).ty;
        infinite | infer.may_be_infinite(ty)
    });
    Ty::Real.or_null(infinite)
}
