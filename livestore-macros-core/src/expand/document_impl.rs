//! `impl Document`: the definition of a client document.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{document_set, located_at};
use crate::parse::client_document::{ClientDocument, DocumentField};

pub(crate) fn expand(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, ident, name, .. } = document;
    let attributes = &document.attributes;
    let set = document_set::ident(document);
    let shape = document.shape();
    let changes = changes_fn(document);
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
            #changes
        }
    }
}

fn changes_fn(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, fields, .. } = document;
    let set = document_set::ident(document);
    let fields = fields.iter().map(|DocumentField { ident, ty, wire_name, .. }| {
        let clone = document_set::clone_fn(ty);
        quote_spanned! {located_at(ty)=>
            #ident: _changed.contains(#wire_name).then(|| #clone(&_after.#ident))
        }
    });
    quote_spanned! {Span::mixed_site()=>
        fn changes(&self, _after: &Self) -> ::core::option::Option<#set> {
            let _changed = #runtime::ChangedFields::between(self, _after)?;
            ::core::option::Option::Some(#set { id: ::core::option::Option::None, #(#fields),* })
        }
    }
}
