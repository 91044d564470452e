//! Impls by which `sql!` gets from positions to types: it knows a table by its position in the schema, and
//! a column by its position in the table.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::located_at;
use crate::parse::client_document::ClientDocument;
use crate::parse::schema::SchemaItem;
use crate::parse::table::TableItem;

/// Returns `impl ColumnAt<0, String> for Todo` and so on. The type is a parameter because, unlike an
/// associated type, that may be private.
pub(crate) fn of_table(table: &TableItem) -> TokenStream {
    let TableItem { runtime, ident, attributes, columns, .. } = table;
    if !table.generics.params.is_empty() {
        return TokenStream::new();
    }
    let impls = columns.iter().enumerate().map(|(at, column)| {
        let ty = &column.ty;
        quote_spanned!(located_at(ty)=> #attributes impl #runtime::ColumnAt<#at, #ty> for #ident {})
    });
    impls.collect()
}

/// A document is stored as an id and a JSON text.
pub(crate) fn of_document(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, ident, attributes, .. } = document;
    if !document.generics.params.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #attributes
        impl #runtime::ColumnAt<0usize, ::std::string::String> for #ident {}
        #attributes
        impl #runtime::ColumnAt<1usize, ::std::string::String> for #ident {}
    }
}

/// Returns `impl TableAt<0, Todo> for App` and so on.
pub(crate) fn of_schema(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { runtime, ident, tables, documents, .. } = schema;
    let impls = tables.iter().chain(documents).enumerate().map(|(at, table)| {
        quote_spanned! {Span::mixed_site()=>
            #[automatically_derived]
            impl #runtime::TableAt<#at, #table> for #ident {}
        }
    });
    impls.collect()
}
