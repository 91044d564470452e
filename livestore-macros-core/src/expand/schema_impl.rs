//! The schema's marker type and its `Schema` implementation.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Meta, Type};

use super::{located_at, subject_item, trait_item};
use crate::parse::names;
use crate::parse::schema::SchemaItem;

pub(crate) fn expand(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { runtime, ident, .. } = schema;
    let marker = marker(schema);
    let name = names::plain(ident);
    quote_spanned! {Span::mixed_site()=>
        #marker
        #[automatically_derived]
        impl #runtime::Schema for #ident {
            const NAME: &'static str = #name;
            fn def() -> &'static #runtime::SchemaDef {
                // Calls the inherent function or, if a listed type is not a table and so an error,
                // this trait's.
                #[allow(unused_imports)]
                use #runtime::Undeclared as _;
                Self::__livestore_def()
            }
        }
    }
}

/// Returns the definition, which is emitted once all listed types have proved to be tables and documents.
pub(crate) fn def(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { runtime, ident, tables, documents, .. } = schema;
    let name = names::plain(ident);
    let table_defs = tables.iter().map(|table| trait_item(runtime, table, "Table", "def"));
    let document_defs =
        documents.iter().map(|document| trait_item(runtime, document, "Document", "def"));
    let sets = event_sets(schema).map(|(_, set)| set);
    let (commands, undo) = (commands(schema), undo(schema));
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #ident {
            #[doc(hidden)]
            fn __livestore_def() -> &'static #runtime::SchemaDef {
                static DEF: #runtime::SchemaDef = #runtime::SchemaDef::new(
                    #name,
                    &[#(#table_defs),*],
                    &[#(#document_defs),*],
                    &[#(#sets),*],
                )#commands #undo;
                &DEF
            }
        }
    }
}

/// Returns the call that adds the commands to the definition, if there are any.
fn commands(schema: &SchemaItem) -> Option<TokenStream> {
    let SchemaItem { runtime, ident, commands, .. } = schema;
    let defs = commands.iter().map(|command| {
        let span = located_at(command);
        quote_spanned!(span=> #runtime::CommandDef::of::<#ident, #command>())
    });
    (!commands.is_empty()).then(|| quote!(.with_commands(&[#(#defs),*])))
}

/// Returns the call that adds to the definition what undoes events, if anything does.
fn undo(schema: &SchemaItem) -> Option<TokenStream> {
    let SchemaItem { runtime, ident, undo, .. } = schema;
    let defs = undo.iter().map(|event| {
        let span = located_at(event);
        quote_spanned!(span=> #runtime::UndoDef::of::<#ident, #event>())
    });
    (!undo.is_empty()).then(|| quote!(.with_undo(&[#(#defs),*])))
}

/// Returns the `EventSet`s of the listed events and documents, each with its listed type.
pub(crate) fn event_sets(schema: &SchemaItem) -> impl Iterator<Item = (&Type, TokenStream)> {
    let SchemaItem { runtime, documents, events, .. } = schema;
    let events =
        events.iter().map(|event| (event, subject_item(runtime, event, "Listed", "EVENTS")));
    let documents = documents
        .iter()
        .map(|document| (document, trait_item(runtime, document, "Document", "EVENTS")));
    events.chain(documents)
}

fn marker(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { attrs, vis, ident, .. } = schema;
    // `#[doc(alias = "…")]` is not a doc comment.
    let is_doc =
        |attr: &Attribute| attr.path().is_ident("doc") && matches!(attr.meta, Meta::NameValue(_));
    let has_docs = attrs.iter().any(is_doc);
    let doc =
        format!(" The schema `{}`: its tables, client documents and events.", names::plain(ident));
    let doc = (!has_docs).then(|| quote!(#[doc = #doc]));
    quote! {
        #doc
        #(#attrs)*
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #[allow(dead_code)]
        #vis struct #ident;
    }
}
