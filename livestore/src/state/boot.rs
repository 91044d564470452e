//! Settings for making a state, and reports of the progress.

use std::fmt;

use crate::event::EncodedEvent;

/// The progress of opening a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Boot {
    /// The current stage.
    pub stage: BootStage,
    /// The number of events, or bytes, that are done.
    pub done: u64,
    /// The total number of them.
    pub total: u64,
}

/// A stage of opening a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BootStage {
    /// The snapshot is read; counts bytes.
    Snapshot,
    /// Events are replayed; counts events.
    Replay,
    /// The store is open.
    Done,
}

/// A policy for events that the schema does not know, written by a newer version of the app.
///
/// With every policy, the event stays in the log, and is materialized once the schema knows it. The
/// other events of its commit are applied without it.
#[derive(Default)]
#[non_exhaustive]
pub enum UnknownEvents {
    /// Skip them, with a warning through `tracing`.
    #[default]
    Warn,
    /// Skip them.
    Ignore,
    /// Do not open the store. In an open one, an event that comes by sync is skipped.
    Fail,
    /// Skip them, and call this function with each. The store is at work meanwhile: what the function
    /// asks of it fails with `Reentrant`.
    Call(Box<dyn Fn(&EncodedEvent) + Send + Sync>),
}

impl fmt::Debug for UnknownEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warn => "Warn",
            Self::Ignore => "Ignore",
            Self::Fail => "Fail",
            Self::Call(_) => "Call",
        })
    }
}
