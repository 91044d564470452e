//! What generated code names. Nobody else should.

pub use core::result::Result;

pub use serde::Serialize;
pub use serde::de::DeserializeOwned;

pub use livestore_macros::schema_lock;

pub use crate::event::{Args, ArgsField, ArgsWriter, DecodeError, EncodeError, Event, EventDef};
pub use crate::event::{UpcastInto, Upcaster, upcaster};
pub use crate::schema::{
    Batch, Commit, Document, DocumentDef, DocumentKey, EncodeBatchError, EventSet, HasDocument,
    Listed, Materialize, Schema, SchemaDef, assert_recorded_event, assert_unique_events,
    assert_unique_tables,
};
pub use crate::table::{
    Column, ColumnDef, ForeignKeyDef, IndexDef, MaterializeError, OnDelete, Projection, Row,
    RowError, RowReader, RowWriter, SelectList, Table, TableDef, Writer, count, default_value,
    reference,
};
pub use crate::value::{ColumnType, Operand, Storage, Value, ValueError};
