//! `Event::decode`: args become an event again.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::located_at;
use crate::parse::event::{Args, Definition, Event};
use crate::parse::event_fields::ArgsField;

pub(crate) fn expand(event: &Event) -> TokenStream {
    let runtime = &event.runtime;
    let arms = event.definitions.iter().map(arm);
    quote_spanned! {Span::mixed_site()=>
        fn decode(
            __name: &str,
            __args: &#runtime::Args<'_>,
        ) -> ::core::result::Result<Self, #runtime::DecodeError> {
            match __name {
                #(#arms)*
                _ => ::core::result::Result::Err(#runtime::DecodeError::unknown_event(__name)),
            }
        }
    }
}

fn arm(definition: &Definition) -> TokenStream {
    let name = &definition.name;
    let constructor = definition.constructor();
    let value = match &definition.args {
        Args::Fields(fields) => {
            let reads = fields.iter().map(read);
            quote!(#constructor { #(#reads),* })
        }
        Args::Whole(ty) => {
            let read = quote_spanned!(located_at(ty)=> __args.whole()?);
            quote!(#constructor(#read))
        }
    };
    quote!(#name => ::core::result::Result::Ok(#value),)
}

fn read(field: &ArgsField) -> TokenStream {
    let ArgsField { ident, ty, wire_name, default, deserialize_with, .. } = field;
    let span = located_at(ty);
    let value = match (deserialize_with, default) {
        (None, None) => quote_spanned!(span=> __args.field(#wire_name)?),
        (None, Some(default)) => quote_spanned!(span=> __args.field_or(#wire_name, #default)?),
        (Some(with), None) => {
            quote_spanned!(span=> __args.field_with(#wire_name, |__d| #with(__d))?)
        }
        (Some(with), Some(default)) => {
            quote_spanned!(span=> __args.field_with_or(#wire_name, |__d| #with(__d), #default)?)
        }
    };
    quote!(#ident: #value)
}
