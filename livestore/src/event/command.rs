//! A command beside the events that it has decided.

/// A command whose events are pending. It stands on the first of them, stays on its client, and goes when
/// they are confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingCommand {
    /// Different for each call of `execute`, and the same in every execution again.
    pub(crate) id: String,
    /// The name under which the schema knows it.
    pub(crate) name: String,
    /// Its args, as JSON.
    pub(crate) args: String,
}

/// A command that could not be executed again, and whose events were withdrawn.
///
/// It is stored until the app [retries](crate::Store::retry_conflict) or [drops](crate::Store::drop_conflict)
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The id of the conflict, and of the command.
    pub id: String,
    /// The command's name.
    pub command: String,
    /// The command's args, as JSON: see [`decode`](Self::decode).
    pub args: String,
    /// The events that were withdrawn.
    pub events: Vec<WithdrawnEvent>,
    /// Why the command failed: its own error with all its causes, or what kept it from being executed.
    pub error: String,
}

/// An event of a command that failed later. No other client has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WithdrawnEvent {
    /// The wire name.
    pub name: String,
    /// The args, as JSON.
    pub args: String,
}

impl Conflict {
    pub(crate) fn new(
        command: &PendingCommand,
        events: impl Iterator<Item = WithdrawnEvent>,
        error: String,
    ) -> Self {
        let PendingCommand { id, name, args } = command.clone();
        Self { id, command: name, args, events: events.collect(), error }
    }

    /// The command, to be executed again.
    pub(crate) fn pending_command(&self) -> PendingCommand {
        let Self { id, command, args, .. } = self.clone();
        PendingCommand { id, name: command, args }
    }
}
