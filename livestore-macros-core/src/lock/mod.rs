//! The schema lock: what a package declares is compared with its `livestore.lock` while it compiles.
//!
//! `shapes` turns the intermediate form of a macro into items of the lock. `check` compares them with
//! what the `package` has recorded, and reports differences at the field they are about; in accept mode
//! it has `accept` write them down instead. `removed_events` looks at a schema as a whole, since an
//! event that no longer exists has no token to point at.
//!
//! The code that comes out stands beside the macro's own, under `#[cfg(not(test))]`: items of a crate's
//! unit tests are not part of its schema.

mod accept;
mod check;
mod messages;
mod package;
mod removed_events;
pub(crate) mod shapes;

pub use accept::effect;
pub use package::Package;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::ctxt::Ctxt;
use crate::parse::client_document::ClientDocument;
use crate::parse::event::EventItem;
use crate::parse::nested::Nested;
use crate::parse::schema::SchemaItem;
use crate::parse::table::TableItem;
use crate::runtime::Runtime;

/// Compares the events of a `#[derive(Event)]`.
pub(crate) fn event(package: Option<&Package>, ctxt: &Ctxt, event: &EventItem) -> TokenStream {
    compare(package, ctxt, |package| {
        check::expand(package, &event.runtime, &shapes::of_events(event))
    })
}

/// Compares the type of a `#[derive(Shape)]`.
pub(crate) fn shape(package: Option<&Package>, ctxt: &Ctxt, nested: &Nested) -> TokenStream {
    compare(package, ctxt, |package| {
        check::expand(package, &nested.runtime, &[shapes::of_nested(nested)])
    })
}

/// Compares the table of a `#[table]`.
pub(crate) fn table(package: Option<&Package>, ctxt: &Ctxt, table: &TableItem) -> TokenStream {
    compare(package, ctxt, |package| {
        check::expand(package, &table.runtime, &[shapes::of_table(table)])
    })
}

/// Compares the event that sets a `#[client_document]`.
pub(crate) fn client_document(
    package: Option<&Package>,
    ctxt: &Ctxt,
    document: &ClientDocument,
) -> TokenStream {
    compare(package, ctxt, |package| {
        check::expand(package, &document.runtime, &[shapes::of_document(document)])
    })
}

/// Compares a `schema!`, and looks for events that it no longer has.
pub(crate) fn schema(package: Option<&Package>, ctxt: &Ctxt, schema: &SchemaItem) -> TokenStream {
    compare(package, ctxt, |package| {
        let items = check::expand(package, &schema.runtime, &[shapes::of_schema(schema)]);
        let hint = package.lacks_lock().then(|| no_lock_note(package, &schema.runtime));
        let removed = removed_events::expand(package, schema);
        quote!(#items #hint #removed)
    })
}

/// An item with other mistakes is not compared, since its shape is a guess.
fn compare(
    package: Option<&Package>,
    ctxt: &Ctxt,
    expand: impl FnOnce(&Package) -> TokenStream,
) -> TokenStream {
    package.filter(|_| !ctxt.has_errors()).map(expand).unwrap_or_default()
}

fn no_lock_note(package: &Package, runtime: &Runtime) -> TokenStream {
    let text = messages::no_lock_yet(&package.name);
    outside_tests(quote!(#runtime::schema_lock! { note #text }))
}

/// Wraps tokens so that `cargo test` does not see them.
fn outside_tests(tokens: impl ToTokens) -> TokenStream {
    quote!(#[cfg(not(test))] #tokens)
}
