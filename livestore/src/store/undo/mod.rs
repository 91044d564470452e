//! Undo and redo of what this session has committed.

mod record;
mod renew;
mod stack;

use std::fmt;
use std::sync::Arc;

pub(super) use record::{Recorder, StepBack};
pub(super) use renew::Renewal;
pub(super) use stack::{Recorded, UndoStack};

use self::stack::{Available, Groups};
use super::receipt::Outcome;
use super::{CommitError, ConfirmError, Core, Inner, ReadError, Receipt, Store};
use crate::error::{ErrorChain, Unavailable, unavailable_becomes};
use crate::event::{EventText, UndoChange, UndoNotes, UndoPlace, Way, commits};
use crate::eventlog::Patience;
use crate::live::{Computed, computed, deliver};
use crate::schema::{BatchEntry, Schema};
use crate::session::Command;
use crate::table::MaterializeError;

/// Why nothing was undone or redone. Nothing was committed.
///
/// With [`Changed`](Self::Changed), [`NotApplied`](Self::NotApplied),
/// [`Inapplicable`](Self::Inapplicable) and [`UnknownEvent`](Self::UnknownEvent), the step is of no use any more and
/// is dropped: the next call is about the step before it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UndoError {
    /// There is nothing left to undo, or to redo.
    #[error("there is nothing left to undo or redo")]
    Nothing,
    /// What would be restored has changed since, by others or otherwise: undo would overwrite that.
    #[error("it was changed again since, so it cannot be undone or redone")]
    Changed,
    /// A commit of the step was not done for good: it was refused, quarantined or withdrawn.
    #[error("there is nothing to undo or redo of it, because it was not done for good")]
    NotApplied {
        /// What became of the commit.
        source: ConfirmError,
    },
    /// The events that would undo or redo it cannot be applied to the state as it is now.
    #[error("the event `{event}`, which would undo or redo it, cannot be applied any more")]
    Inapplicable {
        /// The event's wire name.
        event: &'static str,
        /// The reason.
        source: MaterializeError,
    },
    /// The step was recorded by another version of the app, and this one does not know its events, or cannot
    /// read them.
    #[error(
        "this version of the app cannot commit the event `{event}`, which would undo or redo it"
    )]
    UnknownEvent {
        /// The event's wire name.
        event: String,
    },
    /// The events could not be committed. The step stays.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
}

unavailable_becomes!(UndoError);

impl<S: Schema> Store<S> {
    /// Undoes the last step: what this session has committed last and has not undone yet. It commits the events
    /// that the commit's events have [named](crate::schema::Undo); the log has both.
    ///
    /// A step is a commit, or a [group](Self::undo_group) of them. It counts if one of its events can be undone:
    /// if its type is listed under `undo` in `schema!`. Other commits, such as those of client documents, are
    /// left alone, and so is what others have committed. The last 100 steps can be undone, also after the store
    /// was closed and opened again in the same [window](Self::window_id). If several sessions are in one window at
    /// the same time, only the steps of one of them are stored: of the leading one, or else of the one that was
    /// opened last.
    ///
    /// Undo is decided on the state as it is now. If somebody has changed since what it would restore, it does
    /// nothing, and [says so](UndoError::Changed).
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("notes").open()?;
    /// match store.undo() {
    ///     Ok(receipt) => println!("undone, as {:?}", receipt.last()),
    ///     Err(UndoError::Nothing) => println!("nothing to undo"),
    ///     Err(UndoError::Changed) => println!("somebody has changed it since"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`UndoError`].
    pub fn undo(&self) -> Result<Receipt, UndoError> {
        let span = tracing::debug_span!(
            "undo",
            db.system.name = "livestore",
            db.namespace = self.inner.store_id,
            db.operation.name = "undo",
        );
        let _entered = span.enter();
        Ok(self.inner.step_back(Way::Undo)?.of(&self.inner))
    }

    /// Does again what was undone last. It is possible until this session commits something else that can be
    /// undone.
    ///
    /// # Errors
    /// See [`UndoError`].
    pub fn redo(&self) -> Result<Receipt, UndoError> {
        let span = tracing::debug_span!(
            "redo",
            db.system.name = "livestore",
            db.namespace = self.inner.store_id,
            db.operation.name = "redo",
        );
        let _entered = span.enter();
        Ok(self.inner.step_back(Way::Redo)?.of(&self.inner))
    }

