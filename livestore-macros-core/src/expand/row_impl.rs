//! `impl Row`: the result columns, and the decoding of a struct.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use super::{located_at, trait_item};
use crate::impl_attributes::ImplAttributes;
use crate::parse::row::RowItem;
use crate::parse::table::TableItem;
use crate::runtime::Runtime;

/// The impl of a `#[table]` struct.
pub(crate) fn of_table(table: &TableItem) -> TokenStream {
    let fields = table.columns.iter().map(|c| (&c.ident, &c.ty, c.name.as_str()));
    expand(&table.runtime, &table.attributes, &table.ident, fields)
}

/// The impl of a `#[derive(Row)]` struct.
pub(crate) fn of_row(row: &RowItem) -> TokenStream {
    let fields = row.fields.iter().map(|f| (&f.ident, &f.ty, f.name.as_str()));
    expand(&row.runtime, &row.attributes, &row.ident, fields)
}

fn expand<'a>(
    runtime: &Runtime,
    attributes: &ImplAttributes,
    ident: &Ident,
    fields: impl Iterator<Item = (&'a Ident, &'a Type, &'a str)>,
) -> TokenStream {
    let (mut names, mut reads) = (Vec::new(), Vec::new());
    for (position, (field, ty, name)) in fields.enumerate() {
        names.push(name);
        let decode = trait_item(runtime, ty, "ColumnType", "decode");
        let read = quote_spanned!(located_at(ty)=> row.get_with(#position, #decode)?);
        reads.push(quote!(#field: #read));
    }
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Row for #ident {
            const COLUMNS: &'static [&'static str] = &[#(#names),*];
            fn decode(
                row: &#runtime::RowReader<'_>,
            ) -> ::core::result::Result<Self, #runtime::RowError> {
                ::core::result::Result::Ok(Self { #(#reads),* })
            }
        }
    }
}
