//! Functions whose result is UTF-8 or not by the value of a literal.

use super::super::ast::{Expr, ExprKind};
use super::scope::Scope;
use super::{Infer, Ty, Typed};

/// `char(65, 66)`. SQLite writes half a surrogate pair as bytes that are no UTF-8.
pub(super) fn char(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    infer.any_null(args.iter().copied(), scope);
    let is_char = |arg: &&Expr| match &arg.kind {
        ExprKind::Integer(literal) => {
            infer.text(literal).parse().ok().and_then(char::from_u32).is_some()
        }
        _ => false,
    };
    if args.iter().all(is_char) { Ty::Text.always() } else { Ty::Unknown.always() }
}

/// `format('%d', 1)`
pub(super) fn format(infer: &mut Infer<'_>, args: &[&Expr], scope: &Scope<'_>) -> Typed {
    let typed: Vec<Typed> = args.iter().map(|arg| infer.expr(arg, scope)).collect();
    let cuts = args.first().is_none_or(|format| match &format.kind {
        ExprKind::Text(literal) => may_cut_characters(infer.text(literal)),
        _ => true,
    });
    if cuts { Ty::Unknown.nullable() } else { infer.text_of(&typed).nullable() }
}

/// Whether a conversion has a precision: that of a text counts bytes, and may cut a character in two.
fn may_cut_characters(format: &str) -> bool {
    format.split('%').skip(1).any(|conversion| {
        let end = conversion.find(|c: char| c.is_ascii_alphabetic() && c != 'l');
        let (before, letter) = conversion.split_at(end.unwrap_or(conversion.len()));
        before.contains('.') && letter.starts_with(['s', 'z', 'q', 'Q', 'w'])
    })
}

#[cfg(test)]
mod tests {
    use super::may_cut_characters;

    #[test]
    fn a_precision_of_a_text_counts_bytes() {
        for cuts in ["'%.3s'", "'%d %-5.2q'", "'%.*s'", "'%%.3s %.1z'", "'%!.3s'"] {
            assert!(may_cut_characters(cuts), "{cuts}");
        }
        for whole in ["'%s'", "'%5.2f'", "'%.3lld'", "'a.b %c.s'", "''"] {
            assert!(!may_cut_characters(whole), "{whole}");
        }
    }
}
