//! `impl ColumnType`, which stores a value in a column.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Generics, Type, parse_quote};

use super::trait_item;
use crate::parse::column_type::{ColumnTypeItem, StoredForm, StoredVariant};
use crate::parse::names;

pub(crate) fn expand(column_type: &ColumnTypeItem, form: &StoredForm) -> TokenStream {
    match form {
        StoredForm::Enum(variants) => of_enum(column_type, variants),
        StoredForm::Numbers(variants) => of_numbers(column_type, variants),
        StoredForm::Newtype(inner) => of_newtype(column_type, inner),
    }
}

fn of_enum(column_type: &ColumnTypeItem, variants: &[StoredVariant]) -> TokenStream {
    let ColumnTypeItem { runtime, ident, .. } = column_type;
    let attributes = &column_type.attributes;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let texts: Vec<_> = variants.iter().map(|variant| &variant.text).collect();
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::ColumnType for #ident {
            type Base = Self;
            const STORAGE: #runtime::Storage = #runtime::Storage::Text;
            const VARIANTS: &'static [&'static str] = &[#(#texts),*];
            fn encode(&self) -> ::core::result::Result<#runtime::Value<'_>, #runtime::ValueError> {
                ::core::result::Result::Ok(#runtime::Value::text(match self {
                    #(Self::#idents => #texts),*
                }))
            }
            fn decode(value: #runtime::Value<'_>) -> ::core::result::Result<Self, #runtime::ValueError> {
                match value.as_text()? {
                    #(#texts => ::core::result::Result::Ok(Self::#idents),)*
                    other => ::core::result::Result::Err(#runtime::ValueError::not_a_variant(
                        other,
                        <Self as #runtime::ColumnType>::VARIANTS,
                    )),
                }
            }
        }
    }
}

fn of_numbers(column_type: &ColumnTypeItem, variants: &[Ident]) -> TokenStream {
    let ColumnTypeItem { runtime, ident, .. } = column_type;
    let attributes = &column_type.attributes;
    let names = variants.iter().map(names::plain);
    let names: Vec<_> = names.collect();
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::ColumnType for #ident {
            type Base = Self;
            const STORAGE: #runtime::Storage = #runtime::Storage::Integer;
            const NUMBERS: &'static [(&'static str, i64)] =
                &[#((#names, Self::#variants as i64)),*];
            fn encode(&self) -> ::core::result::Result<#runtime::Value<'_>, #runtime::ValueError> {
                ::core::result::Result::Ok(#runtime::Value::Integer(match self {
                    #(Self::#variants => Self::#variants as i64),*
                }))
            }
            fn decode(value: #runtime::Value<'_>) -> ::core::result::Result<Self, #runtime::ValueError> {
                let found = value.as_integer()?;
                #(if found == Self::#variants as i64 {
                    return ::core::result::Result::Ok(Self::#variants);
                })*
                ::core::result::Result::Err(#runtime::ValueError::not_a_variant(
                    &::std::string::ToString::to_string(&found),
                    &[#(#names),*],
                ))
            }
        }
    }
}

fn of_newtype(column_type: &ColumnTypeItem, inner: &Type) -> TokenStream {
    let ColumnTypeItem { runtime, ident, .. } = column_type;
    let attributes = &column_type.attributes;
    let generics = bounded_generics(column_type, inner);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let items = ["STORAGE", "VARIANTS", "NUMBERS", "RANGE", "encode", "decode"];
    let [storage, variants, numbers, range, encode, decode] =
        items.map(|item| trait_item(runtime, inner, "ColumnType", item));
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #impl_generics #runtime::ColumnType for #ident #type_generics #where_clause {
            type Base = Self;
            const STORAGE: #runtime::Storage = #storage;
            const VARIANTS: &'static [&'static str] = #variants;
            const NUMBERS: &'static [(&'static str, i64)] = #numbers;
            const RANGE: ::core::option::Option<(i64, i64)> = #range;
            fn encode(&self) -> ::core::result::Result<#runtime::Value<'_>, #runtime::ValueError> {
                #encode(&self.0)
            }
            fn decode(value: #runtime::Value<'_>) -> ::core::result::Result<Self, #runtime::ValueError> {
                ::core::result::Result::Ok(Self(#decode(value)?))
            }
        }
    }
}

/// Bounds a generic newtype: it is a column type if its inner type is one.
fn bounded_generics(column_type: &ColumnTypeItem, inner: &Type) -> Generics {
    let ColumnTypeItem { runtime, generics, .. } = column_type;
    let mut generics = generics.clone();
    if !generics.params.is_empty() {
        let predicate = parse_quote!(#inner: #runtime::ColumnType);
        generics.make_where_clause().predicates.push(predicate);
    }
    generics
}
