//! `impl Projection`, which selects the fields of a `#[derive(Row)]` struct; only with `#[row(from = ..)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::located_at;
use crate::parse::row::{RowField, RowItem};

pub(crate) fn expand(row: &RowItem) -> Option<TokenStream> {
    let RowItem { runtime, ident, fields, .. } = row;
    let from = row.from.as_ref()?;
    let attributes = &row.attributes;
    let pushes = fields.iter().map(|RowField { ty, selected, .. }| {
        quote_spanned!(located_at(ty)=> list.push::<#ty, _, _>(#selected);)
    });
    Some(quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Projection<#from> for #ident {
            fn select(list: &mut #runtime::SelectList<#from>) {
                #(#pushes)*
            }
        }
    })
}
