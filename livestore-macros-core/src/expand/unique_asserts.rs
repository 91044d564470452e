//! Compile-time checks that no two events, no two commands, and no two tables or documents share a name.
//!
//! One assertion per listed type, so that the error points at the type; each compares with the
//! types listed before it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use super::{located_at, schema_event_defs, trait_item};
use crate::parse::schema::SchemaItem;

pub(crate) fn expand(schema: &SchemaItem) -> TokenStream {
    let commands = unique_commands(schema);
    [unique_tables(schema), table_keys(schema), unique_events(schema), commands]
        .into_iter()
        .collect()
}

fn unique_tables(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { runtime, tables, documents, .. } = schema;
    let tables = tables.iter().map(|table| (table, trait_item(runtime, table, "Table", "NAME")));
    let documents = documents
        .iter()
        .map(|document| (document, trait_item(runtime, document, "Document", "NAME")));
    let name_type = quote!(&'static str);
    asserts(schema, &name_type, "assert_unique_tables", tables.chain(documents))
}

/// Checks that no index has a name that is used already, and that foreign keys refer to listed tables.
fn table_keys(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { runtime, tables, documents, .. } = schema;
    if tables.is_empty() {
        return TokenStream::new();
    }
    let keys = tables.iter().map(|table| trait_item(runtime, table, "Table", "KEYS"));
    let names = tables.iter().map(|table| trait_item(runtime, table, "Table", "NAME"));
    let documents =
        documents.iter().map(|document| trait_item(runtime, document, "Document", "NAME"));
    let names = names.chain(documents);
    let calls = tables.iter().enumerate().map(|(position, ty)| {
        let span = located_at(ty);
        let runtime = runtime.located_at(span);
        quote_spanned!(span=> const _: () = #runtime::assert_table_keys(#position, KEYS, NAMES);)
    });
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            const KEYS: &[::core::option::Option<#runtime::TableKeys>] = &[#(#keys),*];
            const NAMES: &[&'static str] = &[#(#names),*];
            #(#calls)*
        };
    }
}

fn unique_events(schema: &SchemaItem) -> TokenStream {
    let runtime = &schema.runtime;
    let defs = schema_event_defs(schema);
    let defs_type = quote!(&'static [#runtime::EventDef]);
    asserts(schema, &defs_type, "assert_unique_events", defs)
}

fn unique_commands(schema: &SchemaItem) -> TokenStream {
    let SchemaItem { runtime, commands, .. } = schema;
    let names =
        commands.iter().map(|command| (command, trait_item(runtime, command, "Command", "NAME")));
    asserts(schema, &quote!(&'static str), "assert_unique_commands", names)
}

/// All assertions look into one list of names, so that the code grows with the number of types, not with
/// its square.
fn asserts<'a>(
    schema: &SchemaItem,
    name_type: &TokenStream,
    function: &str,
    listed: impl Iterator<Item = (&'a Type, TokenStream)>,
) -> TokenStream {
    let (types, names): (Vec<_>, Vec<_>) = listed.unzip();
    if types.len() < 2 {
        return TokenStream::new();
    }
    let calls = types.iter().enumerate().map(|(position, ty)| {
        let span = located_at(ty);
        let runtime = schema.runtime.located_at(span);
        let function = Ident::new(function, span);
        quote_spanned! {span=>
            const _: () = #runtime::#function(ALL[#position], ALL.split_at(#position).0);
        }
    });
    quote_spanned! {Span::mixed_site()=>
        #[allow(deprecated)]
        const _: () = {
            const ALL: &[#name_type] = &[#(#names),*];
            #(#calls)*
        };
    }
}
