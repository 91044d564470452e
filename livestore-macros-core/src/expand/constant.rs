//! The default of a column, as an expression that only compiles if its value is constant.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprCall, Token, parse_quote_spanned};

/// Returns the expression with its constant parts in `const { … }`. A constant cannot call `now()`, nor
/// anything else that is not the same in every process.
///
/// `vec![…]`, `….to_owned()` and the like, `T::default()` and constructors around them are not constant for
/// the compiler, but always equal: of those, the parts inside have to be constant.
pub(crate) fn constant(value: &Expr) -> TokenStream {
    let mut value = value.clone();
    Constant.visit_expr_mut(&mut value);
    let span = value.span();
    quote_spanned!(span=> #value)
}

struct Constant;

impl VisitMut for Constant {
    fn visit_expr_mut(&mut self, value: &mut Expr) {
        let span = value.span();
        match value {
            Expr::Lit(_) => {}
            Expr::Group(_) | Expr::Paren(_) | Expr::Tuple(_) => {
                visit_mut::visit_expr_mut(self, value);
            }
            Expr::Macro(call) if call.mac.path.is_ident("vec") => {
                if let Ok(elements) =
                    call.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
                {
                    let elements = elements.iter().map(constant);
                    *value = parse_quote_spanned!(span=> ::std::vec![#(#elements),*]);
                }
            }
            Expr::Call(call) if is_pure(call) => {
                call.args.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
            }
            Expr::MethodCall(call) if is_conversion(&call.method) && call.args.is_empty() => {
                self.visit_expr_mut(&mut call.receiver);
            }
            _ => *value = parse_quote_spanned!(span=> const { #value }),
        }
    }
}

/// Whether it is a constructor such as `Some(…)`, or makes the same value of the same arguments by custom.
fn is_pure(call: &ExprCall) -> bool {
    let Expr::Path(function) = &*call.func else { return false };
    let last = function.path.segments.last().map(|last| last.ident.to_string());
    last.is_some_and(|last| {
        let is_constructor = last.starts_with(char::is_uppercase);
        is_constructor || matches!(last.as_str(), "default" | "from")
    })
}

fn is_conversion(method: &syn::Ident) -> bool {
    ["into", "to_owned", "to_string", "to_vec"].iter().any(|name| method == name)
}
