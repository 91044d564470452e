//! How LiveStore's macros parse, check and expand.
//!
//! `livestore-macros` only forwards tokens; the work happens here, in an ordinary library that can
//! be unit-tested and snapshot-tested. Every macro takes the same steps:
//!
//! 1. `parse` reads the item, once, into an intermediate form named after what it declares (a table,
//!    an event, a client document …), and records **every** mistake in a `Ctxt`;
//! 2. `expand` turns that form into code, one file per artifact;
//! 3. `lock` compares the same form with the package's `livestore.lock`.
//!
//! When there were mistakes, the user's item is emitted all the same, next to stub
//! implementations: one mistake gives one message, and an IDE keeps understanding the code.
//!
//! `sql!` works differently; see `sql`.

extern crate proc_macro;

mod after_cfg;
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
pub use sql::fuzzing::{
    SqlFunction, StatementSummary, accepted_sql, sql_functions, sql_operators, summarize_sql,
};

use crate::ctxt::Ctxt;
use crate::lock::Package;

/// Expands `#[table]` to the struct without its `#[column]` attributes, a constant per column, and
/// the `Table` and `Row` implementations.
///
/// With a `package`, the table is also compared with that package's `livestore.lock`.
pub fn table(package: Option<&Package>, attr: TokenStream, item: TokenStream) -> TokenStream {
    with_struct("table", item, |ctxt, item| {
        if let Some(postponed) = after_cfg::postponed("table", "TableAfterCfg", &attr, item) {
            return postponed;
        }
        let code = table_code(package, ctxt, attr, item);
        parse::table::strip_column_attributes(item);
        quote::quote!(#item #code)
    })
}

/// Expands the derive that stands in for `#[table]` on a struct with `#[cfg_attr]`.
pub fn table_after_cfg(package: Option<&Package>, input: TokenStream) -> TokenStream {
    derive_struct(input, |ctxt, item| {
        let attr = after_cfg::take_arguments("table", item);
        table_code(package, ctxt, attr, item)
    })
}

fn table_code(
    package: Option<&Package>,
    ctxt: &Ctxt,
    attr: TokenStream,
    item: &syn::ItemStruct,
) -> TokenStream {
    let table = parse::table::TableItem::parse(ctxt, attr, item);
    #[cfg(feature = "checked-sql")]
    sql::check_conditions(ctxt, &table);
    let code = expand::table(ctxt, &table);
    let lock = lock::table(package, ctxt, &table);
    quote::quote!(#code #lock)
}

/// Expands `#[derive(Event)]` to the `Event` implementation of an enum or a struct.
///
/// With a `package`, the events are also compared with that package's `livestore.lock`.
pub fn event(package: Option<&Package>, input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let event = parse::event::EventItem::parse(ctxt, input);
        let code = expand::event(ctxt, &event);
        let lock = lock::event(package, ctxt, &event);
        quote::quote!(#code #lock)
    })
}

/// Expands `#[derive(Command)]` to the `Command` implementation: the name under which the command stands in
/// a log.
pub fn command(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| expand::command(&parse::command::CommandItem::parse(ctxt, input)))
}

/// Expands `#[derive(ColumnType)]`, which stores a field-less enum or a newtype in a column.
pub fn column_type(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let column_type = parse::column_type::ColumnTypeItem::parse(ctxt, input);
        expand::column_type(ctxt, &column_type)
    })
}

/// Expands `#[derive(Row)]`, which reads a struct from a query's result and says what to select.
pub fn row(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let row = parse::row::RowItem::parse(ctxt, input);
        expand::row(ctxt, &row)
    })
}

