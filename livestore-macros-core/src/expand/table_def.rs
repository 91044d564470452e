//! The static `TableDef`: columns, primary key, indexes, checks, foreign keys.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::constant::constant;
use super::{located_at, trait_item};
use crate::parse::column::{ColumnField, ForeignKey, OnDelete};
use crate::parse::index::Index;
use crate::parse::table::TableItem;
use crate::runtime::{self, Runtime};

/// Returns the expression that builds it.
pub(crate) fn expand(table: &TableItem) -> TokenStream {
    let TableItem { runtime, name, columns, primary_key, .. } = table;
    let column_defs = columns.iter().map(|column| column_def(runtime, column));
    let indexes = indexes(table);
    let checks = checks(table);
    let foreign_keys = foreign_keys(table);
    let searched = searched(table);
    quote! {
        #runtime::TableDef::new(#name, &[#(#column_defs),*], &[#(#primary_key),*])
            #indexes
            #checks
            #foreign_keys
            #searched
    }
}

fn column_def(runtime: &Runtime, column: &ColumnField) -> TokenStream {
    let ColumnField { ty, name, .. } = column;
    let default = column.default.as_ref().map(|value| {
        let constant = constant(value);
        let runtime = runtime.located_at(value.span());
        let ty = runtime::located_at(ty, value.span());
        quote_spanned! {value.span()=>
            .default(|| #runtime::sql::Takes::<_, #ty>::operand(#runtime::sql::of(), #constant))
        }
    });
    let kind = trait_item(runtime, ty, "ColumnType", "KIND");
    let check = column.check.as_ref().map(|sql| quote!(.check(#sql)));
    quote_spanned!(located_at(ty)=> #runtime::ColumnDef::new(#name, #kind) #default #check)
}

fn indexes(table: &TableItem) -> Option<TokenStream> {
    let TableItem { runtime, indexes, .. } = table;
    let defs = indexes.iter().map(
        |Index {
             name,
             columns,
             is_unique,
         }| { quote!(#runtime::IndexDef::new(#name, &[#(#columns),*], #is_unique)) },
    );
    (!indexes.is_empty()).then(|| quote!(.indexes(&[#(#defs),*])))
}

fn checks(table: &TableItem) -> Option<TokenStream> {
    let checks = &table.checks;
    (!checks.is_empty()).then(|| quote!(.checks(&[#(#checks),*])))
}

fn foreign_keys(table: &TableItem) -> Option<TokenStream> {
    let columns = table.columns.iter().enumerate();
    let defs: Vec<_> = columns
        .filter_map(|(position, column)| {
            let reference = column.reference.as_ref()?;
            Some(foreign_key(&table.runtime, position, column, reference))
        })
        .collect();
    (!defs.is_empty()).then(|| quote!(.foreign_keys(&[#(#defs),*])))
}

fn searched(table: &TableItem) -> Option<TokenStream> {
    let columns = table.columns.iter().enumerate();
    let searched: Vec<_> =
        columns.filter(|(_, column)| column.is_searched).map(|(position, _)| position).collect();
    (!searched.is_empty()).then(|| quote!(.searched(&[#(#searched),*])))
}

fn foreign_key(
    runtime: &Runtime,
    position: usize,
    column: &ColumnField,
    reference: &ForeignKey,
) -> TokenStream {
    let (ty, target) = (&column.ty, &reference.target);
    let on_delete = reference.on_delete.map(|action| {
        let action = on_delete(action);
        quote!(.on_delete(#runtime::OnDelete::#action))
    });
    quote_spanned! {located_at(target)=>
        #runtime::ForeignKeyDef::new(#position, || #runtime::Refer::<#ty, _>::reference(#target)) #on_delete
    }
}

fn on_delete(action: OnDelete) -> Ident {
    format_ident!("{}", format!("{action:?}"), span = Span::mixed_site())
}
