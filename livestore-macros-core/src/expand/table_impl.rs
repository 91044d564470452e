//! `impl Table`: the definition, and the encoding of a row.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use super::{located_at, table_def, table_keys, trait_item};
use crate::parse::column::ColumnField;
use crate::parse::table::TableItem;

pub(crate) fn expand(table: &TableItem) -> TokenStream {
    let TableItem { runtime, ident, name, .. } = table;
    let attributes = &table.attributes;
    let key = key_type(table);
    let def = table_def::expand(table);
    let (keys, asserts) = (table_keys::expand(table), table_keys::asserts(table));
    let pushes = pushes(table);
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Table for #ident {
            type Key = #key;
            const NAME: &'static str = #name;
            #keys
            fn def() -> &'static #runtime::TableDef {
                static DEF: #runtime::TableDef = #def;
                &DEF
            }
            fn encode(
                &self,
                row: &mut #runtime::RowWriter<'_>,
            ) -> ::core::result::Result<(), #runtime::RowError> {
                #(#pushes)*
                ::core::result::Result::Ok(())
            }
        }
        #asserts
    }
}

fn pushes(table: &TableItem) -> impl Iterator<Item = TokenStream> {
    table.columns.iter().map(|ColumnField { ident, ty, .. }| {
        let encode = trait_item(&table.runtime, ty, "ColumnType", "encode");
        quote_spanned!(located_at(ty)=> row.push(#encode(&self.#ident))?;)
    })
}

/// Returns the type of the only key column, or a tuple in key order.
fn key_type(table: &TableItem) -> TokenStream {
    let types: Vec<&Type> = table
        .primary_key
        .iter()
        .filter_map(|&position| table.columns.get(position))
        .map(|column| &column.ty)
        .collect();
    match types.as_slice() {
        [single] => quote!(#single),
        several => quote!((#(#several),*)),
    }
}
