//! A command beside the events that it has decided.

use super::SeqNum;

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
    /// The last confirmed event when the command decided on the events that were withdrawn: with it,
    /// [`Store::state_at`](crate::Store::state_at) returns the confirmed state that it saw. The events from there to
    /// [`failed_behind`](Self::failed_behind) are what has changed it. `None` if another
    /// session has executed it, and the one that has the log does not know what it saw; or if the log has another
    /// history since.
    pub decided_behind: Option<SeqNum>,
    /// The last confirmed event when the command failed. Events of this client that were pending before the
    /// command come behind it, in both states.
    pub failed_behind: SeqNum,
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
        failed_behind: SeqNum,
    ) -> Self {
        let PendingCommand { id, name, args } = command.clone();
        let (events, decided_behind) = (events.collect(), None);
        Self { id, command: name, args, events, error, decided_behind, failed_behind }
    }

    /// The command, to be executed again.
    pub(crate) fn pending_command(&self) -> PendingCommand {
        let Self { id, command, args, .. } = self.clone();
        PendingCommand { id, name: command, args }
    }
}
