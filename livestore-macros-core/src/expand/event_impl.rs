//! `impl Event`: the definitions, and the choice of one by variant.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, WherePredicate, parse_quote};

use super::{event_decode, event_encode, event_lossless, located_at};
use crate::lock::shapes;
use crate::parse::event::{ArgsForm, Definition, EventItem};
use crate::parse::upcast::Upcast;
use crate::runtime::Runtime;

pub(crate) fn expand(event: &EventItem) -> TokenStream {
    let EventItem { runtime, ident, definitions, .. } = event;
    let attributes = &event.attributes;
    let generics = bounded_generics(event);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let defs = definitions.iter().map(|definition| event_def(event, definition));
    let def = def_fn(event);
    let encode = event_encode::expand(event);
    let decode = event_decode::expand(event);
    let changed_field = event_lossless::changed_field(event);
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #impl_generics #runtime::Event for #ident #type_generics #where_clause {
            const DEFS: &'static [#runtime::EventDef] = &[#(#defs),*];
            #def
            #encode
            #decode
            #changed_field
        }
    }
}

fn event_def(event: &EventItem, definition: &Definition) -> TokenStream {
    let runtime = &event.runtime;
    let Definition { name, client_only, deprecated, args, .. } = definition;
    let wire_names: Vec<_> = match args {
        ArgsForm::Fields(fields) => fields.iter().map(|field| &field.wire_name).collect(),
        ArgsForm::Whole(_) | ArgsForm::Tuple(_) => Vec::new(),
    };
    let client_only = client_only.then(|| quote!(.client_only()));
    let deprecated = deprecated.as_ref().map(|reason| quote!(.deprecated(#reason)));
    let shape = shapes::text_of_definition(&event.ident, definition);
    let upcasts = upcasts(runtime, definition);
    let is_lossless = event_lossless::is_lossless(runtime, args);
    quote! {
        #runtime::EventDef::new(#name, &[#(#wire_names),*])
            .shaped(#shape) #client_only #deprecated #upcasts .lossless(#is_lossless)
    }
}

/// Returns the events that are read by upcasters, whose argument types say which these are.
fn upcasts(runtime: &Runtime, definition: &Definition) -> Option<TokenStream> {
    let Definition { upcasts, client_only, .. } = definition;
    let sources = upcasts.iter().map(|upcast| {
        let (from, upcaster) = (&upcast.from, upcaster(runtime, upcast));
        quote_spanned!(located_at(from)=> #upcaster.source(#from, #client_only))
    });
    (!upcasts.is_empty()).then(|| quote!(.reading(&[#(#sources),*])))
}

pub(crate) fn upcaster(runtime: &Runtime, upcast: &Upcast) -> TokenStream {
    let with = &upcast.with;
    let span = located_at(with);
    let runtime = runtime.located_at(span);
    quote_spanned!(span=> #runtime::upcaster::<Self, _, _>(#with))
}

fn def_fn(event: &EventItem) -> TokenStream {
    let EventItem { runtime, definitions, .. } = event;
    let arms = definitions.iter().enumerate().map(|(position, definition)| {
        let constructor = definition.constructor();
        quote!(#constructor { .. } => #position)
    });
    let body = if definitions.is_empty() {
        quote_spanned!(Span::mixed_site()=> match *self {})
    } else {
        quote_spanned! {Span::mixed_site()=>
            &<Self as #runtime::Event>::DEFS[match self { #(#arms),* }]
        }
    };
    quote_spanned! {Span::mixed_site()=>
        fn def(&self) -> &'static #runtime::EventDef {
            #body
        }
    }
}

/// Bounds every type parameter, which may be the type of a field, by serde's traits.
pub(crate) fn bounded_generics(event: &EventItem) -> Generics {
    let EventItem { runtime, generics, .. } = event;
    let mut generics = generics.clone();
    let predicates: Vec<WherePredicate> = generics
        .type_params()
        .map(|param| {
            let ident = &param.ident;
            parse_quote!(#ident: #runtime::Serialize + #runtime::DeserializeOwned)
        })
        .collect();
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}
