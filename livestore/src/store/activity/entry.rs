//! The entries of an activity.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{ActivityError, Selection};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::is_after;
use crate::store::tools::RowChange;
use crate::table::{RowReader, Table};
use crate::value::{Timestamp, Value};

/// An event, and the selected rows that it has changed: an entry of an [`Activity`](super::Activity).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RowActivity<T> {
    /// The event. Its `client_id` and `session_id` are those of whoever committed it, as the client says itself;
    /// for an author that the server vouches for, see [`arg`](Self::arg).
    pub event: EncodedEvent,
    /// The rows.
    pub rows: Vec<ChangedRow<T>>,
    /// Whether its place in the backend's order is not known yet.
    pub is_pending: bool,
}

/// A row before and after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedRow<T> {
    /// The row before; `None` if there was none.
    pub before: Option<T>,
    /// The row after; `None` if it is gone.
    pub after: Option<T>,
}

impl<T> RowActivity<T> {
    /// Returns one arg of the event, if it has one of this name that is a `V`.
    ///
    /// This is where an author belongs that others can rely on: the app puts it into its events, and the server
    /// refuses those that do not name the owner of the token with which they were pushed.
    pub fn arg<V: DeserializeOwned>(&self, name: &str) -> Option<V> {
        let args: serde_json::Value = serde_json::from_str(&self.event.args).ok()?;
        V::deserialize(args.get(name)?).ok()
    }

    /// Returns the time at which the backend accepted the event. `None` while it is pending, for a client-only
    /// event, and if the backend does not say.
    pub fn accepted_at(&self) -> Option<Timestamp> {
        let metadata = self.event.sync_metadata.as_deref()?;
        let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
        metadata.get("createdAt")?.as_str()?.parse().ok()
    }
}

/// Entries in the order of the log, of which the last ones are left.
pub(super) struct Entries<'a, T> {
    selection: &'a Selection<T>,
    confirmed: SeqNum,
    found: VecDeque<Arc<RowActivity<T>>>,
    error: Option<ActivityError>,
}

impl<'a, T: Table> Entries<'a, T> {
    pub(super) fn new(selection: &'a Selection<T>, confirmed: SeqNum) -> Self {
        Self { selection, confirmed, found: VecDeque::new(), error: None }
    }

    /// Adds an entry for each change that is selected.
    pub(super) fn each(
        &mut self,
    ) -> impl FnMut(&EncodedEvent, Option<&RowChange>) -> ControlFlow<()> + use<'_, 'a, T> {
        |event, change| {
            let added = match change {
                Some(change) => self.add(event, change),
                None => Err(ActivityError::UnknownRows { seq: event.seq, table: T::NAME }),
            };
            match added {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    self.error = Some(error);
                    ControlFlow::Break(())
                }
            }
        }
    }

    fn add(&mut self, event: &EncodedEvent, change: &RowChange) -> Result<(), ActivityError> {
        let is_before = self.selection.before.is_none_or(|before| is_after(before, event.seq));
        if !is_before || !self.selection.has_key_of::<T>(change) {
            return Ok(());
        }
        let read = |values: &Option<Vec<Value<'static>>>| {
            let row = values.as_ref().map(|it| T::decode(&RowReader::of_values(it, None)));
            row.transpose().map_err(|source| ActivityError::Row { seq: event.seq, source })
        };
        let row = ChangedRow { before: read(&change.before)?, after: read(&change.after)? };
        if !self.selection.has_row(&row) {
            return Ok(());
        }
        if let Some(last) = self.found.back_mut().filter(|last| last.event.seq == event.seq)
            && let Some(last) = Arc::get_mut(last)
        {
            last.rows.push(row);
            return Ok(());
        }
        let is_pending = is_after(event.seq, self.confirmed);
        let entry = RowActivity { event: event.clone(), rows: vec![row], is_pending };
        self.found.push_back(Arc::new(entry));
        if self.found.len() > self.selection.limit {
            self.found.pop_front();
        }
        Ok(())
    }

    /// Begins with these entries, in the order of the log.
    pub(super) fn behind(mut self, found: VecDeque<Arc<RowActivity<T>>>) -> Self {
        self.found = found;
        self
    }

    /// Returns the entries in the order of the log.
    pub(super) fn into_found(self) -> Result<VecDeque<Arc<RowActivity<T>>>, ActivityError> {
        self.error.map_or(Ok(self.found), Err)
    }

    /// Returns the entries, the newest first.
    pub(super) fn finish(self) -> Result<Vec<Arc<RowActivity<T>>>, ActivityError> {
        Ok(self.into_found()?.into_iter().rev().collect())
    }
}

impl<T> Selection<T> {
    fn has_key_of<R: Table>(&self, change: &RowChange) -> bool {
        let Some(keys) = &self.keys else { return true };
        let columns = R::def().primary_key();
        let is_of = |row: &Option<Vec<Value<'static>>>, key: &[Value<'static>]| {
            row.as_ref().is_some_and(|row| {
                columns.len() == key.len()
                    && columns
                        .iter()
                        .zip(key)
                        .all(|(&column, value)| row.get(column) == Some(value))
            })
        };
        keys.iter().any(|key| is_of(&change.before, key) || is_of(&change.after, key))
    }

    fn has_row(&self, row: &ChangedRow<T>) -> bool {
        let Some(filter) = &self.filter else { return true };
        [&row.before, &row.after].into_iter().flatten().any(|row| filter(row))
    }
}
