//! `UiStateSet`: the event that sets some fields of a client document, as a builder.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::located_at;
use crate::parse::client_document::{ClientDocument, DocumentField};
use crate::parse::names;

/// Returns the type's name.
pub(crate) fn ident(document: &ClientDocument) -> Ident {
    format_ident!("{}Set", names::plain(&document.ident), span = document.ident.span())
}

pub(crate) fn expand(document: &ClientDocument) -> TokenStream {
    let definition = definition(document);
    let setters = setters(document);
    let from = from_document(document);
    let clone = clone_impl(document);
    quote!(#definition #setters #from #clone)
}

pub(crate) fn definition(document: &ClientDocument) -> TokenStream {
    let ClientDocument { ident: document_ident, vis, .. } = document;
    let set = ident(document);
    let name = names::plain(document_ident);
    let summary = format!(
        " A partial update of [`{name}`]: the fields that are set change, the others stay."
    );
    let usage = format!(
        " Made with `{name}::set()`, or from a whole [`{name}`]; commit it like any other event."
    );
    let fields = settable_fields(document)
        .map(|DocumentField { ident, ty, .. }| quote!(#ident: ::core::option::Option<#ty>));
    quote! {
        #[doc = #summary]
        #[doc = ""]
        #[doc = #usage]
        #[derive(::core::default::Default)]
        #[allow(dead_code)]
        #vis struct #set {
            id: ::core::option::Option<::std::string::String>,
            #(#fields,)*
        }
    }
}

pub(crate) fn setters(document: &ClientDocument) -> TokenStream {
    let ClientDocument { ident: document_ident, vis, .. } = document;
    let set = ident(document);
    let id_doc = format!(
        " Addresses the [`{}`] of this `id` instead of the default one.",
        names::plain(document_ident)
    );
    let attributes = document.attributes.inherent();
    let setters = settable_fields(document).map(setter);
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #set {
            #[doc = #id_doc]
            #[must_use]
            #vis fn id(mut self, id: impl ::core::convert::Into<::std::string::String>) -> Self {
                self.id = ::core::option::Option::Some(::core::convert::Into::into(id));
                self
            }
            #(#setters)*
        }
    }
}

/// Returns all fields but one called `id`, which was reported and would cause more errors.
fn settable_fields(document: &ClientDocument) -> impl Iterator<Item = &DocumentField> {
    document.fields.iter().filter(|field| field.ident != "id")
}

/// The setter is as visible as the field, whose type may be private.
fn setter(field: &DocumentField) -> TokenStream {
    let DocumentField { ident, vis, docs, ty, .. } = field;
    let summary = format!(" Sets `{}`.", names::plain(ident));
    let paragraph = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
    quote_spanned! {Span::mixed_site()=>
        #[doc = #summary]
        #paragraph
        #(#docs)*
        #[must_use]
        #vis fn #ident(mut self, value: impl ::core::convert::Into<#ty>) -> Self {
            self.#ident = ::core::option::Option::Some(::core::convert::Into::into(value));
            self
        }
    }
}

fn from_document(document: &ClientDocument) -> TokenStream {
    let document_ident = &document.ident;
    let set = ident(document);
    let attributes = &document.attributes;
    let fields = document.fields.iter().map(|DocumentField { ident, .. }| {
        quote_spanned!(Span::mixed_site()=> #ident: ::core::option::Option::Some(document.#ident))
    });
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl ::core::convert::From<#document_ident> for #set {
            fn from(document: #document_ident) -> Self {
                Self { id: ::core::option::Option::None, #(#fields),* }
            }
        }
    }
}

/// Written by hand, since a derive would report a second time that a field is not `Clone`.
fn clone_impl(document: &ClientDocument) -> TokenStream {
    let set = ident(document);
    let attributes = &document.attributes;
    let fields = document.fields.iter().map(|DocumentField { ident, ty, .. }| {
        let clone = clone_fn(ty);
        quote_spanned!(located_at(ty)=> #ident: self.#ident.as_ref().map(|field| #clone(field)))
    });
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl ::core::clone::Clone for #set {
            fn clone(&self) -> Self {
                Self { id: ::core::clone::Clone::clone(&self.id), #(#fields),* }
            }
        }
    }
}

/// Returns the function that clones a field; see [`trait_item`](super::trait_item).
pub(crate) fn clone_fn(ty: &Type) -> TokenStream {
    quote_spanned!(located_at(ty)=> <#ty as ::core::clone::Clone>::clone)
}
