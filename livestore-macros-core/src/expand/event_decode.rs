//! `Event::decode`, which turns args into an event.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Type, parse_quote};

use super::event_impl::upcaster;
use super::{located_at, subject_item};
use crate::parse::event::{ArgsForm, Definition, EventItem};
use crate::parse::event_fields::ArgsField;
use crate::parse::upcast::Upcast;
use crate::runtime::Runtime;

pub(crate) fn expand(event: &EventItem) -> TokenStream {
    let runtime = &event.runtime;
    let arms = event.definitions.iter().map(|definition| arm(runtime, definition));
    let upcasts = event.definitions.iter().flat_map(|definition| &definition.upcasts);
    let upcasts = upcasts.map(|upcast| upcast_arm(runtime, upcast));
    quote_spanned! {Span::mixed_site()=>
        fn decode(
            __name: &str,
            __args: &#runtime::Args<'_>,
        ) -> ::core::result::Result<Self, #runtime::DecodeError> {
            match __name {
                #(#arms)*
                #(#upcasts)*
                _ => ::core::result::Result::Err(#runtime::DecodeError::unknown_event(__name)),
            }
        }
    }
}

fn arm(runtime: &Runtime, definition: &Definition) -> TokenStream {
    let name = &definition.name;
    let constructor = definition.constructor();
    let value = match &definition.args {
        ArgsForm::Fields(fields) if fields.is_empty() => {
            return quote_spanned! {Span::mixed_site()=>
                #name => __args.object().map(|()| #constructor {}),
            };
        }
        ArgsForm::Tuple(types) => {
            let locals: Vec<_> = (0..types.len())
                .map(|n| format_ident!("__f{n}", span = Span::mixed_site()))
                .collect();
            let ty: Type = parse_quote!((#(#types),*));
            let read_whole = subject_item(runtime, &ty, "ArgsField", "read_whole");
            return quote_spanned! {Span::mixed_site()=>
                #name => #read_whole(__args).map(|(#(#locals),*)| #constructor(#(#locals),*)),
            };
        }
        ArgsForm::Fields(fields) => {
            let reads = fields.iter().map(|field| read(runtime, field));
            quote!(#constructor { #(#reads),* })
        }
        ArgsForm::Whole(ty) => {
            let read_whole = subject_item(runtime, ty, "ArgsField", "read_whole");
            let read = quote_spanned!(located_at(ty)=> #read_whole(__args)?);
            quote!(#constructor(#read))
        }
    };
    quote!(#name => ::core::result::Result::Ok(#value),)
}

/// Asks the older type whether it reads a name, itself or by an upcaster of its own.
fn upcast_arm(runtime: &Runtime, upcast: &Upcast) -> TokenStream {
    let Upcast { from, with } = upcast;
    let upcaster = upcaster(runtime, upcast);
    quote_spanned! {located_at(with)=>
        __name if #upcaster.reads(#from, __name) => #upcaster.decode(__name, __args),
    }
}

fn read(runtime: &Runtime, field: &ArgsField) -> TokenStream {
    let ArgsField { ident, ty, wire_name, default, serialize_with, deserialize_with, .. } = field;
    let span = located_at(ty);
    let item = |item| subject_item(runtime, ty, "ArgsField", item);
    let value = match (deserialize_with, default) {
        (Some(with), None) => {
            quote_spanned!(span=> __args.field_with(#wire_name, |__d| #with(__d))?)
        }
        (Some(with), Some(default)) => {
            quote_spanned!(span=> __args.field_with_or(#wire_name, |__d| #with(__d), #default)?)
        }
        // `ArgsField` would require `Serialize`, which the type need not implement.
        (None, None) if serialize_with.is_some() => {
            quote_spanned!(span=> __args.field(#wire_name)?)
        }
        (None, Some(default)) if serialize_with.is_some() => {
            quote_spanned!(span=> __args.field_or(#wire_name, #default)?)
        }
        (None, _) if field.may_be_missing() => {
            quote_spanned!(span=> __args.optional(#wire_name)?)
        }
        (None, None) => {
            let read = item("read");
            quote_spanned!(span=> #read(#wire_name, __args)?)
        }
        (None, Some(default)) => {
            let read_or = item("read_or");
            quote_spanned!(span=> #read_or(#wire_name, #default, __args)?)
        }
    };
    quote!(#ident: #value)
}