    /// Returns whether there is a step to [undo](Self::undo), as a live value: for a button. It can turn out
    /// that the step cannot be undone any more.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn can_undo(&self) -> Result<Computed<bool>, ReadError> {
        self.can(|available| available.undo)
    }

    /// Returns whether there is a step to [redo](Self::redo), as a live value.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn can_redo(&self) -> Result<Computed<bool>, ReadError> {
        self.can(|available| available.redo)
    }

    fn can(&self, which: fn(&Available) -> bool) -> Result<Computed<bool>, ReadError> {
        let available = self.inner.with_core(|core| core.undo.available())?;
        Ok(computed(move |get| which(&get.of(&available))))
    }

    /// Begins a group: what this session commits until the guard is dropped is one step, which is undone at
    /// once. Groups within groups are part of the outermost one. `undo` ends the step: what is committed then is
    /// another one, even if the group goes on.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// # #[table] #[derive(Debug)] struct Note { #[column(primary_key)] id: String }
    /// # #[derive(Event)]
    /// # enum NoteEvent {
    /// #     #[event(name = "v1.Added")] Added { id: String },
    /// #     #[event(name = "v1.Removed")] Removed { id: String },
    /// # }
    /// # impl Materialize for NoteEvent {
    /// #     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
    /// #         match self {
    /// #             Self::Added { id } => state.insert(&Note { id: id.clone() }),
    /// #             Self::Removed { id } => state.run(Note::delete().filter(Note::ID.eq(id))),
    /// #         }
    /// #     }
    /// # }
    /// # impl Undo for NoteEvent {
    /// #     type Events = Self;
    /// #     fn undo(&self, _: &Reader<'_>) -> Result<Self, QueryError> {
    /// #         Ok(match self.clone() {
    /// #             Self::Added { id } => Self::Removed { id },
    /// #             Self::Removed { id } => Self::Added { id },
    /// #         })
    /// #     }
    /// # }
    /// # impl Clone for NoteEvent {
    /// #     fn clone(&self) -> Self {
    /// #         match self {
    /// #             Self::Added { id } => Self::Added { id: id.clone() },
    /// #             Self::Removed { id } => Self::Removed { id: id.clone() },
    /// #         }
    /// #     }
    /// # }
    /// # livestore::schema! { App { tables: [Note], events: [NoteEvent], undo: [NoteEvent] } }
    ///
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("notes").open()?;
    /// let group = store.undo_group()?;
    /// for id in ["a", "b", "c"] {
    ///     store.commit(NoteEvent::Added { id: id.into() })?;
    /// }
    /// drop(group);
    /// store.undo()?;
    /// assert_eq!(store.query(Note::all().count())?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store is closed.
    pub fn undo_group(&self) -> Result<UndoGroup, ReadError> {
        let groups = self.inner.with_core(|core| core.undo.groups())?;
        groups.begin();
        Ok(UndoGroup { groups })
    }
}

/// A group of commits that are undone at once, until it is dropped. [`Store::undo_group`] begins one.
#[must_use = "the group ends when the guard is dropped"]
pub struct UndoGroup {
    groups: Arc<Groups>,
}

impl Drop for UndoGroup {
    fn drop(&mut self) {
        self.groups.end();
    }
}

impl fmt::Debug for UndoGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UndoGroup").finish_non_exhaustive()
    }
}

impl Inner {
    /// Undoes or redoes the next step.
    fn step_back(&self, way: Way) -> Result<Receipt, UndoError> {
        let mut patience = Patience::new();
        loop {
            let slot = self.core()?;
            let core = slot.as_ref().ok_or(Unavailable::Closed)?;
            let (place, step) = core.undo.next(way).ok_or(UndoError::Nothing)?;
            let decided = core.check_applied(place).and_then(|()| {
                step.inverse().map(|event| core.entry(event)).collect::<Result<Vec<_>, _>>()
            });
            let mut entries = match decided {
                Ok(entries) => entries,
                Err(error) => {
                    drop(slot);
                    return Err(self.failed_step(place, error));
                }
            };
            let back = StepBack::new(way);
            let error =
                match self.commit_in(slot, &self.session_id, &mut entries, None, Some(&back)) {
                    Err(CommitError::Eventlog(error)) if error.is_busy() && patience.wait() => {
                        continue;
                    }
                    Err(_) if back.is_changed.get() => UndoError::Changed,
                    Err(error) => not_undone(&entries, error),
                    Ok(receipt) => return Ok(receipt),
                };
            return Err(self.failed_step(place, error));
        }
    }

    /// Drops the step if it is of no use any more.
    fn failed_step(&self, place: UndoPlace, error: UndoError) -> UndoError {
        if error.ends_the_step()
            && let Ok(mut slot) = self.core()
            && let Some(core) = slot.as_mut()
        {
            core.change_undo(vec![UndoChange::Remove(place)]);
            drop(slot);
            deliver();
        }
        error
    }
}

/// Why these events, which would undo a step, were not committed.
fn not_undone(entries: &[BatchEntry], error: CommitError) -> UndoError {
    let is_of_event = matches!(error, CommitError::Materialize { .. } | CommitError::Undo { .. });
    let unread = |entry: &&BatchEntry| !entry.set.reads(entry.def.name(), &entry.args);
    match (error, entries.iter().find(unread)) {
        (_, Some(entry)) if is_of_event => {
            UndoError::UnknownEvent { event: entry.def.name().to_owned() }
        }
        (CommitError::Materialize { event, source, .. }, _) => {
            UndoError::Inapplicable { event, source }
        }
        (error, _) => error.into(),
    }
}

