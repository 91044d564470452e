use livestore::SqliteError;
use livestore::replica::ReplicaError;
use livestore::table::QueryError;

use crate::store::StoreError;

/// The reason why a store's state could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The events cannot be read; [`StoreError::Unknown`] if there is no such store.
    #[error(transparent)]
    Events(#[from] StoreError),
    /// The state cannot be made of the events.
    #[error("the state of the store cannot be made")]
    State(#[from] ReplicaError),
    /// The query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// SQLite refused the SQL.
    #[error(transparent)]
    Sql(#[from] SqliteError),
    /// Others use the state, or as many states as may be used at a time. Try again.
    #[error("the state of the store is in use: try again")]
    Busy,
    /// The function that was to read the state panicked.
    #[error("reading the state panicked")]
    Panicked,
}
