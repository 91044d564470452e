//! Schemas: which tables, client documents and events an app is made of.
//!
//! `schema!` ties them together in one type, `App`. It makes the names unique while compiling,
//! gives [`Commit<App>`] to exactly the listed events, and knows how to materialize each event by
//! its wire name.

mod command;
mod commit;
mod def;
mod document;
mod materialize;
mod query;
mod undo;
mod unique;

// What an app names in its signatures, or calls.
pub use command::{Command, Execute, ExecuteContext, ExecuteIn};
pub use commit::{Commit, EncodeBatchError};
pub use def::{SchemaDef, SchemaError};
pub use document::{Document, GetDocument, HasDocument};
pub use materialize::Materialize;
pub use query::{HasTable, QueryIn};
pub use undo::{Undo, UndoIn};

// What generated code needs: no app names it.
#[doc(hidden)]
pub use command::{CommandArgs, CommandDef, CommandJson, command_json};
#[doc(hidden)]
pub use commit::Batch;
#[doc(hidden)]
pub use def::{EventSet, Listed};
#[doc(hidden)]
pub use document::{ChangedFields, DocumentDef, DocumentKey};
#[doc(hidden)]
pub use query::{DocumentIn, TablesIn};
#[doc(hidden)]
pub use undo::UndoDef;
#[doc(hidden)]
pub use unique::{
    assert_recorded_event, assert_table_keys, assert_unique_commands, assert_unique_events,
    assert_unique_tables,
};

pub(crate) use command::CommandFailure;
pub(crate) use commit::BatchEntry;

/// An app's tables, client documents, events and commands. `schema!` makes one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema",
    note = "declare one with `livestore::schema! {{ pub App {{ tables: […], events: […] }} }}`"
)]
pub trait Schema: 'static {
    /// The schema's name.
    const NAME: &'static str;

    /// Returns the schema's definition.
    fn def() -> &'static SchemaDef;
}

/// Stands in for the definition of a schema that lists a type which is no table: that is an error
/// already, and this keeps it from becoming more.
#[doc(hidden)]
pub trait Undeclared: Sized {
    /// Returns an empty definition, which is never used.
    fn __livestore_def() -> &'static SchemaDef {
        static NONE: SchemaDef = SchemaDef::new("", &[], &[], &[]);
        &NONE
    }
}

impl<S: Schema> Undeclared for S {}
