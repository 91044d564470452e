//! `impl Document`: the definition of a client document.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::document_set;
use crate::parse::client_document::ClientDocument;

pub(crate) fn expand(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, ident, name, .. } = document;
    let attributes = &document.attributes;
    let set = document_set::ident(document);
    let shape = document.shape();
    let kind = match &document.id {
        Some(id) => quote!(Fixed(#id)),
        None => quote!(Window),
    };
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Document for #ident {
            type Set = #set;
            const NAME: &'static str = #name;
            fn def() -> &'static #runtime::DocumentDef {
                static DEF: #runtime::DocumentDef =
                    #runtime::DocumentDef::new(#name, #runtime::DocumentKey::#kind, #shape);
                &DEF
            }
        }
    }
}
