//! The errors of a store: one enum per operation, and [`Error`], into which they all widen.

mod open;

use std::fmt;

pub use open::{OpenError, SchemaDifference};

use super::{ActivityError, LoadHistoryError, UndoError};
use crate::error::{ErrorChain, Unavailable, unavailable_becomes};
use crate::event::{DecodeError, EncodeError, ParseSeqNumError, SeqNum};
use crate::eventlog::EventlogError;
use crate::schema::{EncodeBatchError, SchemaError};
use crate::sqlite::{SqliteError, SqliteErrorKind};
use crate::state::{Divergence, QuarantineReason, StateError, UndoFailure};
use crate::sync::{MAX_BATCH_BYTES, MAX_DEPTH, MAX_EVENTS};
use crate::table::{MaterializeError, QueryError, RowError};
use crate::value::{ParseTimestampError, ValueError};

/// The beginning of both messages about waiting on the wrong thread.
const WOULD_BLOCK: &str = "the store cannot be waited for on this thread";

/// A result whose error is, unless said otherwise, any error of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of this crate: each operation has a narrower one, which `?` converts into this one.
///
/// `{:?}` prints the message and those of its causes in one line, as [`ErrorChain`] does, because that
/// is what Rust prints when `main` returns an error. `{:#?}` prints variants and fields.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// fn main() -> livestore::Result<()> {
/// # fn run() -> livestore::Result<()> {
///     let store = Store::<App>::builder("../todos").open()?;
/// #   Ok(()) }
/// # assert_eq!(
/// #     format!("Error: {:?}", run().unwrap_err()),
///     // Error: "../todos" is not a store id: it starts with a dot
/// #     "Error: \"../todos\" is not a store id: it starts with a dot",
/// # );
///     Ok(())
/// }
/// ```
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Events could not be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A commit is not confirmed.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// A conflict could not be resolved.
    #[error(transparent)]
    Conflict(#[from] ConflictError),
    /// Nothing was undone or redone.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store's state or status could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The eventlog could not be read or written.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state at an earlier event could not be made.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The events before an image could not be fetched.
    #[error(transparent)]
    LoadHistory(#[from] LoadHistoryError),
    /// The activity of rows could not be read.
    #[error(transparent)]
    Activity(#[from] ActivityError),
    /// A store did not close properly.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// A replay does not confirm the state.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// An event could not be applied to the state.
    #[error(transparent)]
    Materialize(#[from] MaterializeError),
    /// The schema cannot be turned into SQL.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// An event could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// An event could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A value does not fit its column or field.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A value could not be encoded or decoded.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A text is not a time.
    #[error(transparent)]
    Timestamp(#[from] ParseTimestampError),
    /// A text is not a sequence number.
    #[error(transparent)]
    SeqNum(#[from] ParseSeqNumError),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(&ErrorChain::new(self), f);
        }
        let (variant, error): (_, &dyn fmt::Debug) = match self {
            Self::Open(error) => ("Open", error),
            Self::Commit(error) => ("Commit", error),
            Self::Confirm(error) => ("Confirm", error),
            Self::Conflict(error) => ("Conflict", error),
            Self::Undo(error) => ("Undo", error),
            Self::Query(error) => ("Query", error),
            Self::Read(error) => ("Read", error),
            Self::Eventlog(error) => ("Eventlog", error),
            Self::History(error) => ("History", error),
            Self::LoadHistory(error) => ("LoadHistory", error),
            Self::Activity(error) => ("Activity", error),
            Self::Close(error) => ("Close", error),
            Self::Verify(error) => ("Verify", error),
            Self::Materialize(error) => ("Materialize", error),
            Self::Schema(error) => ("Schema", error),
            Self::Encode(error) => ("Encode", error),
            Self::Decode(error) => ("Decode", error),
            Self::Row(error) => ("Row", error),
            Self::Value(error) => ("Value", error),
            Self::Timestamp(error) => ("Timestamp", error),
            Self::SeqNum(error) => ("SeqNum", error),
        };
        f.debug_tuple(variant).field(error).finish()
    }
}

/// Why a commit failed. Nothing of it was logged and nothing changed, except where said.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// An event has no JSON form.
    #[error(transparent)]
    Encode(#[from] EncodeBatchError),
    /// A materializer failed.
    #[error("event {index} of the commit, {event}, cannot be applied")]
    Materialize {
        /// The event's position in the commit, from 0.
        index: usize,
        /// Its wire name.
        event: &'static str,
        /// The materializer's error.
        source: MaterializeError,
    },
    /// An event's [`undo`](crate::schema::Undo) failed, so nobody would know what undoes it.
    #[error("the `undo` of {event} failed: {reason}")]
    Undo {
        /// The event's wire name.
        event: &'static str,
        /// The reason.
        reason: String,
    },
    /// An event is larger than a sync backend accepts. Store large data elsewhere, and its address
    /// in the event.
    #[error(
        "event {index} of the commit, {event}, takes {bytes} bytes; \
         a sync backend accepts up to {MAX_BATCH_BYTES}"
    )]
    TooLarge {
        /// The event's position in the commit, from 0.
        index: usize,
        /// Its wire name.
        event: &'static str,
        /// The number of bytes it takes on the wire.
        bytes: usize,
    },
    /// The args of an event nest deeper than a sync backend accepts.
    #[error(
        "event {index} of the commit, {event}, has args that nest deeper than {MAX_DEPTH} levels, \
         which no sync backend accepts; give nested items ids, and list them side by side"
    )]
    TooDeep {
        /// The event's position in the commit, from 0.
        index: usize,
        /// Its wire name.
        event: &'static str,
    },
    /// The store has a sync backend, which accepts or rejects a commit as a whole, and this one is too
    /// large for it. Commit the events in several commits.
    #[error(
        "the commit has {events} synced events of {bytes} bytes; a sync backend accepts up to \
         {MAX_EVENTS} events and {MAX_BATCH_BYTES} bytes at once; split it into several commits"
    )]
    CommitTooLarge {
        /// The number of synced events.
        events: usize,
        /// The number of bytes that they take on the wire.
        bytes: usize,
    },
    /// The events could not be logged. If the disk failed and the process then ends, they may still
    /// be in the log: a failing disk does not say how much it has written.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state has no room for the events: it is as large as it may
    /// [become](crate::store::Builder::max_state_bytes), or there is no memory left.
    #[error(
        "the commit does not fit into the state in memory; \
         delete rows that are not needed, or store large data elsewhere"
    )]
    StateFull(#[source] SqliteError),
    /// The state in memory could not be written.
    #[error("the state cannot be written")]
    State(#[source] SqliteError),
    /// The events are logged, but could not be made part of the state, nor taken out of the log again.
    /// The store is closed; opening it again makes the state from the log.
    #[error(
        "the events are logged, but there is no memory for the state; free some and open the store again"
    )]
    StateLost(#[source] SqliteError),
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

/// Why a commit is not confirmed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// The sync backend refuses the commit for good. It is [quarantined](crate::Store::quarantined): no other
    /// client gets it, and its changes are undone here.
    #[error("the sync backend refuses the commit for good: {reason}")]
    Refused {
        /// The backend's reason.
        reason: String,
    },
    /// The events have their places in the backend's order, but cannot be applied behind the events that
    /// came first. They are [quarantined](crate::Store::quarantined), on every client.
    #[error("the commit cannot be applied behind the events that came first: {reason}")]
    Quarantined {
        /// The reason.
        reason: QuarantineReason,
    },
    /// The command of the commit failed when it was executed again: its events were withdrawn. It is a
    /// [conflict](crate::Store::conflicts) now.
    #[error("the command failed behind the events that came first: {reason}")]
    Withdrawn {
        /// The command's error, with all its causes.
        reason: String,
    },
    /// The session was without the one that has the log while commands were executed again, and cannot say what
    /// became of this commit. Nothing of it is lost.
    #[error(
        "nobody can say what became of the commit: commands decided again while the session was alone"
    )]
    Unknown,
    /// The store was closed first. The events stay in the log, and are pushed after the next opening.
    #[error("the store was closed before the commit was confirmed")]
    Closed,
    /// Waiting would never end, because it blocks the thread that syncs.
    #[error("{WOULD_BLOCK}: {reason}; use `confirmed().await`")]
    WouldBlock {
        /// Why it does.
        reason: String,
    },
    /// A materializer waited. It has no business with what becomes of its event.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
}

