//! The impls that say what a schema's stores take: `Commit<App>` for every listed event, `HasDocument` for
//! every document, which allows its `Set` and its queries, `HasTable` for every table, and `ExecuteIn` for
//! every command.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::{located_at, subject_item};
use crate::parse::schema::SchemaItem;

pub(crate) fn expand(schema: &SchemaItem) -> TokenStream {
    let commits = schema.events.iter().map(|event| commit_impl(schema, event));
    let documents = schema.documents.iter().map(|document| has(schema, "HasDocument", document));
    let tables = schema.tables.iter().map(|table| has(schema, "HasTable", table));
    let commands = schema.commands.iter().map(|command| execute_in(schema, command));
    commits.chain(documents).chain(tables).chain(commands).collect()
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

fn execute_in(schema: &SchemaItem, command: &Type) -> TokenStream {
    let SchemaItem { runtime, ident, .. } = schema;
    quote_spanned! {located_at(command)=>
        #[automatically_derived]
        impl #runtime::ExecuteIn<#ident> for #command {}
    }
}

fn has(schema: &SchemaItem, proof: &str, listed: &Type) -> TokenStream {
    let SchemaItem { runtime, ident, .. } = schema;
    let proof = Ident::new(proof, Span::mixed_site());
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #runtime::#proof<#listed> for #ident {}
    }
}