impl UndoError {
    fn ends_the_step(&self) -> bool {
        match self {
            Self::Changed
            | Self::NotApplied { .. }
            | Self::Inapplicable { .. }
            | Self::UnknownEvent { .. } => true,
            Self::Nothing
            | Self::Commit(_)
            | Self::Closed
            | Self::InMaterializer
            | Self::Reentrant => false,
        }
    }
}

impl Core {
    /// Whether all commits of the step were done for good, as far as that is known.
    fn check_applied(&self, place: UndoPlace) -> Result<(), UndoError> {
        let failure = match self.undo.failure(place) {
            Some(failure) => Some(failure),
            None => self.quarantined_in(place)?,
        };
        match failure {
            Some(source) => Err(UndoError::NotApplied { source }),
            None => Ok(()),
        }
    }

    /// Why a pending commit of the step is not applied, if one is not.
    fn quarantined_in(&self, place: UndoPlace) -> Result<Option<ConfirmError>, CommitError> {
        let Some(order) = self.order.state() else { return Ok(None) };
        if self.state.quarantined().map_err(CommitError::State)?.is_empty() {
            return Ok(None);
        }
        let pending: Vec<_> = order.pending.iter().cloned().collect();
        let all: Vec<_> = commits(&pending).collect();
        for (at, found, _) in self.undo.pending(all.iter().copied().enumerate()) {
            let events = all.get(at).copied().unwrap_or_default();
            for event in events.iter().filter(|_| found == place) {
                let reason = self.state.quarantine_reason(event.seq).map_err(CommitError::State)?;
                if let Some(reason) = reason {
                    return Ok(Some(ConfirmError::of_quarantine(reason)));
                }
            }
        }
        Ok(None)
    }

    /// The event, to be committed.
    fn entry(&self, event: &EventText) -> Result<BatchEntry, UndoError> {
        let EventText { name, args } = event;
        let unknown = || UndoError::UnknownEvent { event: name.clone() };
        let set = self.state.schema().event_set(name).ok_or_else(unknown)?;
        let def = set.def(name).ok_or_else(unknown)?;
        Ok(BatchEntry { def, args: args.clone(), set: *set })
    }

    /// Records the next commit, which undoes or redoes the next step if `back` says so. `None` if nothing that
    /// the schema has can be undone.
    pub(super) fn recorder<'a>(&'a self, back: Option<&'a StepBack>) -> Option<Recorder<'a>> {
        let recorder = Recorder::new(&self.window_id);
        if let Some(back) = back {
            let (_, step) = self.undo.next(back.way)?;
            return Some(recorder.checking(back, step));
        }
        let has_undo = self.state.schema().has_undo();
        has_undo.then(|| recorder.joining(self.undo.open_step()))
    }

    /// Makes the changes of a commit, which the log has by now. `has_step`: whether it was recorded.
    pub(super) fn note_undo(
        &mut self,
        changes: Vec<UndoChange>,
        way: Option<Way>,
        has_step: bool,
        outcome: Option<&Arc<Outcome>>,
    ) {
        if changes.is_empty() {
            return;
        }
        self.undo.note_stored(!self.order.follows());
        self.undo.apply(changes);
        if has_step {
            self.undo.note_commit(way, outcome);
        }
    }

    /// What the log has to note when these changes are made. `None` if that is nothing, or another session has
    /// the log, or it stores none.
    pub(super) fn undo_notes(&self, changes: &[UndoChange]) -> Option<UndoNotes> {
        let is_ours = !self.order.follows() && self.log.keeps_undo();
        is_ours.then(|| self.undo.notes(changes)).flatten()
    }

    /// Sends the changes to the leader, if this session follows one.
    pub(super) fn send_undo(&mut self, changes: &[UndoChange]) {
        if let Some(follower) = self.order.follower_mut()
            && let Some(notes) = self.undo.message(changes)
        {
            follower.command(Command::Undo(notes));
        }
    }

    /// Sends all steps to a leader that was found again, or another one: it may not have got the last ones.
    pub(super) fn resend_undo(&mut self, is_stored: bool) {
        self.undo.note_sent(is_stored);
        if self.state.schema().has_undo() {
            self.send_undo(&self.undo.all());
        }
    }

    /// Adds what can be undone to the log, which this session has got now.
    pub(super) fn store_undo(&mut self) {
        self.change_undo(Vec::new());
    }

    /// Changes what can be undone, in the log, too.
    pub(super) fn change_undo(&mut self, changes: Vec<UndoChange>) {
        if changes.is_empty() && self.undo.is_empty() {
            return;
        }
        let notes = self.undo_notes(&changes);
        self.send_undo(&changes);
        let noted = notes.as_ref().map(|notes| self.log.note_undo(notes));
        if let Some(Err(error)) = &noted {
            let error = ErrorChain::new(error);
            tracing::warn!(%error, "what can be undone is not in the log yet");
        }
        let is_stored = !self.order.follows() && !matches!(noted, Some(Err(_)));
        self.undo.note_stored(is_stored);
        self.undo.apply(changes);
    }
}