/// Why a conflict could not be resolved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConflictError {
    /// There is no such conflict, or not any more.
    #[error("there is no conflict \"{id}\" any more")]
    NoSuchConflict {
        /// The id.
        id: String,
    },
    /// The schema does not know the command, or cannot read its args.
    #[error("this version of the app cannot execute the command `{command}` of the conflict")]
    UnknownCommand {
        /// The command's name.
        command: String,
    },
    /// The command failed again.
    #[error("the command failed again: {error}")]
    Failed {
        /// Its error, with all causes.
        error: String,
    },
    /// Its events could not be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The log could not be written.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

/// Why a store's state or status could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// SQLite could not read the state in memory.
    #[error("the state cannot be read")]
    State(#[from] SqliteError),
    /// Waiting would never end, because it blocks the thread that syncs.
    #[error("{WOULD_BLOCK}: {reason}; use `synced().await`")]
    WouldBlock {
        /// Why it does.
        reason: String,
    },
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

/// Why the state as of an earlier event could not be made, or the state could not be rebuilt.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no such event.
    #[error("there is no event {seq}; the last one before it is {head}")]
    NoSuchEvent {
        /// The number asked for.
        seq: SeqNum,
        /// The last event before it.
        head: SeqNum,
    },
    /// The eventlog cannot be read.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The state cannot be made from the eventlog.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

/// Why a store's state was not confirmed by a replay of its events.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The state is not what a replay makes.
    #[error("{0}")]
    Diverged(Divergence),
    /// The events cannot be replayed.
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl From<Divergence> for VerifyError {
    fn from(divergence: Divergence) -> Self {
        Self::Diverged(divergence)
    }
}

/// Why a store did not close properly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The last commits could not be written. The store is closed all the same.
    #[error("the last commits could not be written")]
    Unwritten(#[from] EventlogError),
    /// A materializer closed the store, which stays open.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// Code that the store calls while it works closed it; it stays open.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

impl CommitError {
    /// The events could not be applied because of the state, not because of themselves.
    pub(super) fn of_state(error: SqliteError) -> Self {
        match error.kind() {
            SqliteErrorKind::Full => Self::StateFull(error),
            _ => Self::State(error),
        }
    }
}

impl From<UndoFailure> for CommitError {
    fn from(UndoFailure { event, reason }: UndoFailure) -> Self {
        Self::Undo { event, reason }
    }
}

unavailable_becomes!(CommitError ReadError HistoryError ConflictError);
