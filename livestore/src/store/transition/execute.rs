//! Executing a command: it reads the state, decides on events, and these are committed.

use std::fmt;
use std::sync::Arc;

use crate::ambient::Impurity;
use crate::event::PendingCommand;
use crate::eventlog::Patience;
use crate::schema::{Batch, ExecuteContext, ExecuteIn, Schema};
use crate::state::{CommandFault, MAX_INSTRUCTIONS, MAX_TIME, of_command};
use crate::store::order::Order;
use crate::store::{CommitError, Core, Receipt, Store};
use crate::table::Reader;

/// What a command has done.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Executed<T> {
    /// What the command returned.
    pub output: T,
    /// The receipt of its events. If there are none, it has no numbers.
    pub receipt: Receipt,
}

/// Why a command was not executed. Nothing was committed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<E: std::error::Error + 'static> {
    /// The command's own error.
    #[error("the command `{command}` failed")]
    Command {
        /// The command's name.
        command: &'static str,
        /// The error.
        source: E,
    },
    /// The command panicked.
    #[error("the command `{command}` panicked: {message}")]
    Panicked {
        /// The command's name.
        command: &'static str,
        /// The panic's message.
        message: String,
    },
    /// The command used more than the state, its args and its context, so that it could decide otherwise when
    /// nothing of that has changed.
    #[error("the command `{command}` {}", of_command(impurity))]
    Impure {
        /// The command's name.
        command: &'static str,
        /// What it used.
        impurity: Impurity,
    },
    /// The command's queries take too long, or never end, or it queried again after 10 seconds.
    #[error(
        "the queries of the command `{command}` took more than {MAX_INSTRUCTIONS} instructions of SQLite, or \
         {MAX_TIME:?} with all that it did between them; give their conditions an index, or see whether the command \
         ends at all"
    )]
    TooLong {
        /// The command's name.
        command: &'static str,
    },
    /// The command cannot be stored beside its events: its args have no JSON form, or are not read back as they
    /// were. A store without a backend stores no command, and looks at that in debug builds only.
    #[error("the args of the command `{command}` cannot be stored: {reason}")]
    Args {
        /// The command's name.
        command: &'static str,
        /// The reason.
        reason: String,
    },
    /// The command's events could not be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl<S: Schema> Store<S> {
    /// Executes a command: it reads the state and decides, and its events are committed as one unit. No other
    /// commit comes in between.
    ///
    /// With a sync backend, the events are pending at first, and the command stands beside them in the log, on
    /// this client only. When others' events come first, it is
    /// [executed again](crate::schema::Execute) behind them, and its new events take the place of the old ones,
    /// in the same place of the queue. If it fails then, its events are withdrawn, and it becomes a
    /// [conflict](Self::conflicts). A command that decides the same as before costs hardly more than an event that
    /// is applied again. One that has no events is done, and is not executed again.
    ///
    /// Commands and plain commits may be mixed. Where several sessions of a client are open, the one that has the
    /// log executes the commands of all again; the others receive what it decides.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::seats::*;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = Store::<App>::builder("seats").open()?;
    /// store.commit(SeatEvent::Added { number: 1 })?;
    /// let executed = store.execute(AssignAny { guest: "Ada".into() })?;
    /// assert_eq!(executed.output, 1);
    /// let error = store.execute(AssignAny { guest: "Alan".into() }).unwrap_err();
    /// assert!(matches!(error, ExecuteError::Command { source: NotAssigned::Full, .. }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub fn execute<C, T, E>(&self, command: C) -> Result<Executed<T>, ExecuteError<E>>
    where
        // `C::Output` would be a second error where `C` is not a command.
        C: ExecuteIn<S, Output = T, Error = E>,
        E: std::error::Error + 'static,
    {
        let span = tracing::debug_span!(
            "execute",
            db.system.name = "livestore",
            db.namespace = self.inner.store_id,
            db.operation.name = "execute",
            livestore.command = C::NAME,
        );
        let _entered = span.enter();
        let mut slot = self.inner.core().map_err(CommitError::from)?;
        let id = slot.as_mut().ok_or(CommitError::Closed)?.command_ids.next();
        let (mut stored, mut patience) = (None, Patience::new());
        loop {
            let core = slot.as_ref().ok_or(CommitError::Closed)?;
            if stored.is_none() && core.must_store_commands() {
                // That is code of the app, which may use the store.
                drop(slot);
                stored = Some(Arc::new(stored_form::<S, C>(&command, &id)?));
                slot = self.inner.core().map_err(CommitError::from)?;
                continue;
            }
            let context = ExecuteContext::new(&id, false);
            let (mut batch, output) = self.decide(core, &command, &context)?;
            let author = &self.inner.session_id;
            match self.inner.commit_in(slot, author, &mut batch.entries, stored.as_ref(), None) {
                Err(CommitError::Eventlog(error)) if error.is_busy() && patience.wait() => {
                    slot = self.inner.core().map_err(CommitError::from)?;
                }
                committed => {
                    let receipt = committed?.of(&self.inner);
                    return Ok(Executed { output, receipt });
                }
            }
        }
    }

    fn decide<C: ExecuteIn<S>>(
        &self,
        core: &Core,
        command: &C,
        context: &ExecuteContext,
    ) -> Result<(Batch<'_>, C::Output), ExecuteError<C::Error>> {
        let window_id = &self.inner.window_id;
        let run = |reader: &Reader<'_>| {
            let (events, output) = command.execute(reader, context)?;
            let mut batch = Batch::new(window_id);
            Ok((crate::schema::Commit::encode(events, &mut batch).map(|()| batch), output))
        };
        let decided =
            core.state.run_command(C::NAME, window_id, run).map_err(|fault| match fault {
                CommandFault::Panicked { message } => {
                    ExecuteError::Panicked { command: C::NAME, message }
                }
                CommandFault::Impure(impurity) => {
                    ExecuteError::Impure { command: C::NAME, impurity }
                }
                CommandFault::TooLong => ExecuteError::TooLong { command: C::NAME },
            })?;
        let (batch, output) =
            decided.map_err(|source| ExecuteError::Command { command: C::NAME, source })?;
        Ok((batch.map_err(CommitError::from)?, output))
    }
}

impl Core {
    /// Whether a command needs a form in which it is stored: somebody else decides the order of its events, and may
    /// have it executed again. Where the store does that alone, its events are confirmed at once, and nobody would
    /// read what was written. So only a debug build writes it there, to say early what would fail with a backend.
    fn must_store_commands(&self) -> bool {
        cfg!(debug_assertions) || !matches!(self.order, Order::Own)
    }
}

/// The command as it stands beside its events. Whether it is read back as it was depends on its values, such as a NaN,
/// so that each is looked at.
fn stored_form<S: Schema, C: ExecuteIn<S>>(
    command: &C,
    id: &str,
) -> Result<PendingCommand, ExecuteError<C::Error>> {
    let refused = |reason: &dyn fmt::Display| ExecuteError::Args {
        command: C::NAME,
        reason: reason.to_string(),
    };
    let args = (C::JSON.write)(command).map_err(|error| refused(&error))?;
    let read = (C::JSON.read)(&args).map_err(|error| refused(&error))?;
    if !(C::JSON.is_written_as)(&read, &args) {
        let again = (C::JSON.write)(&read).map_err(|error| refused(&error))?;
        return Err(refused(&format_args!("{args} is read back as {again}")));
    }
    Ok(PendingCommand { id: id.to_owned(), name: C::NAME.to_owned(), args })
}
