//! Turns the intermediate form into code, one file per artifact.
//!
//! Generated code names everything absolutely, so that a user's own `Result` or `String` does not
//! get in its way. Its locals have mixed-site spans, so that they cannot be seen by, or capture,
//! the user's code. Code that may fail to type-check is located at the field that it is about.

mod column_consts;
mod column_positions;
mod column_type_impl;
mod command_impl;
mod commit_impls;
mod constant;
mod document_event;
mod document_impl;
mod document_set;
mod event_decode;
mod event_encode;
mod event_impl;
mod event_lossless;
mod projection_impl;
mod row_impl;
mod schema_impl;
mod search_impl;
mod serde_impl;
mod stub;
mod table_def;
mod table_impl;
mod table_keys;
mod table_macros;
mod unique_asserts;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::ctxt::Ctxt;
use crate::parse::client_document::ClientDocument;
use crate::parse::column_type::ColumnTypeItem;
use crate::parse::event::EventItem;
use crate::parse::row::RowItem;
use crate::parse::schema::SchemaItem;
use crate::parse::table::TableItem;
use crate::runtime::Runtime;

pub(crate) use command_impl::expand as command;
pub(crate) use serde_impl::{SerdeTrait, expand as serde_impl};
pub(crate) use table_macros::{schema_macro, schema_part};

pub(crate) fn table(ctxt: &Ctxt, table: &TableItem) -> TokenStream {
    let consts = column_consts::expand(table);
    let impls = if ctxt.has_errors() {
        stub::table(table)
    } else {
        let search_impl = search_impl::expand(table).unwrap_or_default();
        [table_impl::expand(table), row_impl::of_table(table), search_impl].into_iter().collect()
    };
    let positions = column_positions::of_table(table);
    let table_macro = table_macros::of_table(table);
    quote!(#consts #impls #positions #table_macro)
}

pub(crate) fn event(ctxt: &Ctxt, event: &EventItem) -> TokenStream {
    if ctxt.has_errors() { stub::event(event) } else { event_impl::expand(event) }
}

pub(crate) fn column_type(ctxt: &Ctxt, column_type: &ColumnTypeItem) -> TokenStream {
    match &column_type.form {
        Some(form) if !ctxt.has_errors() => column_type_impl::expand(column_type, form),
        _ => stub::column_type(column_type),
    }
}

pub(crate) fn row(ctxt: &Ctxt, row: &RowItem) -> TokenStream {
    if ctxt.has_errors() {
        return stub::row(row);
    }
    let row_impl = row_impl::of_row(row);
    let projection = projection_impl::expand(row);
    quote!(#row_impl #projection)
}

pub(crate) fn client_document(ctxt: &Ctxt, document: &ClientDocument) -> TokenStream {
    let positions = column_positions::of_document(document);
    let table_macro = table_macros::of_document(document);
    if ctxt.has_errors() {
        let stub = stub::client_document(document);
        return quote!(#stub #positions #table_macro);
    }
    let document_impl = document_impl::expand(document);
    let set = document_set::expand(document);
    let event = document_event::expand(document);
    quote!(#document_impl #set #event #positions #table_macro)
}

pub(crate) fn schema(schema: &SchemaItem) -> TokenStream {
    let schema_impl = schema_impl::expand(schema);
    let commits = commit_impls::expand(schema);
    let positions = column_positions::of_schema(schema);
    let (def, asserts) = (schema_impl::def(schema), unique_asserts::expand(schema));
    let table_macro = table_macros::of_schema(schema, &quote!(#def #asserts));
    quote!(#schema_impl #commits #positions #table_macro)
}

/// Returns the definitions of all events of a schema, each with its listed type.
pub(crate) fn schema_event_defs(schema: &SchemaItem) -> impl Iterator<Item = (&Type, TokenStream)> {
    schema_impl::event_sets(schema).map(|(listed, set)| (listed, quote!(#set.defs())))
}

/// `<Type as Trait>::item`.
///
/// If the type lacks the trait, the error is the same wherever this stands, so the compiler shows it
/// once. Calls of functions with a bound on the type would each give an error of their own.
fn trait_item(runtime: &Runtime, ty: &Type, name: &str, item: &str) -> TokenStream {
    let span = located_at(ty);
    let (name, item) = (Ident::new(name, span), Ident::new(item, span));
    quote_spanned!(span=> <#ty as #runtime::#name>::#item)
}

/// The same for a trait that `Subject<ty>` implements. All its tokens have the span of `ty`, so that the
/// compiler does not mention the macro.
fn subject_item(runtime: &Runtime, ty: &Type, name: &str, item: &str) -> TokenStream {
    let span = ty.span();
    let runtime = runtime.located_at(span);
    let (name, item) = (Ident::new(name, span), Ident::new(item, span));
    quote_spanned!(span=> <#runtime::Subject<#ty> as #runtime::#name<#ty>>::#item)
}

/// Returns the place of the user's `tokens`, with the hygiene of a macro's own locals.
pub(crate) fn located_at(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::mixed_site())
}
