//! The expansion after an error: the same impls with bodies that never run, so that code which uses the
//! type gives no further errors.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Generics;

use super::document_set;
use super::event_impl::bounded_generics;
use crate::impl_attributes::ImplAttributes;
use crate::parse::client_document::ClientDocument;
use crate::parse::column_type::ColumnTypeItem;
use crate::parse::event::EventItem;
use crate::parse::row::RowItem;
use crate::parse::table::TableItem;
use crate::runtime::Runtime;

/// A generic table gets no stub, since its parameters would need bounds.
pub(crate) fn table(table: &TableItem) -> TokenStream {
    let TableItem { runtime, attributes, ident, generics, name, columns, primary_key, .. } = table;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let key_column = primary_key.first().map_or(columns.first(), |&position| columns.get(position));
    let key = key_column.map_or_else(
        || quote!(::core::primitive::i64),
        |column| {
            let ty = &column.ty;
            quote!(#ty)
        },
    );
    let row_impl = row_impl(runtime, attributes, ident, generics);
    quote! {
        #attributes
        impl #runtime::Table for #ident {
            type Key = #key;
            const NAME: &'static str = #name;
            fn def() -> &'static #runtime::TableDef {
                loop {}
            }
            fn encode(
                &self,
                _: &mut #runtime::RowWriter<'_>,
            ) -> ::core::result::Result<(), #runtime::RowError> {
                loop {}
            }
        }
        #attributes
        impl #runtime::Searchable for #ident {}
        #row_impl
    }
}

pub(crate) fn row(row: &RowItem) -> TokenStream {
    let RowItem { runtime, attributes, ident, generics, from, .. } = row;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let row_impl = row_impl(runtime, attributes, ident, generics);
    let projection_impl = from.as_ref().map(|from| {
        quote! {
            #attributes
            impl #impl_generics #runtime::Projection<#from> for #ident #type_generics #where_clause {
                fn select(_: &mut #runtime::SelectList<#from>) {
                    loop {}
                }
            }
        }
    });
    quote!(#row_impl #projection_impl)
}

fn row_impl(
    runtime: &Runtime,
    attributes: &ImplAttributes,
    ident: &Ident,
    generics: &Generics,
) -> TokenStream {
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #attributes
        impl #impl_generics #runtime::Row for #ident #type_generics #where_clause {
            const COLUMNS: &'static [&'static str] = &[];
            fn decode(
                _: &#runtime::RowReader<'_>,
            ) -> ::core::result::Result<Self, #runtime::RowError> {
                loop {}
            }
        }
    }
}

pub(crate) fn event(event: &EventItem) -> TokenStream {
    let generics = bounded_generics(event);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let ident = &event.ident;
    event_impl(
        &event.runtime,
        &event.attributes,
        &quote!(#impl_generics),
        &quote!(#ident #type_generics #where_clause),
    )
}

fn event_impl(
    runtime: &Runtime,
    attributes: &ImplAttributes,
    impl_generics: &TokenStream,
    target: &TokenStream,
) -> TokenStream {
    quote! {
        #attributes
        impl #impl_generics #runtime::Event for #target {
            // Without a name, no other check finds fault with it.
            const DEFS: &'static [#runtime::EventDef] = &[#runtime::EventDef::new("", &[])];
            fn def(&self) -> &'static #runtime::EventDef {
                loop {}
            }
            fn encode(
                &self,
                _: &mut #runtime::ArgsWriter<'_>,
            ) -> ::core::result::Result<(), #runtime::EncodeError> {
                loop {}
            }
            fn decode(
                _: &str,
                _: &#runtime::Args<'_>,
            ) -> ::core::result::Result<Self, #runtime::DecodeError> {
                loop {}
            }
        }
    }
}

pub(crate) fn column_type(column_type: &ColumnTypeItem) -> TokenStream {
    let ColumnTypeItem { runtime, attributes, ident, generics, .. } = column_type;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #attributes
        impl #impl_generics #runtime::ColumnType for #ident #type_generics #where_clause {
            type Base = Self;
            const STORAGE: #runtime::Storage = #runtime::Storage::Text;
            fn encode(&self) -> ::core::result::Result<#runtime::Value<'_>, #runtime::ValueError> {
                loop {}
            }
            fn decode(
                _: #runtime::Value<'_>,
            ) -> ::core::result::Result<Self, #runtime::ValueError> {
                loop {}
            }
        }
    }
}

/// Includes the setters. A generic document gets no stub, since its parameters would need bounds.
pub(crate) fn client_document(document: &ClientDocument) -> TokenStream {
    let ClientDocument { runtime, attributes, ident, generics, name, .. } = document;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let set = document_set::ident(document);
    let set_type = document_set::definition(document);
    let setters = document_set::setters(document);
    let event_impl = event_impl(runtime, attributes, &TokenStream::new(), &quote!(#set));
    quote! {
        #attributes
        impl #runtime::Document for #ident {
            type Set = #set;
            const NAME: &'static str = #name;
            fn def() -> &'static #runtime::DocumentDef {
                loop {}
            }
            fn changes(&self, _: &Self) -> ::core::option::Option<Self::Set> {
                loop {}
            }
        }
        #set_type
        #setters
        #event_impl
        #attributes
        impl #runtime::Materialize for #set {
            fn materialize(
                &self,
                _: &mut #runtime::Writer<'_>,
            ) -> ::core::result::Result<(), #runtime::MaterializeError> {
                loop {}
            }
        }
        #attributes
        impl<S: #runtime::HasDocument<#ident>> #runtime::Commit<S> for #set {
            fn encode(
                self,
                _: &mut #runtime::Batch<'_>,
            ) -> ::core::result::Result<(), #runtime::EncodeBatchError> {
                loop {}
            }
        }
        #attributes
        impl ::core::convert::From<#ident> for #set {
            fn from(_: #ident) -> Self {
                loop {}
            }
        }
    }
}
