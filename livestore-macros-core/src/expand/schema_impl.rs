//! The schema's marker type and its `Schema` implementation.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use crate::parse::names;
use crate::parse::schema::Schema;

pub(crate) fn expand(schema: &Schema) -> TokenStream {
    let Schema { runtime, ident, tables, documents, .. } = schema;
    let marker = marker(schema);
    let name = names::plain(ident);
    let event_types = event_types(schema).map(|(_, event)| event);
    quote_spanned! {Span::mixed_site()=>
        #marker
        #[automatically_derived]
        impl #runtime::Schema for #ident {
            const NAME: &'static str = #name;
            fn def() -> &'static #runtime::SchemaDef {
                static DEF: #runtime::SchemaDef = #runtime::SchemaDef::new(
                    #name,
                    &[#(<#tables as #runtime::Table>::def),*],
                    &[#(<#documents as #runtime::Document>::def),*],
                    &[#(#runtime::EventSet::new::<#event_types>()),*],
                );
                &DEF
            }
        }
    }
}

/// What may be committed: the listed events and each document's `Set`, with the type that is listed.
pub(crate) fn event_types(schema: &Schema) -> impl Iterator<Item = (&Type, TokenStream)> {
    let Schema { runtime, documents, events, .. } = schema;
    let events = events.iter().map(|event| (event, quote!(#event)));
    let sets = documents
        .iter()
        .map(move |document| (document, quote!(<#document as #runtime::Document>::Set)));
    events.chain(sets)
}

fn marker(schema: &Schema) -> TokenStream {
    let Schema { attrs, vis, ident, .. } = schema;
    let has_docs = attrs.iter().any(|attr| attr.path().is_ident("doc"));
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
