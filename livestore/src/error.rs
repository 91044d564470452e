//! One error for those who do not care which.

use crate::event::{DecodeError, ParseSeqNumError};
use crate::eventlog::EventlogError;
use crate::store::{CloseError, CommitError, HistoryError, OpenError};
use crate::table::QueryError;
use crate::value::{ParseTimestampError, ValueError};

/// A result whose error is, unless said otherwise, any error of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of this crate: each operation has a narrower one that becomes it with `?`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Opening a store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Committing events.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Querying.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Reading or writing the eventlog.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// Looking at the past.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Closing a store.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// Decoding an event.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Encoding or decoding a value.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Reading a time.
    #[error(transparent)]
    Timestamp(#[from] ParseTimestampError),
    /// Reading a sequence number.
    #[error(transparent)]
    SeqNum(#[from] ParseSeqNumError),
}

/// The error with its sources, for where only text is kept.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| {
        let source = source.to_string();
        if text.contains(&source) { text } else { format!("{text}: {source}") }
    })
}
