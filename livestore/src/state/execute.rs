//! Executing commands on the state: they only read it, and cannot do without end.

use std::time::Duration;

use super::{ApplyError, State};
use crate::ambient::{Impurity, materialize};
use crate::edge::catch_panic;
use crate::error::{ErrorChain, panic_message};
use crate::event::EncodedEvent;
use crate::schema::{BatchEntry, CommandFailure};
use crate::sqlite::{Limits, SqliteError};
use crate::table::Reader;

/// The most instructions of SQLite that the queries of one execution take: seconds of work.
pub(crate) const MAX_INSTRUCTIONS: u64 = 50_000_000;

/// The time after which an execution cannot query any more. Whoever takes that long does other things than asking
/// SQLite, and the store waits meanwhile.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(10);

/// What kept a command from deciding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandFault {
    #[error("the command panicked: {message}")]
    Panicked { message: String },
    #[error("the command {}", of_command(.0))]
    Impure(Impurity),
    #[error(
        "the command's queries took more than {MAX_INSTRUCTIONS} instructions of SQLite, or {MAX_TIME:?} with all \
         that it did between them; give their conditions an index, or see whether it ends at all"
    )]
    TooLong,
}

/// What a command did that it must not, and what to do instead.
pub(crate) fn of_command(impurity: &Impurity) -> &'static str {
    match impurity {
        Impurity::Clock => {
            "called `now()`, which returns another time when it is executed again; \
             put the time into its args"
        }
        Impurity::Randomness => {
            "called `new_id()`, which returns another id when it is executed again; \
             use `context.id()`, or put the id into its args"
        }
        Impurity::Store => "used a store; query `state`, the argument of `execute`, instead",
        Impurity::LiveValue => "used a live value; query `state`, or put the value into its args",
    }
}

/// What a command that stands beside a commit has decided now.
#[derive(Debug)]
pub(crate) enum Again {
    /// The commit is no command's, or not one's that the schema can read: its events stand for it.
    Events,
    /// The same events.
    Same,
    /// These events.
    Other(Vec<BatchEntry>),
    /// It failed, with this error.
    Failed(String),
}

impl State {
    /// Runs a command's `execute`. It is an error if it used more than the state.
    pub(crate) fn run_command<R>(
        &self,
        name: &'static str,
        window_id: &str,
        run: impl FnOnce(&Reader<'_>) -> R,
    ) -> Result<R, CommandFault> {
        let limits = Limits { instructions: MAX_INSTRUCTIONS, time: MAX_TIME };
        self.run_command_within(limits, name, window_id, run)
    }

    fn run_command_within<R>(
        &self,
        limits: Limits,
        name: &'static str,
        window_id: &str,
        run: impl FnOnce(&Reader<'_>) -> R,
    ) -> Result<R, CommandFault> {
        let reader = self.reader(window_id);
        let ((result, impurity), is_exhausted) =
            self.db.with_budget(name, limits, || materialize(|| catch_panic(|| run(&reader))));
        match (result, impurity) {
            (_, Some(impurity)) => Err(CommandFault::Impure(impurity)),
            _ if is_exhausted => Err(CommandFault::TooLong),
            (Err(panic), _) => Err(CommandFault::Panicked { message: panic_message(&*panic) }),
            (Ok(result), _) => Ok(result),
        }
    }

    /// Executes the command of a commit again, on this state.
    pub(crate) fn execute_again(&self, commit: &[EncodedEvent]) -> Again {
        let Some((first, command)) =
            commit.first().and_then(|first| Some((first, first.command.as_ref()?)))
        else {
            return Again::Events;
        };
        let Some(def) = self.schema.command(&command.name) else { return Again::Events };
        let window_id = first.window_id();
        let run = |reader: &Reader<'_>| def.execute_again(command, reader, window_id);
        match self.run_command(def.name(), window_id, run) {
            Ok(Ok(entries)) if is_same(&entries, commit) => Again::Same,
            Ok(Ok(entries)) => Again::Other(entries),
            Ok(Err(CommandFailure::Unreadable)) => {
                tracing::warn!(
                    command = command.name,
                    "the command cannot be read any more: its events stand for it"
                );
                Again::Events
            }
            Ok(Err(CommandFailure::Failed(error))) => Again::Failed(error),
            Err(fault) => Again::Failed(fault.to_string()),
        }
    }
}

impl State {
    /// Whether the events could be applied, all of them; if not, why. Nothing is changed.
    pub(crate) fn would_apply(
        &self,
        events: &[EncodedEvent],
    ) -> Result<Result<(), String>, SqliteError> {
        let savepoint = self.savepoint()?;
        let mut writer = self.writer();
        let mut applied = Ok(());
        for event in events {
            // An event that is not known does not stand in the way.
            let Some(set) = self.schema.event_set(&event.name) else { continue };
            match self.apply(event, set, &mut writer) {
                Ok(()) => {}
                Err(ApplyError::State(error)) => return Err(error),
                Err(ApplyError::Event(error)) => {
                    let error = ErrorChain::new(&error).to_string();
                    applied = Err(format!("its event {} cannot be applied: {error}", event.name));
                    break;
                }
            }
        }
        drop(writer);
        savepoint.rollback()?;
        Ok(applied)
    }
}

fn is_same(entries: &[BatchEntry], commit: &[EncodedEvent]) -> bool {
    entries.len() == commit.len()
        && entries
            .iter()
            .zip(commit)
            .all(|(entry, event)| entry.def.name() == event.name && entry.args == event.args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SchemaDef;
    use crate::table::raw;

    fn look(reader: &Reader<'_>) -> Result<(i64,), crate::table::QueryError> {
        reader.query(raw::<(i64,)>("SELECT 1", ()).one())
    }

    fn run<R>(limits: Limits, run: impl FnOnce(&Reader<'_>) -> R) -> Result<R, CommandFault> {
        let state = State::empty(SchemaDef::untyped()).unwrap();
        let result = state.run_command_within(limits, "Test", "window", run);
        assert!(look(&state.reader("window")).is_ok(), "what comes then has no limits");
        result
    }

    /// Does nearly nothing in SQLite, and takes its time between the queries.
    #[test]
    fn a_loop_that_asks_now_and_then_ends_by_the_clock() {
        let limits = Limits { instructions: u64::MAX, time: Duration::from_millis(20) };
        let mut asked = 0;
        let result = run(limits, |reader| {
            while look(reader).is_ok() {
                asked += 1;
                crate::edge::pause(Duration::from_millis(1));
            }
            assert!(look(reader).is_err(), "once too late, always too late");
        });
        assert_eq!(result, Err(CommandFault::TooLong));
        assert!((16..=64).contains(&asked), "{asked}");
    }

    /// Each query takes few instructions.
    #[test]
    fn a_loop_of_short_queries_ends_by_their_number() {
        let limits = Limits { instructions: 200_000, time: Duration::MAX };
        let result = run(limits, |reader| while look(reader).is_ok() {});
        assert_eq!(result, Err(CommandFault::TooLong));
    }

    #[test]
    fn few_queries_ask_no_clock() {
        let limits = Limits { instructions: 100_000, time: Duration::ZERO };
        assert_eq!(run(limits, |reader| (0..15).all(|_| look(reader).is_ok())), Ok(true));
    }
}
