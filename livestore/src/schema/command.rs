//! Commands: decisions that are made again when others' events come first.
//!
//! An event is a fact: once it is committed, it is applied, whatever comes before it. That makes clients agree,
//! but what they agree on can be wrong: two people assign the last seat offline, and both events apply. A
//! command is the decision behind the events: it reads the state, and returns the events that follow, or an
//! error. As long as these are pending, the command stands beside them in the log. When others' events come
//! first, it is executed again on the state that they make, and what it decides now takes the place of what it
//! decided before.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use livestore_protocol::{ID_LENGTH, id_from_random};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::{Batch, BatchEntry, Commit, Schema};
use crate::error::ErrorChain;
use crate::event::PendingCommand;
use crate::table::Reader;

/// A command: a type whose values can be stored under a name. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    label = "is not a command",
    note = "derive it: `#[derive(Command, Serialize, Deserialize)]`"
)]
pub trait Command: Sized {
    /// The name under which a pending command stands in the log. It stays on its client.
    const NAME: &'static str;

    /// How it is written, and read.
    #[doc(hidden)]
    const JSON: CommandJson<Self>;
}

/// The args of a command, which JSON can carry.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the command `{Self}` has no JSON form",
    label = "a command is stored while its events are pending",
    note = "derive both traits of serde, too: `#[derive(Command, Serialize, Deserialize)]`"
)]
pub trait CommandArgs: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<C: Serialize + DeserializeOwned + 'static> CommandArgs for C {}

/// How the args of a command are written as JSON, and read. For generated code: were serde's traits bounds of
/// [`Command`], a command without them would be an error wherever it is named.
#[doc(hidden)]
#[derive(Debug)]
pub struct CommandJson<C> {
    pub(crate) write: fn(&C) -> serde_json::Result<String>,
    pub(crate) read: fn(&str) -> serde_json::Result<C>,
    /// Whether this is what `write` returns.
    pub(crate) is_written_as: fn(&C, &str) -> bool,
}

/// The JSON form of a command. For generated code.
#[doc(hidden)]
pub const fn command_json<C: CommandArgs>() -> CommandJson<C> {
    CommandJson {
        write: |command| serde_json::to_string(command),
        read: |json| serde_json::from_str(json),
        is_written_as: |command, json| {
            let mut expected = Expected(json.as_bytes());
            serde_json::to_writer(&mut expected, command).is_ok() && expected.0.is_empty()
        },
    }
}

/// What is still to be written. Anything else is an error.
struct Expected<'a>(&'a [u8]);

impl io::Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<C> CommandJson<C> {
    /// What stands for the JSON form of a type that cannot be a command, which is an error. For generated code.
    #[doc(hidden)]
    pub const fn of_no_command() -> Self {
        Self {
            write: |_| Err(no_command()),
            read: |_| Err(no_command()),
            is_written_as: |_, _| false,
        }
    }
}

fn no_command() -> serde_json::Error {
    serde::de::Error::custom("this type cannot be a command")
}

/// What a command does: it reads the state, and decides which events follow.
///
/// [`Store::execute`](crate::Store::execute) executes it and commits the events. It is executed again, perhaps
/// in another process, when others' events come before its pending ones; so it has only the state, its args
/// and the [context](ExecuteContext) to decide by: no clock, no randomness, no store.
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// #[derive(Debug)]
/// pub struct Seat { #[column(primary_key)] pub number: u32, pub guest: Option<String> }
///
/// #[derive(Event)]
/// #[event(name = "v1.SeatAssigned")]
/// pub struct SeatAssigned { number: u32, guest: String }
///
/// impl Materialize for SeatAssigned {
///     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
///         state.upsert(&Seat { number: self.number, guest: Some(self.guest.clone()) })
///     }
/// }
///
/// /// Assigns the first free seat of three.
/// #[derive(Command, Serialize, Deserialize)]
/// pub struct Assign { guest: String }
///
/// #[derive(Debug)]
/// pub enum NotAssigned { Full, Query(QueryError) }
/// # impl std::fmt::Display for NotAssigned {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         f.write_str("all seats are taken")
/// #     }
/// # }
/// # impl std::error::Error for NotAssigned {}
/// # impl From<QueryError> for NotAssigned {
/// #     fn from(error: QueryError) -> Self { Self::Query(error) }
/// # }
///
/// impl Execute for Assign {
///     type Events = SeatAssigned;
///     type Output = u32;
///     type Error = NotAssigned;
///
///     fn execute(
///         &self,
///         state: &Reader<'_>,
///         _: &ExecuteContext,
///     ) -> Result<(SeatAssigned, u32), NotAssigned> {
///         let taken = state.query(Seat::all().count())?;
///         let number = u32::try_from(taken).unwrap_or(u32::MAX);
///         if number == 3 {
///             return Err(NotAssigned::Full);
///         }
///         Ok((SeatAssigned { number, guest: self.guest.clone() }, number))
///     }
/// }
///
/// livestore::schema! { App { tables: [Seat], events: [SeatAssigned], commands: [Assign] } }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Store::<App>::builder("seats").open()?;
/// for guest in ["Ada", "Grace", "Edsger"] {
///     store.execute(Assign { guest: guest.into() })?;
/// }
/// let error = store.execute(Assign { guest: "Alan".into() }).unwrap_err();
/// assert_eq!(error.to_string(), "the command `Assign` failed");
/// assert!(matches!(error, ExecuteError::Command { source: NotAssigned::Full, .. }));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it does",
    label = "`impl Execute for {Self}` is missing",
    note = "derive `Command` for it, and write `impl Execute`: from the state to the events that follow"
)]
pub trait Execute {
    /// The events that follow from it: anything that can be committed, such as an event, an `Option` of one,
    /// or a `Vec`.
    type Events;
    /// What the caller of [`Store::execute`](crate::Store::execute) gets.
    type Output;
    /// Why the command cannot be done.
    type Error: std::error::Error + 'static;

