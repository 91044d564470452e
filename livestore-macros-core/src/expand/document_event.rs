//! `UiStateSet` as an event: its encoding, its decoding, and its materializer.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::{document_set, located_at};
use crate::lock::shapes;
use crate::parse::client_document::{ClientDocument, DocumentField};

pub(crate) fn expand(document: &ClientDocument) -> TokenStream {
    [event_impl(document), materialize_impl(document), commit_impl(document)].into_iter().collect()
}

fn event_impl(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, .. } = document;
    let attributes = &document.attributes;
    let set = document_set::ident(document);
    let name = document.set_event_name();
    let shape = shapes::text_of_document(document);
    let encode = encode_fn(document);
    let decode = decode_fn(document, &name);
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Event for #set {
            const DEFS: &'static [#runtime::EventDef] =
                &[#runtime::EventDef::new(#name, &["id", "value"]).shaped(#shape).client_only()];
            fn def(&self) -> &'static #runtime::EventDef {
                &<Self as #runtime::Event>::DEFS[0]
            }
            #encode
            #decode
        }
    }
}

fn encode_fn(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, ident, fields, .. } = document;
    let writes = fields.iter().map(|DocumentField { ident, ty, wire_name, .. }| {
        quote_spanned! {located_at(ty)=>
            if let ::core::option::Option::Some(field) = &self.#ident {
                _value.field(#wire_name, field)?;
            }
        }
    });
    quote_spanned! {Span::mixed_site()=>
        fn encode(
            &self,
            args: &mut #runtime::ArgsWriter<'_>,
        ) -> ::core::result::Result<(), #runtime::EncodeError> {
            args.document::<#ident>(self.id.as_deref(), |_value| {
                #(#writes)*
                ::core::result::Result::Ok(())
            })
        }
    }
}

fn decode_fn(document: &ClientDocument, name: &str) -> TokenStream {
    let ClientDocument { runtime, fields, .. } = document;
    let reads = fields.iter().map(
        |DocumentField {
             ident,
             ty,
             wire_name,
             ..
         }| { quote_spanned!(located_at(ty)=> #ident: _value.optional(#wire_name)?) },
    );
    quote_spanned! {Span::mixed_site()=>
        fn decode(
            name: &str,
            args: &#runtime::Args<'_>,
        ) -> ::core::result::Result<Self, #runtime::DecodeError> {
            if name != #name {
                return ::core::result::Result::Err(#runtime::DecodeError::unknown_event(name));
            }
            let (id, _value) = args.document()?;
            ::core::result::Result::Ok(Self { id: ::core::option::Option::Some(id), #(#reads),* })
        }
    }
}

fn materialize_impl(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, ident, fields, .. } = document;
    let attributes = &document.attributes;
    let set = document_set::ident(document);
    let updates = fields.iter().map(|DocumentField { ident, ty, .. }| {
        let clone = document_set::clone_fn(ty);
        quote_spanned! {located_at(ty)=>
            if let ::core::option::Option::Some(field) = &self.#ident {
                _document.#ident = #clone(field);
            }
        }
    });
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Materialize for #set {
            fn materialize(
                &self,
                state: &mut #runtime::Writer<'_>,
            ) -> ::core::result::Result<(), #runtime::MaterializeError> {
                state.update_document::<#ident>(self.id.as_deref(), |_document| { #(#updates)* })
            }
        }
    }
}

fn commit_impl(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, ident, .. } = document;
    let attributes = &document.attributes;
    let set = document_set::ident(document);
    quote_spanned! {Span::mixed_site()=>
        #attributes
        #[diagnostic::do_not_recommend]
        impl<S: #runtime::HasDocument<#ident>> #runtime::Commit<S> for #set {
            fn encode(
                self,
                batch: &mut #runtime::Batch<'_>,
            ) -> ::core::result::Result<(), #runtime::EncodeBatchError> {
                batch.push(&self)
            }
        }
    }
}
