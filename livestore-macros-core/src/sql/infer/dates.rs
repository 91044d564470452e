//! Functions of dates: which of them read the clock, and what they take a time for.

use super::super::ast::{Call, Expr, ExprKind};
use super::super::catalog::StorageClass;
use super::super::token::Span;
use super::scope::Scope;
use super::{Infer, Mismatch, Ty, Typed};

/// Functions that return another value although no row has changed.
const ALWAYS_IMPURE: [&str; 8] = [
    "random",
    "randomblob",
    "current_date",
    "current_time",
    "current_timestamp",
    "changes",
    "total_changes",
    "last_insert_rowid",
];

/// Functions of a time, with the position of the first argument that is one.
const OF_TIMES: [(&str, usize); 7] = [
    ("date", 0),
    ("time", 0),
    ("datetime", 0),
    ("julianday", 0),
    ("unixepoch", 0),
    ("strftime", 1),
    ("timediff", 0),
];

/// Seconds since 1970; with `subsec`, they are a real number.
pub(super) fn unixepoch(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    let typed: Vec<Typed> = args.iter().map(|arg| infer.expr(arg, scope)).collect();
    infer.check_times("unixepoch", args, &typed);
    let is_whole = |(at, (arg, typed)): (usize, (&&Expr, &Typed))| match &arg.kind {
        ExprKind::Text(literal) => !infer.word(literal).starts_with("subsec"),
        _ => at == 0 && infer.is_number(arg, typed.ty),
    };
    if args.iter().zip(&typed).enumerate().all(is_whole) {
        Ty::Integer.nullable()
    } else {
        Ty::Unknown.nullable()
    }
}

impl Infer<'_> {
    /// Notes whether a call reads the clock, and reports a time that it would misread.
    pub(super) fn date_args(&mut self, call: &Call, typed: &[Typed]) {
        if ALWAYS_IMPURE.iter().any(|name| call.name.is(name)) {
            self.impure.get_or_insert_with(|| call.name.text.to_ascii_lowercase());
        }
        let args: Vec<&Expr> = call.args.iter().collect();
        self.check_times(&call.name.text, &args, typed);
    }

    fn check_times(&mut self, name: &str, args: &[&Expr], typed: &[Typed]) {
        let function = OF_TIMES.iter().find(|(other, _)| name.eq_ignore_ascii_case(other));
        let Some(&(function, first)) = function else { return };
        let times = if function == "timediff" { 0..2 } else { first..first + 1 };
        let is_time = |at: usize| times.contains(&at);
        let reads_clock = args.len() <= first
            || args.iter().zip(typed).enumerate().skip(first).any(|(at, (arg, typed))| {
                match (is_time(at), &arg.kind) {
                    (true, ExprKind::Text(literal)) => {
                        let word = self.word(literal);
                        word == "now" || word.starts_with("subsec")
                    }
                    (true, _) => !self.is_number(arg, typed.ty),
                    // The time zone is the machine's.
                    (false, ExprKind::Text(literal)) => {
                        ["localtime", "utc"].contains(&self.word(literal).as_str())
                    }
                    (false, _) => true,
                }
            });
        if reads_clock {
            self.impure.get_or_insert_with(|| function.to_owned());
        }
        for (arg, typed) in
            args.iter().zip(typed).enumerate().filter(|(at, _)| is_time(*at)).map(|(_, pair)| pair)
        {
            self.check_milliseconds(function, arg, typed.ty);
        }
    }

    /// A [`Timestamp`] is in milliseconds, which SQLite would take for days, or for seconds.
    fn check_milliseconds(&mut self, function: &str, arg: &Expr, ty: Ty) {
        if self.is_timestamp(ty) {
            let (column, text) = (self.describe(ty), self.text(&arg.span));
            let message = format!(
                "{column} is in milliseconds since 1970, which `{function}` would misread: write \
                 `{text} / 1000, 'unixepoch'`"
            );
            self.mismatches.push(Mismatch { span: arg.span.clone(), message });
        }
    }

    /// Refuses seconds, or days, where a [`Timestamp`] is expected.
    pub(super) fn check_unit(&mut self, expr: &Expr, wanted: Ty) {
        if self.is_timestamp(wanted)
            && let Some((call, function, unit)) = other_unit(expr)
        {
            let (column, text) = (self.describe(wanted), self.text(&call.span));
            let help = match unit {
                "seconds" => format!("`{text} * 1000`"),
                _ => "`unixepoch(…) * 1000`".to_owned(),
            };
            let message = format!(
                "{column} is in milliseconds since 1970, and `{function}` gives {unit}: write {help}"
            );
            self.mismatches.push(Mismatch { span: call.span.clone(), message });
        }
    }

    pub(super) fn is_timestamp(&self, ty: Ty) -> bool {
        let Ty::Column(table, column) = ty else { return false };
        let column = self.catalog.column(table, column);
        column.is_some_and(|column| column.base_type().rsplit("::").next() == Some("Timestamp"))
    }

    /// Whether the value is a number, or null, whatever the operands are.
    fn is_number(&self, expr: &Expr, ty: Ty) -> bool {
        let arithmetic = matches!(
            expr.kind,
            ExprKind::Sum(..)
                | ExprKind::Product(..)
                | ExprKind::Divide(..)
                | ExprKind::Whole(..)
                | ExprKind::Minus(..)
                | ExprKind::Invert(..)
        );
        let class = self.class(ty);
        arithmetic || matches!(class, Some(StorageClass::Integer | StorageClass::Real))
    }

    /// What stands inside a literal text, in lower case.
    fn word(&self, literal: &Span) -> String {
        self.text(literal).trim_matches('\'').trim().to_ascii_lowercase()
    }
}

/// Returns the call whose unit the expression has, its name and the unit, if that is not milliseconds.
fn other_unit(expr: &Expr) -> Option<(&Expr, &'static str, &'static str)> {
    match &expr.kind {
        ExprKind::Call(call) if call.name.is("unixepoch") => Some((expr, "unixepoch", "seconds")),
        ExprKind::Call(call) if call.name.is("julianday") => Some((expr, "julianday", "days")),
        ExprKind::Plus(inner) | ExprKind::Cast(inner, _) => other_unit(inner),
        ExprKind::Sum(left, right) => other_unit(left).or_else(|| other_unit(right)),
        _ => expr.choices().into_iter().find_map(other_unit),
    }
}