    /// Decides. The events are committed as one unit; there may be none.
    ///
    /// The store waits for it. Once its queries have taken 50 million instructions of SQLite, seconds of work, or 10
    /// seconds with all that it does between them, each further query fails, the log says which command it is, and
    /// so does the error, [`TooLong`](crate::store::ExecuteError::TooLong). The clock is looked at now and then, not
    /// for the first queries. What nothing can stop is a loop in Rust that does not query at all, or goes on when a
    /// query fails: end it by what it knows, and return the errors of queries with `?`.
    ///
    /// # Errors
    /// When the command cannot be done in this state. The first time, the caller of
    /// [`Store::execute`](crate::Store::execute) gets the error, and nothing has happened. Later, the events
    /// of the earlier execution are withdrawn, and the command becomes a
    /// [conflict](crate::Store::conflicts).
    fn execute(
        &self,
        state: &Reader<'_>,
        context: &ExecuteContext,
    ) -> Result<(Self::Events, Self::Output), Self::Error>;
}

/// A command that a schema lists, and whose events it lists. For generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be executed on a store of `{S}`",
    label = "not a command of `{S}`",
    note = "list it in `schema!`, under `commands: […]`"
)]
pub trait ExecuteIn<S: Schema>: Command + Execute<Events: Commit<S>> {}

/// What a command knows besides the state and its args.
#[derive(Debug)]
pub struct ExecuteContext {
    command_id: Arc<str>,
    is_again: bool,
    ids: Cell<u64>,
}

impl ExecuteContext {
    pub(crate) fn new(command_id: &str, is_again: bool) -> Self {
        Self { command_id: command_id.into(), is_again, ids: Cell::new(0) }
    }

    /// Returns whether the command was executed before, and others' events came before its own.
    pub fn is_again(&self) -> bool {
        self.is_again
    }

    /// Returns a new id, as [`new_id`](crate::new_id) does. But the first call of every execution of this
    /// command returns the same id, and so does the second, and so on: a row keeps its id when the command is
    /// executed again.
    #[must_use]
    pub fn id(&self) -> String {
        let n = self.ids.get();
        self.ids.set(n.wrapping_add(1));
        let half = |part: u64| {
            xxh3_128_with_seed(self.command_id.as_bytes(), n.wrapping_mul(2) + part).to_le_bytes()
        };
        let mut bytes = [0; ID_LENGTH];
        for (byte, random) in bytes.iter_mut().zip(half(0).into_iter().chain(half(1))) {
            *byte = random;
        }
        id_from_random(bytes)
    }
}

/// A command of a schema.
#[derive(Debug, Clone, Copy)]
pub struct CommandDef {
    name: &'static str,
    execute: fn(&Stored<'_>) -> Result<Vec<BatchEntry>, CommandFailure>,
}

/// A command as it stands in a log, and the state to execute it on.
struct Stored<'a> {
    args: &'a str,
    state: &'a Reader<'a>,
    context: &'a ExecuteContext,
    window_id: &'a str,
}

/// Why a command that stands in a log decided nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandFailure {
    /// Its args are not those of the command today.
    Unreadable,
    /// It failed, with this error and its causes.
    Failed(String),
}

impl CommandDef {
    /// A command. For generated code. Were it a constant of [`ExecuteIn`], a bound of that trait that a type does
    /// not meet would be an error here, too.
    #[doc(hidden)]
    pub const fn of<S: Schema, C: ExecuteIn<S>>() -> Self {
        Self { name: C::NAME, execute: execute::<S, C> }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Executes a command that was executed before. Returns the events that follow now.
    pub(crate) fn execute_again(
        &self,
        command: &PendingCommand,
        state: &Reader<'_>,
        window_id: &str,
    ) -> Result<Vec<BatchEntry>, CommandFailure> {
        let context = &ExecuteContext::new(&command.id, true);
        (self.execute)(&Stored { args: &command.args, state, context, window_id })
    }
}

fn execute<S: Schema, C: ExecuteIn<S>>(
    stored: &Stored<'_>,
) -> Result<Vec<BatchEntry>, CommandFailure> {
    let Stored { args, state, context, window_id } = stored;
    let command = (C::JSON.read)(args).map_err(|_| CommandFailure::Unreadable)?;
    let (events, _) = command.execute(state, context).map_err(|error| failed(&error))?;
    let mut batch = Batch::new(window_id);
    events.encode(&mut batch).map_err(|error| failed(&error))?;
    Ok(batch.entries)
}

fn failed(error: &(dyn std::error::Error + 'static)) -> CommandFailure {
    CommandFailure::Failed(ErrorChain::new(error).to_string())
}
