//! How LiveStore's macros parse, check and expand.
//!
//! `livestore-macros` only forwards tokens; the work happens here, in an ordinary library that can
//! be unit-tested and snapshot-tested. Every macro goes the same way:
//!
//! 1. `parse` reads the item into a small intermediate form named after what it declares (a
//!    table, an event, a client document …) and collects **every** mistake in a `Ctxt`;
//! 2. `expand` turns that form into code, one file per artifact.
//!
//! `sql!` is a story of its own, told in `sql`.
//!
//! When there were mistakes, the user's item is emitted all the same, next to stub
//! implementations: one mistake gives one message, and an IDE keeps understanding the code.

extern crate proc_macro;

mod case;
mod ctxt;
mod expand;
mod impl_attributes;
mod keys;
pub mod lock;
mod parse;
mod runtime;
mod sql;
mod suggest;
mod types;

use proc_macro2::TokenStream;
use syn::DeriveInput;

#[cfg(feature = "checked-sql")]
#[doc(hidden)]
pub use sql::readings::{Reading, sql_readings};

use crate::ctxt::Ctxt;

/// Expands `#[table]`: the struct without its `#[column]` attributes, a constant per column, and
/// its `Table` and `Row` implementations.
pub fn table(attr: TokenStream, item: TokenStream) -> TokenStream {
    with_struct("table", item, |ctxt, item| {
        let table = parse::table::Table::parse(ctxt, attr, item);
        parse::table::strip_column_attributes(item);
        expand::table(ctxt, &table)
    })
}

/// Expands `#[derive(Event)]`: the `Event` implementation of an enum or a struct.
pub fn event(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let event = parse::event::Event::parse(ctxt, input);
        expand::event(ctxt, &event)
    })
}

/// Expands `#[derive(ColumnType)]`: how a field-less enum or a newtype is stored in a column.
pub fn column_type(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let column_type = parse::column_type::ColumnType::parse(ctxt, input);
        expand::column_type(ctxt, &column_type)
    })
}

/// Expands `#[derive(Row)]`: how a struct is read from a query's result, and what it selects.
pub fn row(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let row = parse::row::Row::parse(ctxt, input);
        expand::row(ctxt, &row)
    })
}

/// Expands `#[client_document]`: the struct as it is, its `Document` implementation, and the event
/// that sets some of its fields.
pub fn client_document(attr: TokenStream, item: TokenStream) -> TokenStream {
    with_struct("client_document", item, |ctxt, item| {
        let document = parse::client_document::ClientDocument::parse(ctxt, attr, item);
        expand::client_document(ctxt, &document)
    })
}

/// Expands `schema!`: the marker type, its `Schema` implementation, and who may be committed to it.
pub fn schema(input: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = parse::schema::Schema::parse(&ctxt, input).map(|schema| expand::schema(&schema));
    let errors = ctxt.finish();
    quote::quote!(#code #errors)
}

/// Ends what `schema!` begins: the macros of its tables have given their DDL, which the macro named
/// after the schema hands to `sql!`.
pub fn schema_macro(input: TokenStream) -> TokenStream {
    expand::schema_macro(input).unwrap_or_else(syn::Error::into_compile_error)
}

/// Ends a part of what `schema!` begins, where there are many tables.
pub fn schema_part(input: TokenStream) -> TokenStream {
    expand::schema_part(input).unwrap_or_else(syn::Error::into_compile_error)
}

/// Expands `sql!`: calls the schema's macro, which calls [`sql_in_schema`].
pub fn sql(input: TokenStream) -> TokenStream {
    sql::sql(input)
}

/// Expands the rest of `sql!`: a query or a write, checked against the schema's DDL.
pub fn sql_in_schema(input: TokenStream) -> TokenStream {
    sql::sql_in_schema(input)
}

/// Expands `#[derive(Shape)]`, of which only the schema lock makes something.
pub fn shape(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        parse::nested::Nested::parse(ctxt, input);
        TokenStream::new()
    })
}

/// Runs an attribute macro that only works on structs; whatever happens, the item is emitted.
fn with_struct(
    macro_name: &str,
    item: TokenStream,
    expand: impl FnOnce(&Ctxt, &mut syn::ItemStruct) -> TokenStream,
) -> TokenStream {
    let ctxt = Ctxt::new();
    let output = match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Struct(mut item)) => {
            let code = expand(&ctxt, &mut item);
            quote::quote!(#item #code)
        }
        Ok(other) => {
            let message =
                format!("`#[{macro_name}]` goes on a struct with named fields, not on this item");
            ctxt.error(other, message);
            item
        }
        Err(error) => {
            ctxt.push(error);
            item
        }
    };
    let errors = ctxt.finish();
    quote::quote!(#output #errors)
}

/// Runs a derive macro.
fn derive(
    input: TokenStream,
    expand: impl FnOnce(&Ctxt, &DeriveInput) -> TokenStream,
) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = match syn::parse2(input) {
        Ok(input) => expand(&ctxt, &input),
        Err(error) => return error.into_compile_error(),
    };
    let errors = ctxt.finish();
    quote::quote!(#code #errors)
}
