//! Facts about a type that its tokens alone show.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Type};

/// Whether the type is written `Option<..>`, under whatever path.
pub(crate) fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Option")
}

/// Returns the tokens as text, which does not depend on how the compiler prints spaces.
pub(crate) fn stable_text(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write_stable(&mut text, tokens.into_token_stream());
    text
}

fn write_stable(text: &mut String, tokens: TokenStream) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write_stable(text, group.stream());
                text.push_str(close);
            }
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            word => {
                if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
}

/// Returns the doc comments among `attrs`.
pub(crate) fn docs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_only_the_spaces_it_needs() {
        let ty: Type = syn::parse_quote!(Vec<Option<Box<dyn Fn(&'static str, u8) -> [u8; 4]>>>);
        assert_eq!(stable_text(&ty), "Vec<Option<Box<dyn Fn(&'static str,u8)->[u8;4]>>>");
    }
}
