//! `Event::encode`, which turns an event's fields into its args.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::{located_at, subject_item};
use crate::parse::event::{ArgsForm, Definition, EventItem};
use crate::parse::event_fields::ArgsField;
use crate::runtime::Runtime;

pub(crate) fn expand(event: &EventItem) -> TokenStream {
    let runtime = &event.runtime;
    let body = if event.definitions.is_empty() {
        quote_spanned!(Span::mixed_site()=> match *self {})
    } else {
        let arms = event.definitions.iter().map(|definition| arm(runtime, definition));
        quote_spanned! {Span::mixed_site()=>
            match self { #(#arms)* }
            ::core::result::Result::Ok(())
        }
    };
    quote_spanned! {Span::mixed_site()=>
        fn encode(
            &self,
            __args: &mut #runtime::ArgsWriter<'_>,
        ) -> ::core::result::Result<(), #runtime::EncodeError> {
            #body
        }
    }
}

fn arm(runtime: &Runtime, definition: &Definition) -> TokenStream {
    let constructor = definition.constructor();
    match &definition.args {
        ArgsForm::Fields(fields) => {
            let locals =
                fields.iter().enumerate().map(|(position, field)| local(position, &field.ty));
            let locals: Vec<_> = locals.collect();
            let idents = fields.iter().map(|field| &field.ident);
            let writes =
                fields.iter().zip(&locals).map(|(field, local)| write(runtime, field, local));
            quote!(#constructor { #(#idents: #locals),* } => { #(#writes)* })
        }
        ArgsForm::Tuple(types) => {
            let locals = types.iter().enumerate().map(|(position, ty)| local(position, ty));
            let locals: Vec<_> = locals.collect();
            quote_spanned! {Span::mixed_site()=>
                #constructor(#(#locals),*) => __args.whole(&(#(#locals),*))?,
            }
        }
        ArgsForm::Whole(ty) => {
            let local = local(0, ty);
            let write_whole = subject_item(runtime, ty, "ArgsField", "write_whole");
            let write = quote_spanned!(located_at(ty)=> #write_whole(#local, __args)?);
            quote!(#constructor(#local) => #write,)
        }
    }
}

fn write(runtime: &Runtime, field: &ArgsField, local: &Ident) -> TokenStream {
    let ArgsField { wire_name, ty, skip_serializing_if, .. } = field;
    let span = located_at(ty);
    let write = match (&field.serialize_with, &field.deserialize_with) {
        (Some(path), _) => {
            quote_spanned!(span=> __args.field_with(#wire_name, |__s| #path(#local, __s))?;)
        }
        // `ArgsField` would require `Deserialize`, which the type need not implement.
        (None, Some(_)) => quote_spanned!(span=> __args.field(#wire_name, #local)?;),
        (None, None) if field.may_be_missing() => {
            quote_spanned!(span=> __args.optional(#wire_name, #local)?;)
        }
        (None, None) => {
            let write = subject_item(runtime, ty, "ArgsField", "write");
            quote_spanned!(span=> #write(#local, #wire_name, __args)?;)
        }
    };
    match skip_serializing_if {
        Some(path) => quote_spanned!(span=> if !#path(#local) { #write }),
        None => write,
    }
}

/// Returns `__f0`, `__f1` …, which do not collide with a name that the user chose.
fn local(position: usize, ty: &Type) -> Ident {
    format_ident!("__f{position}", span = located_at(ty))
}
