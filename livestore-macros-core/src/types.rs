//! Facts about a type that its tokens alone show.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, GenericArgument, PathArguments, Type};

/// The types whose values JSON holds as they are, by their usual names.
const SCALARS: [&str; 16] = [
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "String",
    "Timestamp",
];

/// Returns the type as it would be typed by hand: without the groups that a `macro_rules!` puts around
/// its fragments, and without parentheses that mean nothing.
pub(crate) fn ungrouped(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Ungroup.visit_type_mut(&mut ty);
    ty
}

struct Ungroup;

impl VisitMut for Ungroup {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        while let Some(inside) = inside_of_group(ty) {
            *ty = inside;
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

fn inside_of_group(ty: &Type) -> Option<Type> {
    match ty {
        Type::Group(group) => Some((*group.elem).clone()),
        // `&(dyn A + B)` needs them.
        Type::Paren(paren) => match &*paren.elem {
            Type::TraitObject(_) | Type::ImplTrait(_) | Type::FnPtr(_) => None,
            inside => Some(inside.clone()),
        },
        _ => None,
    }
}

/// Whether the type is written `Option<..>`, under whatever path.
pub(crate) fn is_option(ty: &Type) -> bool {
    inside_option(ty).is_some()
}

/// Whether the type is written `Option<Option<..>>`.
pub(crate) fn is_nested_option(ty: &Type) -> bool {
    matches!(inside_option(ty), Some(GenericArgument::Type(inside)) if is_option(inside))
}

/// Whether values of the type are certain to be what they are in JSON, going by its name.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    if let Some(inside) = inside_option(ty) {
        return matches!(inside, GenericArgument::Type(inside) if !is_option(inside) && is_scalar(inside));
    }
    let Type::Path(path) = ty else { return false };
    path.path.get_ident().is_some_and(|ident| SCALARS.iter().any(|name| ident == name))
}

fn inside_option(ty: &Type) -> Option<&GenericArgument> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    }
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
