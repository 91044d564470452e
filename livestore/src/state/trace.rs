//! The rows that events change, event by event.

use super::{ApplyError, Replay, ReplayError, State};
use crate::event::{EncodedEvent, SeqNum};
use crate::sqlite::{Change, ColumnSet, SqliteError};

/// The changes of one event of a commit.
pub(crate) struct EventChanges<'a> {
    pub(crate) event: &'a EncodedEvent,
    pub(crate) changes: Vec<Change>,
}

impl State {
    /// Captures changes of the tables at these positions of the schema from now on.
    pub(crate) fn watch_tables(
        &self,
        is_watched: impl Fn(usize) -> bool,
    ) -> Result<(), SqliteError> {
        let tables = self.schema.tables().enumerate().filter(|(position, _)| is_watched(*position));
        for (position, table) in tables {
            self.db.watch(position, ColumnSet::ALL, || table.table_names())?;
        }
        Ok(())
    }

    /// Applies a whole commit, which is in the log behind this state, and returns the net changes of each
    /// event to tables that are [watched](Self::watch_tables). Where an event of the commit cannot be
    /// applied, what the others change counts as changed by the first one.
    pub(crate) fn trace<'e>(
        &mut self,
        replay: &mut Replay<'_>,
        commit: &'e [EncodedEvent],
    ) -> Result<Vec<EventChanges<'e>>, ReplayError> {
        if let Some(changes) = self.trace_each(commit)? {
            self.head = commit.last().map_or(self.head, |event| event.seq);
            return Ok(changes);
        }
        replay.apply(self, commit)?;
        let changes = self.take_changes();
        Ok(commit.first().map(|event| EventChanges { event, changes }).into_iter().collect())
    }

    /// Returns `None` if an event cannot be applied; nothing has changed then.
    fn trace_each<'e>(
        &self,
        commit: &'e [EncodedEvent],
    ) -> Result<Option<Vec<EventChanges<'e>>>, SqliteError> {
        let savepoint = self.savepoint()?;
        let mut writer = self.writer();
        let mut traced = Vec::with_capacity(commit.len());
        for event in commit {
            let set = self.schema.event_set(&event.name).filter(|_| event.refusal().is_none());
            let applied = set.map(|set| self.apply(event, set, &mut writer));
            match applied {
                Some(Ok(())) => {
                    let changes = Change::net(self.db.changes().take());
                    traced.push(EventChanges { event, changes });
                }
                Some(Err(ApplyError::State(error))) => return Err(error),
                Some(Err(ApplyError::Event(_))) | None => {
                    drop(writer);
                    savepoint.rollback()?;
                    self.db.changes().clear();
                    return Ok(None);
                }
            }
        }
        drop(writer);
        savepoint.release()?;
        Ok(Some(traced))
    }
}

/// The place of a table in the schema.
pub(crate) fn position_of(state: &State, table: &str) -> Option<usize> {
    state.schema.tables().position(|other| other.name() == table)
}

/// The end of the commit that the event at `seq` is of, if `next` are the events behind it.
pub(crate) fn end_of_commit(seq: SeqNum, next: &[EncodedEvent]) -> SeqNum {
    next.iter().take_while(|event| event.continues).last().map_or(seq, |event| event.seq)
}