/// Expands `#[client_document]` to the struct as it is, its `Document` implementation, and the event
/// that sets some of its fields.
///
/// With a `package`, that event is also compared with the package's `livestore.lock`.
pub fn client_document(
    package: Option<&Package>,
    attr: TokenStream,
    item: TokenStream,
) -> TokenStream {
    with_struct("client_document", item, |ctxt, item| {
        let postponed =
            after_cfg::postponed("client_document", "ClientDocumentAfterCfg", &attr, item);
        postponed.unwrap_or_else(|| {
            let code = client_document_code(package, ctxt, attr, item);
            quote::quote!(#item #code)
        })
    })
}

/// Expands the derive that stands in for `#[client_document]` on a struct with `#[cfg_attr]`.
pub fn client_document_after_cfg(package: Option<&Package>, input: TokenStream) -> TokenStream {
    derive_struct(input, |ctxt, item| {
        let attr = after_cfg::take_arguments("client_document", item);
        client_document_code(package, ctxt, attr, item)
    })
}

fn client_document_code(
    package: Option<&Package>,
    ctxt: &Ctxt,
    attr: TokenStream,
    item: &syn::ItemStruct,
) -> TokenStream {
    let document = parse::client_document::ClientDocument::parse(ctxt, attr, item);
    let code = expand::client_document(ctxt, &document);
    let lock = lock::client_document(package, ctxt, &document);
    quote::quote!(#code #lock)
}

/// Expands `#[derive(Serialize)]` to serde's own derive, which finds serde in `livestore`.
pub fn serialize(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| expand::serde_impl(ctxt, expand::SerdeTrait::Serialize, input))
}

/// Expands `#[derive(Deserialize)]` in the same way.
pub fn deserialize(input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| expand::serde_impl(ctxt, expand::SerdeTrait::Deserialize, input))
}

/// Expands `schema!` to the marker type, its `Schema` implementation, and one `Commit` implementation
/// per event.
///
/// With a `package`, the schema is also compared with that package's `livestore.lock`.
pub fn schema(package: Option<&Package>, input: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = parse::schema::SchemaItem::parse(&ctxt, input).map(|schema| {
        let code = expand::schema(&schema);
        let lock = lock::schema(package, &ctxt, &schema);
        quote::quote!(#code #lock)
    });
    let errors = ctxt.check();
    quote::quote!(#code #errors)
}

/// Ends the chain of macros that `schema!` starts: by now each table has added its columns, and a
/// macro named after the schema is defined that hands them to `sql!`.
pub fn schema_macro(input: TokenStream) -> TokenStream {
    expand::schema_macro(input).unwrap_or_else(syn::Error::into_compile_error)
}

/// Ends one part of the chain that `schema!` starts, where a schema has many tables.
pub fn schema_part(input: TokenStream) -> TokenStream {
    expand::schema_part(input).unwrap_or_else(syn::Error::into_compile_error)
}

/// Expands `sql!` to a call of the schema's macro, which calls [`sql_in_schema`].
pub fn sql(input: TokenStream) -> TokenStream {
    sql::sql(input)
}

/// Expands the rest of `sql!` to a query or a write, checked against the schema's tables.
pub fn sql_in_schema(input: TokenStream) -> TokenStream {
    sql::sql_in_schema(input)
}

/// Expands `#[derive(Shape)]`, which generates no code: it only compares the type with the
/// `livestore.lock` of a `package`.
pub fn shape(package: Option<&Package>, input: TokenStream) -> TokenStream {
    derive(input, |ctxt, input| {
        let nested = parse::nested::Nested::parse(ctxt, input);
        lock::shape(package, ctxt, &nested)
    })
}

/// Runs an attribute macro that only works on structs, and emits the item itself after an error.
fn with_struct(
    macro_name: &str,
    item: TokenStream,
    expand: impl FnOnce(&Ctxt, &mut syn::ItemStruct) -> TokenStream,
) -> TokenStream {
    let ctxt = Ctxt::new();
    let output = match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Struct(mut item)) => expand(&ctxt, &mut item),
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
    let errors = ctxt.check();
    quote::quote!(#output #errors)
}

/// Runs the derive macro that stands in for an attribute macro on a struct.
fn derive_struct(
    input: TokenStream,
    expand: impl FnOnce(&Ctxt, &mut syn::ItemStruct) -> TokenStream,
) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = ctxt.ok(syn::parse2(input)).map(|mut item| expand(&ctxt, &mut item));
    let errors = ctxt.check();
    quote::quote!(#code #errors)
}

/// Runs a derive macro.
fn derive(
    input: TokenStream,
    expand: impl FnOnce(&Ctxt, &DeriveInput) -> TokenStream,
) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = ctxt.ok(syn::parse2(input)).map(|input| expand(&ctxt, &input));
    let errors = ctxt.check();
    quote::quote!(#code #errors)
}
