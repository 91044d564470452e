//! What the runtime needs to check that an event is read from its JSON as it was committed.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Index, Member, Type};

use super::located_at;
use crate::parse::event::{ArgsForm, Definition, EventItem};
use crate::parse::event_fields::ArgsField;
use crate::runtime::Runtime;
use crate::types;

/// Returns an expression: whether the types of the args alone show that nothing can change.
pub(crate) fn is_lossless(runtime: &Runtime, args: &ArgsForm) -> TokenStream {
    let is_plain = |field: &ArgsField| field.has_own_form() && field.skip_serializing_if.is_none();
    let types: Vec<&Type> = match args {
        ArgsForm::Fields(fields) if !fields.iter().all(is_plain) => return quote!(false),
        ArgsForm::Fields(fields) => fields.iter().map(|field| &field.ty).collect(),
        ArgsForm::Whole(ty) => vec![ty],
        ArgsForm::Tuple(types) => types.iter().collect(),
    };
    if types.is_empty() {
        return quote!(true);
    }
    let facts = types.iter().map(|ty| {
        let runtime = runtime.located_at(located_at(ty));
        quote_spanned!(located_at(ty)=> #runtime::Subject::<#ty>::IS_LOSSLESS)
    });
    quote_spanned! {Span::mixed_site()=> {
        #[allow(unused_imports)]
        use #runtime::MaybeLossless as _;
        #(#facts)&&*
    }}
}

/// Returns the method that compares the fields whose types do not show it.
pub(crate) fn changed_field(event: &EventItem) -> Option<TokenStream> {
    let EventItem { runtime, definitions, .. } = event;
    let arms: Vec<_> = definitions.iter().filter_map(|each| arm(runtime, each)).collect();
    if arms.is_empty() {
        return None;
    }
    let otherwise = (definitions.len() > 1).then(|| quote!(_ => ::core::option::Option::None,));
    Some(quote_spanned! {Span::mixed_site()=>
        fn changed_field(
            &self,
            __read: &Self,
        ) -> ::core::option::Option<&'static ::core::primitive::str> {
            #[allow(unused_imports)]
            use #runtime::{SameByValue as _, SameJson as _};
            match (self, __read) {
                #(#arms)*
                #otherwise
            }
        }
    })
}

/// Returns `None` if no field has to be compared.
fn arm(runtime: &Runtime, definition: &Definition) -> Option<TokenStream> {
    let compared: Vec<_> = members(&definition.args)
        .into_iter()
        .enumerate()
        .filter(|(_, (_, _, ty, has_own_form))| !(*has_own_form && types::is_scalar(ty)))
        .collect();
    if compared.is_empty() {
        return None;
    }
    let constructor = definition.constructor();
    let pattern = |prefix: &str| {
        let fields = compared.iter().map(|(position, (member, _, ty, _))| {
            let local = local(prefix, *position, ty);
            quote!(#member: #local)
        });
        quote!(#constructor { #(#fields,)* .. })
    };
    let (committed, read) = (pattern("__f"), pattern("__g"));
    let checks = compared.iter().map(|(position, (_, name, ty, _))| {
        let (f, g) = (local("__f", *position, ty), local("__g", *position, ty));
        let span = located_at(ty);
        let runtime = runtime.located_at(span);
        quote_spanned! {span=>
            if !(&#runtime::Same(#f, #g)).is_same() {
                return ::core::option::Option::Some(#name);
            }
        }
    });
    Some(quote! {
        (#committed, #read) => {
            #(#checks)*
            ::core::option::Option::None
        }
    })
}

/// Returns each field, its name in messages, its type, and whether serde's own form of that is used.
fn members<'a>(args: &'a ArgsForm) -> Vec<(Member, String, &'a Type, bool)> {
    let unnamed = |(position, ty): (usize, &'a Type)| {
        (Member::Unnamed(Index::from(position)), position.to_string(), ty, true)
    };
    match args {
        ArgsForm::Fields(fields) => fields
            .iter()
            .map(|field| {
                let member = Member::Named(field.ident.clone());
                (member, field.wire_name.value(), &field.ty, field.has_own_form())
            })
            .collect(),
        ArgsForm::Whole(ty) => {
            vec![(Member::Unnamed(Index::from(0)), "*".to_owned(), ty, true)]
        }
        ArgsForm::Tuple(types) => types.iter().enumerate().map(unnamed).collect(),
    }
}

fn local(prefix: &str, position: usize, ty: &Type) -> Ident {
    format_ident!("{prefix}{position}", span = located_at(ty))
}
