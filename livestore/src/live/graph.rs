//! The graph of values that change: live queries, signals and computeds.
//!
//! Values are *pulled*: a computed is brought up to date when somebody reads it, by comparing the
//! versions of its inputs to those that it read last time. Notifications are *pushed*, by
//! [`propagation`](super::propagation). No lock is held while a user's code runs.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;

use super::inspect::NodeReport;
use super::observers::Observers;
use crate::table::QueryError;

/// A live query, a signal or a computed.
pub(crate) trait GraphNode: Send + Sync {
    fn observers(&self) -> &Observers;

    /// Brings the value up to date.
    fn update(&self) -> Result<(), ComputeError> {
        Ok(())
    }

    /// The reason why the value is not up to date, if a live query fails.
    fn error(&self) -> Option<Arc<QueryError>> {
        None
    }

    /// The nodes that the value was made from.
    fn inputs(&self) -> Vec<Arc<dyn GraphNode>> {
        Vec::new()
    }

    fn report(&self) -> NodeReport;
}

/// A node whose value is a `V`.
pub(crate) trait ValueNode<V>: GraphNode {
    /// Returns the version and the value.
    fn read(&self) -> Result<(u64, Arc<V>), ComputeError>;
}

/// The reason why a computed has no value.
pub(crate) enum ComputeError {
    /// It reads itself, by way of these computeds.
    Cycle(String),
    /// Its function, or that of a computed that it reads, panicked.
    Panic(Box<dyn Any + Send>),
}

impl ComputeError {
    /// Panics in the thread that reads the value.
    #[expect(clippy::panic, reason = "a cycle has no value; waiting for one would be forever")]
    pub(crate) fn raise(self) -> ! {
        match self {
            Self::Cycle(_) => panic!("{self}"),
            Self::Panic(panic) => resume_unwind(panic),
        }
    }
}

impl fmt::Display for ComputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle(path) => write!(f, "a computed reads itself: {path}"),
            Self::Panic(panic) => match panic.downcast_ref::<String>() {
                Some(message) => write!(f, "a computed panicked: {message}"),
                None => f.write_str("a computed panicked"),
            },
        }
    }
}
