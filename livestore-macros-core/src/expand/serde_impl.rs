//! `#[derive(Serialize)]` and `#[derive(Deserialize)]` of the prelude: serde's own, for a crate that has no
//! `serde` among its dependencies.
//!
//! serde's derive looks for serde in the user's crate, unless an attribute of the item says where else, and
//! a derive cannot add one to the item that it is on. So it goes on a copy of the item, which is written and
//! read in the place of the original: serde calls that a remote derive.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Field, GenericParam, Generics, Meta, Visibility, parse_quote,
};

use crate::ctxt::Ctxt;
use crate::keys::{KeyValue, each_attribute_key};
use crate::parse::names;

const SERDE: &str = "::livestore::__private::serde";

/// serde's two derives.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum SerdeTrait {
    Serialize,
    Deserialize,
}

pub(crate) fn expand(ctxt: &Ctxt, of: SerdeTrait, input: &DeriveInput) -> TokenStream {
    let mirror = mirror(ctxt, input);
    let derive = match of {
        SerdeTrait::Serialize => quote!(Serialize),
        SerdeTrait::Deserialize => quote!(Deserialize),
    };
    let serde_impl = match of {
        SerdeTrait::Serialize => serialize_impl(input, &mirror.ident),
        SerdeTrait::Deserialize => deserialize_impl(input, &mirror.ident),
    };
    quote! {
        const _: () = {
            #[derive(::livestore::__private::serde::#derive)]
            #[allow(dead_code)]
            #mirror
            #serde_impl
        };
    }
}

/// Returns the copy: without the attributes of others, and with those by which serde knows the original.
fn mirror(ctxt: &Ctxt, input: &DeriveInput) -> DeriveInput {
    let given = GivenKeys::read(ctxt, &input.attrs);
    let (_, type_generics, _) = input.generics.split_for_impl();
    let original = &input.ident;
    let original = quote!(#original #type_generics);
    let tokens = without_self(input.to_token_stream(), &original);
    let mut mirror = syn::parse2::<DeriveInput>(tokens).unwrap_or_else(|_| input.clone());
    let name = names::plain(&input.ident);
    mirror.ident = format_ident!("__{name}", span = input.ident.span());
    mirror.vis = Visibility::Inherited;
    mirror.attrs.retain(is_serdes);
    for field in fields(&mut mirror.data) {
        field.attrs.retain(is_serdes);
        field.vis = Visibility::Inherited;
    }
    if let Data::Enum(data) = &mut mirror.data {
        data.variants.iter_mut().for_each(|variant| variant.attrs.retain(is_serdes));
    }
    mirror.attrs.iter_mut().for_each(name_default);
    let remote = input.ident.to_string();
    mirror.attrs.push(parse_quote!(#[serde(remote = #remote)]));
    if !given.has_crate {
        mirror.attrs.push(parse_quote!(#[serde(crate = #SERDE)]));
    }
    if !given.has_name {
        mirror.attrs.push(parse_quote!(#[serde(rename = #name)]));
    }
    mirror
}

/// The keys of the item's own `#[serde(..)]` that the copy needs, too.
struct GivenKeys {
    has_crate: bool,
    has_name: bool,
}

impl GivenKeys {
    fn read(ctxt: &Ctxt, attrs: &[Attribute]) -> Self {
        let (mut krate, mut name) = (KeyValue::default(), KeyValue::default());
        // serde reports what is wrong with the others.
        each_attribute_key(ctxt, attrs, "serde", |key| match key.name().as_str() {
            "crate" => krate.set(key, key.skip()?),
            "rename" => name.set(key, key.skip()?),
            "remote" => {
                let message = "for a type of another crate, use serde's own derive: add `serde` to Cargo.toml";
                Err(syn::Error::new_spanned(&key.ident, message))
            }
            _ => key.skip(),
        });
        Self { has_crate: krate.is_set(), has_name: name.is_set() }
    }
}

/// Makes `default` on the item `default = "…"`: without a function, serde would ask it of the copy.
fn name_default(attr: &mut Attribute) {
    let Meta::List(list) = &mut attr.meta else { return };
    let mut tokens = std::mem::take(&mut list.tokens).into_iter().peekable();
    while let Some(token) = tokens.next() {
        let ends = tokens.peek().is_none_or(|next| next.to_string() == ",");
        let is_default = matches!(&token, TokenTree::Ident(ident) if ident == "default") && ends;
        list.tokens.extend([token]);
        if is_default {
            list.tokens.extend(quote!(= "::core::default::Default::default"));
        }
    }
}

fn is_serdes(attr: &Attribute) -> bool {
    attr.path().is_ident("serde")
}

fn fields(data: &mut Data) -> Vec<&mut Field> {
    match data {
        Data::Struct(data) => data.fields.iter_mut().collect(),
        Data::Enum(data) => {
            data.variants.iter_mut().flat_map(|variant| variant.fields.iter_mut()).collect()
        }
        Data::Union(data) => data.fields.named.iter_mut().collect(),
    }
}

/// Replaces `Self`, which is the copy inside of it.
fn without_self(tokens: TokenStream, original: &TokenStream) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => original.clone(),
        TokenTree::Group(group) => {
            let inside = without_self(group.stream(), original);
            let mut replaced = Group::new(group.delimiter(), inside);
            replaced.set_span(group.span());
            TokenTree::from(replaced).into()
        }
        other => TokenStream::from(other),
    };
    tokens.into_iter().flat_map(replace).collect()
}

fn serialize_impl(input: &DeriveInput, mirror: &Ident) -> TokenStream {
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    bound(&mut generics, &quote!(::livestore::__private::serde::Serialize));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::livestore::__private::serde::Serialize for #ident #type_generics #where_clause {
            fn serialize<__S: ::livestore::__private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                #mirror::serialize(self, serializer)
            }
        }
    }
}

fn deserialize_impl(input: &DeriveInput, mirror: &Ident) -> TokenStream {
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    bound(&mut generics, &quote!(::livestore::__private::serde::Deserialize<'de>));
    let lifetimes: Vec<_> = input.generics.lifetimes().map(|param| &param.lifetime).collect();
    let de: GenericParam =
        if lifetimes.is_empty() { parse_quote!('de) } else { parse_quote!('de: #(#lifetimes)+*) };
    generics.params.insert(0, de);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::livestore::__private::serde::Deserialize<'de> for #ident #type_generics #where_clause {
            fn deserialize<__D: ::livestore::__private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                #mirror::deserialize(deserializer)
            }
        }
    }
}

/// Bounds every type parameter.
fn bound(generics: &mut Generics, by: &TokenStream) {
    let params: Vec<_> = generics.type_params().map(|param| param.ident.clone()).collect();
    for param in params {
        generics.make_where_clause().predicates.push(parse_quote!(#param: #by));
    }
}
