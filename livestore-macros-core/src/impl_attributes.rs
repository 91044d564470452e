//! The attributes on every generated impl.
//!
//! There is no `#[allow(clippy::..)]` among them: clippy skips derived code anyway, and under a user's
//! `#![forbid(clippy::unwrap_used)]`, allowing a group of lints would be an error.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Fields, ItemStruct};

/// `#[automatically_derived]`, and permission to use what the user deprecated in the item itself.
#[derive(Default)]
pub(crate) struct ImplAttributes {
    allow_deprecated: bool,
}

impl ImplAttributes {
    pub(crate) fn of_struct(item: &ItemStruct) -> Self {
        Self { allow_deprecated: is_deprecated(&item.attrs) || has_deprecated(&item.fields) }
    }

    pub(crate) fn of_input(input: &DeriveInput) -> Self {
        let inside = match &input.data {
            Data::Struct(data) => has_deprecated(&data.fields),
            Data::Enum(data) => data
                .variants
                .iter()
                .any(|variant| is_deprecated(&variant.attrs) || has_deprecated(&variant.fields)),
            Data::Union(_) => false,
        };
        Self { allow_deprecated: is_deprecated(&input.attrs) || inside }
    }

    /// Returns the attributes for an inherent impl, whose items the user calls by name or leaves unused.
    pub(crate) fn inherent(&self) -> TokenStream {
        let deprecated = self.allow_deprecated.then(|| quote!(, deprecated));
        quote!(#[allow(dead_code #deprecated)])
    }
}

impl ToTokens for ImplAttributes {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let allow = self.allow_deprecated.then(|| quote!(#[allow(deprecated)]));
        tokens.extend(quote!(#[automatically_derived] #allow));
    }
}

fn has_deprecated(fields: &Fields) -> bool {
    fields.iter().any(|field| is_deprecated(&field.attrs))
}

fn is_deprecated(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("deprecated"))
}
