//! `impl Commit<App>` for every event of a schema: others do not compile in `commit`.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::Type;

use super::{located_at, schema_impl};
use crate::parse::schema::Schema;

pub(crate) fn expand(schema: &Schema) -> TokenStream {
    schema_impl::event_types(schema)
        .map(|(listed, event)| commit_impl(schema, listed, &event))
        .collect()
}

fn commit_impl(schema: &Schema, listed: &Type, event: &TokenStream) -> TokenStream {
    let Schema { runtime, ident, .. } = schema;
    quote_spanned! {located_at(listed)=>
        #[automatically_derived]
        impl #runtime::Commit<#ident> for #event {
            fn encode(
                self,
                batch: &mut #runtime::Batch<'_>,
            ) -> ::core::result::Result<(), #runtime::EncodeBatchError> {
                batch.push(&self)
            }
        }
    }
}
