//! The impls that allow events to be committed to a schema's stores: `Commit<App>` for every listed
//! event, and `HasDocument` for every document, which does the same for its `Set`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::{located_at, subject_item};
use crate::parse::schema::SchemaItem;

pub(crate) fn expand(schema: &SchemaItem) -> TokenStream {
    let commits = schema.events.iter().map(|event| commit_impl(schema, event));
    let documents = schema.documents.iter().map(|document| has_document_impl(schema, document));
    commits.chain(documents).collect()
}

fn commit_impl(schema: &SchemaItem, event: &Type) -> TokenStream {
    let SchemaItem { runtime, ident, .. } = schema;
    let push = subject_item(runtime, event, "Listed", "push");
    quote_spanned! {located_at(event)=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #runtime::Commit<#ident> for #event {
            fn encode(
                self,
                batch: &mut #runtime::Batch<'_>,
            ) -> ::core::result::Result<(), #runtime::EncodeBatchError> {
                #push(&self, batch)
            }
        }
    }
}

fn has_document_impl(schema: &SchemaItem, document: &Type) -> TokenStream {
    let SchemaItem { runtime, ident, .. } = schema;
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #runtime::HasDocument<#document> for #ident {}
    }
}
