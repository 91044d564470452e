//! `impl Searchable`, for a table with columns that are searched.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;

use crate::parse::table::TableItem;
use crate::runtime;

pub(crate) fn expand(table: &TableItem) -> Option<TokenStream> {
    let TableItem { runtime, ident, attributes, .. } = table;
    // All tokens of an assertion have the span of the type, which is underlined.
    let asserts: Vec<_> = table
        .columns
        .iter()
        .filter(|column| column.is_searched)
        .map(|column| {
            let (ty, span) = (&column.ty, column.ty.span());
            let (runtime, ty) = (runtime.located_at(span), runtime::located_at(ty, span));
            quote_spanned!(span=> const _: () = #runtime::assert_searched::<#ty>();)
        })
        .collect();
    (!asserts.is_empty()).then(|| {
        quote_spanned! {Span::mixed_site()=>
            #attributes
            impl #runtime::Searchable for #ident {}
            #(#asserts)*
        }
    })
}
