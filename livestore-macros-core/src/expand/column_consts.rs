//! `Todo::ID`, `Todo::TEXT` …: the table's typed columns.

use proc_macro2::TokenStream;
use quote::quote;

use crate::parse::column::Column;
use crate::parse::table::Table;

pub(crate) fn expand(table: &Table) -> TokenStream {
    let Table { ident, columns, .. } = table;
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

fn constant(table: &Table, position: usize, column: &Column) -> TokenStream {
    let Table { runtime, ident, .. } = table;
    let (_, type_generics, _) = table.generics.split_for_impl();
    let Column { constant, vis, docs, ty, .. } = column;
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
