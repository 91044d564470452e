//! The paths that generated code uses. They are not part of the public API.

pub use core::result::Result;

pub use livestore_macros::{
    ClientDocumentAfterCfg, TableAfterCfg, schema_macro, schema_part, sql_in_schema,
};
pub use serde;
pub use serde::Serialize;
pub use serde::de::DeserializeOwned;

pub use livestore_macros::schema_lock;

pub use crate::event::upcaster;
pub use crate::event::{
    Args, ArgsField, ArgsWriter, DecodeError, EncodeError, Event, EventDef, MaybeLossless, Same,
    SameByValue, SameJson, Subject,
};
pub use crate::schema::{
    Batch, ChangedFields, Command, CommandDef, CommandJson, Commit, Document, DocumentDef,
    DocumentKey, EncodeBatchError, EventSet, ExecuteIn, HasDocument, HasTable, Listed, Materialize,
    Schema, SchemaDef, Undeclared, UndoDef, UndoIn, assert_recorded_event, assert_table_keys,
    assert_unique_commands, assert_unique_events, assert_unique_tables, command_json,
};
pub use crate::table::checked::{self as sql, ColumnAt, TableAt};
pub use crate::table::{
    AliasOf, Column, ColumnDef, ForeignKeyDef, IndexDef, MaterializeError, OnDelete, Projection,
    Refer, Relation, Row, RowError, RowReader, RowWriter, Searchable, SelectList, Table, TableDef,
    TableKeys, Writer, assert_nullability, assert_searched, assert_unique_target, count, table_of,
};
pub use crate::value::{ColumnType, Storage, Value, ValueError};

pub use crate::ambient::{TestValues, change_test_values};

/// Stands in for a table of a schema that has no macro of its own, as its type is not a path. For
/// `sql!` there is no such table.
#[doc(hidden)]
#[macro_export]
macro_rules! __livestore_unknown_table {
    ([[$($next:tt)*] $($rest:tt)*] $($state:tt)*) => {
        $($next)*! { [$($rest)*] $($state)* {} }
    };
}

pub use __livestore_unknown_table as unknown_table;

/// What `livestore-web` builds on: sessions without files, and the browser.
pub mod web {
    #[cfg(all(target_family = "wasm", not(simulation)))]
    pub use crate::edge::web::{
        Disk, Handle, IfHeld, OpenMode, WebLock, fs, install_disk, request_lock,
    };
    #[cfg(target_family = "wasm")]
    pub use crate::store::web::open_in_worker;
    pub use crate::store::web::{
        History, Journal, Recovery, find_leader, folder_of, recover, store_id, without_files,
    };
}
