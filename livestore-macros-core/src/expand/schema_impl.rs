//! The schema's marker type and its `Schema` implementation.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Meta, Type};

use super::{subject_item, trait_item};
use crate::parse::names;
use crate::parse::schema::Schema;

pub(crate) fn expand(schema: &Schema) -> TokenStream {
    let Schema { runtime, ident, .. } = schema;
    let marker = marker(schema);
    let name = names::plain(ident);
    quote_spanned! {Span::mixed_site()=>
        #marker
        #[automatically_derived]
        impl #runtime::Schema for #ident {
            const NAME: &'static str = #name;
            fn def() -> &'static #runtime::SchemaDef {
                // The one below, or where a listed type is no table, and an error, this trait's.
                #[allow(unused_imports)]
                use #runtime::Undeclared as _;
                Self::__livestore_def()
            }
        }
    }
}

/// The definition, for when all that is listed turned out to be tables and documents.
pub(crate) fn def(schema: &Schema) -> TokenStream {
    let Schema { runtime, ident, tables, documents, .. } = schema;
    let name = names::plain(ident);
    let table_defs = tables.iter().map(|table| trait_item(runtime, table, "Table", "def"));
    let document_defs =
        documents.iter().map(|document| trait_item(runtime, document, "Document", "def"));
    let sets = event_sets(schema).map(|(_, set)| set);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #ident {
            #[doc(hidden)]
            fn __livestore_def() -> &'static #runtime::SchemaDef {
                static DEF: #runtime::SchemaDef = #runtime::SchemaDef::new(
                    #name,
                    &[#(#table_defs),*],
                    &[#(#document_defs),*],
                    &[#(#sets),*],
                );
                &DEF
            }
        }
    }
}

/// The `EventSet`s of the listed events and documents, each with the type that is listed.
pub(crate) fn event_sets(schema: &Schema) -> impl Iterator<Item = (&Type, TokenStream)> {
    let Schema { runtime, documents, events, .. } = schema;
    let events =
        events.iter().map(|event| (event, subject_item(runtime, event, "Listed", "EVENTS")));
    let documents = documents
        .iter()
        .map(|document| (document, trait_item(runtime, document, "Document", "EVENTS")));
    events.chain(documents)
}

fn marker(schema: &Schema) -> TokenStream {
    let Schema { attrs, vis, ident, .. } = schema;
    // `#[doc(alias = "…")]` is not one.
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
