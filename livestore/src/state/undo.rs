//! What undoes an event, in a state.

use super::execute::CommandFault;
use super::{MAX_INSTRUCTIONS, MAX_TIME, State};
use crate::ambient::Impurity;
use crate::event::{EventText, Hash};
use crate::table::Reader;

/// An event whose `undo` failed.
#[derive(Debug)]
pub(crate) struct UndoFailure {
    pub(crate) event: &'static str,
    pub(crate) reason: String,
}

/// What events would overwrite.
#[derive(Debug)]
pub(crate) struct Overwritten {
    pub(crate) hash: i64,
    /// What would undo the first of the events.
    pub(crate) first: Vec<EventText>,
}

impl UndoFailure {
    /// What would be overwritten has changed.
    pub(crate) fn changed() -> Self {
        Self { event: "", reason: "what it would overwrite has changed".to_owned() }
    }
}

impl State {
    /// Returns the events that undo this one, if it is applied now. `None` if its type cannot be undone.
    pub(crate) fn inverse_of(
        &self,
        name: &str,
        args: &str,
        window_id: &str,
    ) -> Result<Option<Vec<EventText>>, UndoFailure> {
        let Some((undo, def)) = self.schema.undo(name) else { return Ok(None) };
        let run = |before: &Reader<'_>| undo.undo(name, args, before);
        let failed = |reason| UndoFailure { event: def.name(), reason };
        let decided = self
            .run_command(def.name(), window_id, run)
            .map_err(|fault| failed(describe(&fault)))?;
        let entries = decided.map_err(failed)?;
        let texts = entries
            .into_iter()
            .map(|entry| EventText { name: entry.def.name().to_owned(), args: entry.args });
        Ok(Some(texts.collect()))
    }

    /// What would be overwritten if these events were applied: what would undo each, in this state.
    pub(crate) fn overwrites(
        &self,
        events: &[EventText],
        window_id: &str,
    ) -> Result<Overwritten, UndoFailure> {
        let (mut hash, mut first) = (Hash::default(), None);
        for EventText { name, args } in events {
            hash.add(name);
            let inverse = self.inverse_of(name, args, window_id)?.unwrap_or_default();
            for event in &inverse {
                hash.add(&event.name);
                hash.add(&event.args);
            }
            first.get_or_insert(inverse);
        }
        Ok(Overwritten { hash: hash.digest(), first: first.unwrap_or_default() })
    }
}

fn describe(fault: &CommandFault) -> String {
    match fault {
        CommandFault::Panicked { message } => format!("it panicked: {message}"),
        CommandFault::Impure(impurity) => format!("it {}", of_undo(*impurity)),
        CommandFault::TooLong => format!(
            "its queries took more than {MAX_INSTRUCTIONS} instructions of SQLite, or {MAX_TIME:?}; \
             give their conditions an index"
        ),
    }
}

/// What an `undo` did that it must not, and what to do instead.
fn of_undo(impurity: Impurity) -> &'static str {
    match impurity {
        Impurity::Clock => {
            "called `now()`, which returns another time when it is asked again; \
             take the time from the event or the state"
        }
        Impurity::Randomness => {
            "called `new_id()`, which returns another id when it is asked again; \
             take the id from the event or the state"
        }
        Impurity::Store => "used a store; query `before`, the argument of `undo`, instead",
        Impurity::LiveValue => "used a live value; query `before`, the argument of `undo`, instead",
    }
}
