//! `Todo::ID`, `Todo::TEXT` …: the table's typed columns.

use proc_macro2::TokenStream;
use quote::quote;

use crate::parse::column::ColumnField;
use crate::parse::table::TableItem;

pub(crate) fn expand(table: &TableItem) -> TokenStream {
    let TableItem { ident, columns, .. } = table;
    if columns.is_empty() {
        return TokenStream::new();
    }
    let (impl_generics, type_generics, where_clause) = table.generics.split_for_impl();
    let attributes = table.attributes.inherent();
    let consts =
        columns.iter().enumerate().map(|(position, column)| constant(table, position, column));
    quote! {
        #attributes
        impl #impl_generics #ident #type_generics #where_clause {
            #(#consts)*
        }
    }
}

fn constant(table: &TableItem, position: usize, column: &ColumnField) -> TokenStream {
    let TableItem { runtime, ident, .. } = table;
    let (_, type_generics, _) = table.generics.split_for_impl();
    let ColumnField { constant, vis, docs, ty, .. } = column;
    let summary = format!(" Column `{}.{}`.", table.name, column.name);
    // The user's docs come in a paragraph of their own.
    let paragraph = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
    quote! {
        #[doc = #summary]
        #paragraph
        #(#docs)*
        #vis const #constant: #runtime::Column<#ident #type_generics, #ty> = #runtime::Column::new(#position);
    }
}
