//! Everything an app usually needs: `use livestore::prelude::*;`.

pub use std::ops::Not as _;

// The traits; the derives of the same name are below.
pub use serde::de::Deserialize;
pub use serde::ser::Serialize;

pub use crate::event::{EncodedEvent, SeqNum};
pub use crate::eventlog::Durability;
pub use crate::live::{
    Computed, Diff, List, LiveQuery, Reactive, Signal, Subscription, computed, signal,
};
pub use crate::schema::{
    Commit, Document, Execute, ExecuteContext, Materialize, QueryIn, Schema, Undo,
};
pub use crate::state::UnknownEvents;
pub use crate::store::{CommitError, ExecuteError, OpenError, Store, UndoError};
pub use crate::table::{
    Arrange as _, Assign as _, Choose as _, Compare as _, CompareAny as _, Condition, Group as _,
    Joins as _, Link as _, MaterializeError, Maybe, Narrow as _, Query, QueryError, Reader, Row,
    Search as _, Table, Widen as _, Writer, all_of, any_of, count, raw,
};
pub use crate::value::{ColumnType, Json, Timestamp};
pub use crate::{alias, new_id, now, schema};
pub use livestore_macros::{
    ColumnType, Command, Deserialize, Event, Row, Serialize, Shape, client_document, sql, table,
};
