//! `Table::KEYS`, by which a schema checks what its tables refer to, and assertions on foreign keys.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::{located_at, trait_item};
use crate::parse::table::TableItem;
use crate::types;

pub(crate) fn expand(table: &TableItem) -> TokenStream {
    let runtime = &table.runtime;
    let unique = table.indexes.iter().filter(|index| index.is_unique).map(|index| &index.columns);
    let unique = unique.chain([&table.primary_key]).filter_map(|columns| match &columns[..] {
        [column] => Some(column),
        _ => None,
    });
    let indexes = table.indexes.iter().map(|index| &index.name);
    let references = targets(table).map(|target| {
        let span = syn::spanned::Spanned::span(target);
        let runtime = runtime.located_at(span);
        quote_spanned!(span=> #runtime::table_of(&#target))
    });
    quote_spanned! {Span::mixed_site()=>
        const KEYS: ::core::option::Option<#runtime::TableKeys> =
            ::core::option::Option::Some(#runtime::TableKeys {
                unique: &[#(#unique),*],
                indexes: &[#(#indexes),*],
                references: &[#(#references),*],
            });
    }
}

/// Returns one assertion per foreign key, whose target has to be unique, and one per type of which the name
/// does not show whether it may be null.
pub(crate) fn asserts(table: &TableItem) -> TokenStream {
    let unclear = table.columns.iter().filter(|column| !types::is_scalar(&column.ty));
    let nullability = unclear.map(|column| {
        let (ty, is_option) = (&column.ty, column.is_nullable());
        let span = located_at(ty);
        let kind = trait_item(&table.runtime, ty, "ColumnType", "KIND");
        let runtime = table.runtime.located_at(span);
        quote_spanned!(span=> const _: () = #runtime::assert_nullability(#kind, #is_option);)
    });
    let unique = targets(table).map(|target| {
        let span = syn::spanned::Spanned::span(target);
        let runtime = table.runtime.located_at(span);
        quote_spanned!(span=> const _: () = #runtime::assert_unique_target(&#target);)
    });
    nullability.chain(unique).collect()
}

fn targets(table: &TableItem) -> impl Iterator<Item = &syn::Expr> {
    table.columns.iter().filter_map(|column| Some(&column.reference.as_ref()?.target))
}
