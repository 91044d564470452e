//! From an event to state.

use crate::event::Event;
use crate::table::{MaterializeError, Writer};

/// A change that an event makes to the state.
///
/// A materializer gets the event and the state and nothing else, so that the same events make the
/// same state on every client, today and when the log is replayed in years. Match on all variants
/// without a `_` arm, and a forgotten event does not compile.
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// struct Counter { #[column(primary_key)] name: String, value: i64 }
///
/// #[derive(Event)]
/// enum CounterEvent {
///     #[event(name = "v1.CounterAdded")]
///     Added { name: String },
///     #[event(name = "v1.CounterIncremented")]
///     Incremented { name: String, by: i64 },
/// }
///
/// impl Materialize for CounterEvent {
///     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
///         match self {
///             Self::Added { name } => state.insert(&Counter { name: name.clone(), value: 0 }),
///             Self::Incremented { name, by } => state.run(
///                 Counter::update().add(Counter::VALUE, *by).filter(Counter::NAME.eq(name)),
///             ),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no materializer",
    label = "`impl Materialize for {Self}` is missing",
    note = "say how the event changes the state; an event that changes nothing returns `Ok(())`"
)]
pub trait Materialize: Event {
    /// Raise this when you change what the materializer does: state that the old one made is then
    /// rebuilt from the eventlog.
    ///
    /// It is raised by hand, as no tool can know. A macro does not see the functions that a materializer
    /// calls, and a hash of the whole program would rebuild every state with every release. But a debug
    /// build, which is where a materializer changes, compares a snapshot with a replay when it opens a
    /// store of up to 1,000 events, and says which event they part at;
    /// [`verify_replay`](crate::Store::verify_replay) does so for every store.
    const VERSION: u32 = 0;

    /// Applies the event.
    ///
    /// # Errors
    /// When the event cannot be applied: the commit fails, or, if the event is in the log already,
    /// it is quarantined.
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError>;
}
