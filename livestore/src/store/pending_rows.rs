//! Which rows depend on pending events, for a UI that shows so.

use super::{Core, Inner, ReadError, Store};
use crate::error::Unavailable;
use crate::event::{EncodedEvent, SeqNum};
use crate::live::{Computed, PendingRows, computed, deliver};
use crate::schema::{HasTable, Schema};
use crate::sqlite::Change;
use crate::state::ReplayError;
use crate::table::{Table, TableDef};

impl<S: Schema> Store<S> {
    /// Returns which rows of the table `T` depend on events that are not confirmed yet, as a live value: a UI can
    /// grey them. It is up to date after every commit, and when the backend has confirmed events.
    ///
    /// A row depends on an event that has inserted, changed or deleted it. Without a sync backend, no row does.
    ///
    /// It costs something only while somebody has the value: commits that change the table note the rows, and a
    /// rebase applies the pending events once more, one commit at a time.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, Note, added};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let store = clients.open("alice")?;
    /// let (notes, pending) = (store.live(Note::all())?, store.pending_rows::<Note>()?);
    /// let shown = computed(move |get| {
    ///     let pending = get.of(&pending);
    ///     let show = |note: &Note| match pending.contains(&note.id) {
    ///         true => format!("{} (not saved yet)", note.text),
    ///         false => note.text.clone(),
    ///     };
    ///     get.of(&notes).iter().map(|note| show(note)).collect::<Vec<_>>()
    /// });
    ///
    /// store.offline();
    /// store.commit(added("a"))?;
    /// assert_eq!(**shown.get(), ["text of a (not saved yet)"]);
    /// store.online();
    /// clients.sync()?;
    /// assert_eq!(**shown.get(), ["text of a"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store is closed, or there is no memory.
    pub fn pending_rows<T: Table>(&self) -> Result<Computed<PendingRows<T>>, ReadError>
    where
        S: HasTable<T>,
    {
        let tracking = self.inner.track_pending(T::def())?;
        Ok(computed(move |get| {
            // The table is tracked as long as this function is there.
            let _used = &tracking.user;
            PendingRows::new((*get.of(&tracking.keys)).clone())
        }))
    }
}

impl Inner {
    fn track_pending(&self, def: &'static TableDef) -> Result<crate::live::Tracking, ReadError> {
        let mut slot = self.core()?;
        let core = slot.as_mut().ok_or(Unavailable::Closed)?;
        let position = self.schema.tables().position(|table| std::ptr::eq(table, def));
        let position = position.unwrap_or(usize::MAX);
        core.unpin_unused()?;
        let tracking = core.pending_rows.track(position, def);
        if tracking.is_new {
            core.live.pin(position, def, &core.state.reader(&self.window_id))?;
            if let Err(error) = core.find_pending_rows() {
                self.fail(&mut slot, &error);
                return Err(ReadError::Closed);
            }
        }
        drop(slot);
        deliver();
        Ok(tracking)
    }
}

impl Core {
    /// Notes what a commit has changed, if it is pending.
    pub(super) fn note_pending_rows(&mut self, last: SeqNum, changes: &[Change]) {
        if self.pending_rows.is_on() && self.order.state().is_some() {
            self.pending_rows.note(last, changes);
            // A client-only event may wait for nothing.
            self.confirm_pending_rows(self.confirmed_head());
        }
    }

    /// Forgets the rows whose events are confirmed.
    pub(super) fn confirm_pending_rows(&mut self, confirmed: SeqNum) {
        if self.pending_rows.is_on() {
            self.pending_rows.confirm(confirmed);
            self.publish_pending_rows();
        }
    }

    fn publish_pending_rows(&mut self) {
        self.pending_rows.publish();
        if let Err(error) = self.unpin_unused() {
            tracing::warn!(%error, "the triggers that watch a table could not be dropped");
        }
    }

    fn unpin_unused(&mut self) -> Result<(), crate::sqlite::SqliteError> {
        let unused = self.pending_rows.remove_unused();
        unused
            .into_iter()
            .try_for_each(|position| self.live.unpin(position, &self.state.reader(&self.window_id)))
    }

    /// Finds the rows that depend on what is pending.
    pub(super) fn find_pending_rows(&mut self) -> Result<(), ReplayError> {
        if !self.pending_rows.is_on() {
            return Ok(());
        }
        let Some(order) = self.order.state() else {
            // Nothing is pending any more.
            self.pending_rows.clear();
            self.publish_pending_rows();
            return Ok(());
        };
        let (confirmed, head) = (order.confirmed_head, self.state.head);
        let pending: Vec<EncodedEvent> = order.pending.iter().cloned().collect();
        self.retrace(&pending, confirmed)?;
        self.state.head = head;
        Ok(())
    }
}
