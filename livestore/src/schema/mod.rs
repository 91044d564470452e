//! Schemas: which tables, client documents and events an app is made of.
//!
//! `schema!` ties them together in one type, `App`. It makes the names unique while compiling,
//! gives [`Commit<App>`] to exactly the listed events, and knows how to materialize each event by
//! its wire name.

mod commit;
mod def;
mod document;
mod materialize;
mod unique;

pub use commit::{Batch, Commit, EncodeBatchError};
#[doc(hidden)]
pub use def::Listed;
pub use def::{EventSet, SchemaDef, SchemaError};
pub use document::{Document, DocumentDef, DocumentKey, GetDocument, HasDocument};
pub use materialize::Materialize;
pub use unique::{assert_recorded_event, assert_unique_events, assert_unique_tables};

pub(crate) use commit::Entry;

/// An app's tables, client documents and events. `schema!` makes one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema",
    note = "declare one with `livestore::schema! {{ pub App {{ tables: […], events: […] }} }}`"
)]
pub trait Schema: 'static {
    /// The schema's name.
    const NAME: &'static str;

    /// What it is made of.
    fn def() -> &'static SchemaDef;
}

/// Stands in for the definition of a schema that lists a type which is no table: that is an error
/// already, and this keeps it from becoming more.
#[doc(hidden)]
pub trait Undeclared: Sized {
    /// The definition, which is never asked for.
    fn __livestore_def() -> &'static SchemaDef {
        static NONE: SchemaDef = SchemaDef::new("", &[], &[], &[]);
        &NONE
    }
}

impl<S: Schema> Undeclared for S {}
