//! What a materializer may not use: everything but the event and the state.

use std::cell::Cell;

use crate::edge::primitives::thread_local;

/// Something that a materializer used and must not: a replay of the event would find it changed, and
/// make a different state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Impurity {
    /// It called [`now`](crate::now).
    #[error("called `now()`, which returns another time in a replay; put the time into the event")]
    Clock,
    /// It called [`new_id`](crate::new_id) or
    /// [`between_jittered`](crate::fractional_index::between_jittered).
    #[error(
        "called `new_id()` or `between_jittered()`, which return another id or key in a replay; put what \
         they return into the event"
    )]
    Randomness,
    /// It used a store, or opened one.
    #[error(
        "used a store; read and write through `state`, the argument of `materialize`, \
         and put everything else into the event"
    )]
    Store,
    /// It read or set a live query, a signal or a computed.
    #[error("used a live value; query `state`, or put the value into the event")]
    LiveValue,
}

/// Whether this thread runs a materializer, and what that has used.
#[derive(Debug, Clone, Copy)]
enum Materializer {
    None,
    Pure,
    Impure(Impurity),
}

thread_local! {
    static RUNNING: Cell<Materializer> = const { Cell::new(Materializer::None) };
}

/// Runs a materializer. Also returns the first impurity that it used.
pub(crate) fn materialize<R>(run: impl FnOnce() -> R) -> (R, Option<Impurity>) {
    /// Also ends it when `run` panics.
    struct EndOnDrop(Materializer);
    impl Drop for EndOnDrop {
        fn drop(&mut self) {
            RUNNING.with(|running| running.set(self.0));
        }
    }
    let _end = EndOnDrop(RUNNING.with(|running| running.replace(Materializer::Pure)));
    let result = run();
    match RUNNING.with(Cell::get) {
        Materializer::Impure(impurity) => (result, Some(impurity)),
        Materializer::None | Materializer::Pure => (result, None),
    }
}

/// Called by what a materializer must not use. Returns whether a materializer is running: its event
/// fails then, whatever the materializer does next.
pub(crate) fn is_impure(impurity: Impurity) -> bool {
    RUNNING.with(|running| match running.get() {
        Materializer::None => false,
        Materializer::Pure => {
            running.set(Materializer::Impure(impurity));
            true
        }
        Materializer::Impure(_) => true,
    })
}
