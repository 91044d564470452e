//! The impls that say what a schema's stores take: `Commit<App>` for every listed event, `HasDocument` for
//! every document, which allows its `Set` and its queries, `HasTable` for every table, `ExecuteIn` for
//! every command, and `UndoIn` for every event that can be undone.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::{located_at, subject_item};
use crate::parse::schema::SchemaItem;

pub(crate) fn expand(schema: &SchemaItem) -> TokenStream {
    let commits = schema.events.iter().map(|event| commit_impl(schema, event));
    let documents = schema.documents.iter().map(|document| has(schema, "HasDocument", document));
    let tables = schema.tables.iter().map(|table| has(schema, "HasTable", table));
    let commands = schema.commands.iter().map(|command| proof_of(schema, "ExecuteIn", command));
    let undo = schema.undo.iter().map(|event| proof_of(schema, "UndoIn", event));
    commits.chain(documents).chain(tables).chain(commands).chain(undo).collect()
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

/// An impl whose bounds say what the schema needs of the type.
fn proof_of(schema: &SchemaItem, proof: &str, listed: &Type) -> TokenStream {
    let SchemaItem { runtime, ident, .. } = schema;
    let proof = Ident::new(proof, located_at(listed));
    quote_spanned! {located_at(listed)=>
        #[automatically_derived]
        impl #runtime::#proof<#ident> for #listed {}
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
