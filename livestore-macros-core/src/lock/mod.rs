//! The schema lock: what is declared is compared with `livestore.lock`, while compiling.
//!
//! Each macro makes the `shapes` of its items; `check` compares them with what the `package` has
//! recorded and gives errors at the fields, or, told to accept, has `accept` write them down. Only
//! `vanished` looks at a schema as a whole: what no longer exists has no token to point at.
//!
//! What comes out stands beside the macro's own code, under `#[cfg(not(test))]`: the items of a crate's
//! unit tests are no part of its schema.

mod accept;
mod check;
mod message;
mod package;
pub(crate) mod shapes;
mod vanished;

pub use accept::effect;
pub use package::Package;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::ctxt::Ctxt;
use crate::parse::client_document::ClientDocument;
use crate::parse::event::Event;
use crate::parse::nested::Nested;
use crate::parse::schema::Schema;
use crate::parse::table::Table;
use crate::runtime::Runtime;

/// What the lock has to say of a `#[derive(Event)]`.
pub fn event(package: &Package, input: TokenStream) -> TokenStream {
    let Ok(input) = syn::parse2(input) else { return TokenStream::new() };
    let ctxt = Ctxt::new();
    let event = Event::parse(&ctxt, &input);
    let items = shapes::of_events(&event);
    unless_mistaken(&ctxt, || check::expand(package, &event.runtime, &items))
}

/// What the lock has to say of a `#[derive(Shape)]`.
pub fn shape(package: &Package, input: TokenStream) -> TokenStream {
    let Ok(input) = syn::parse2(input) else { return TokenStream::new() };
    let ctxt = Ctxt::new();
    let nested = Nested::parse(&ctxt, &input);
    unless_mistaken(&ctxt, || {
        check::expand(package, &nested.runtime, &[shapes::of_nested(&nested)])
    })
}

/// What the lock has to say of a `#[table]`.
pub fn table(package: &Package, attr: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(item) = syn::parse2(item) else { return TokenStream::new() };
    let ctxt = Ctxt::new();
    let table = Table::parse(&ctxt, attr, &item);
    unless_mistaken(&ctxt, || check::expand(package, &table.runtime, &[shapes::of_table(&table)]))
}

/// What the lock has to say of a `#[client_document]`: of the event that sets it.
pub fn client_document(package: &Package, attr: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(item) = syn::parse2(item) else { return TokenStream::new() };
    let ctxt = Ctxt::new();
    let document = ClientDocument::parse(&ctxt, attr, &item);
    let items = [shapes::of_document(&document)];
    unless_mistaken(&ctxt, || check::expand(package, &document.runtime, &items))
}

/// What the lock has to say of a `schema!`: also of events that are gone.
pub fn schema(package: &Package, input: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let Some(schema) = Schema::parse(&ctxt, input) else { return TokenStream::new() };
    unless_mistaken(&ctxt, || {
        let items = check::expand(package, &schema.runtime, &[shapes::of_schema(&schema)]);
        let hint = package.is_new().then(|| hint(&schema.runtime));
        let vanished = vanished::expand(package, &schema);
        quote!(#items #hint #vanished)
    })
}

/// An item with other mistakes is not compared: its shape is a guess.
fn unless_mistaken(ctxt: &Ctxt, expand: impl FnOnce() -> TokenStream) -> TokenStream {
    if ctxt.has_errors() { TokenStream::new() } else { expand() }
}

fn hint(runtime: &Runtime) -> TokenStream {
    let text = "there is no livestore.lock: `LIVESTORE_SCHEMA=accept cargo check` writes one, and \
                from then on a change that eventlogs cannot follow does not compile";
    outside_tests(quote!(#runtime::schema_lock! { note #text }))
}

/// Tokens that `cargo test` does not see.
fn outside_tests(tokens: impl ToTokens) -> TokenStream {
    quote!(#[cfg(not(test))] #tokens)
}
