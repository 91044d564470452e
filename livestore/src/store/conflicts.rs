//! Conflicts: commands that failed when they were executed again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::Error as _;

use super::{CommitError, ConflictError, Core, Inner, ReadError, Receipt, Store};
use crate::error::Unavailable;
use crate::event::Conflict;
use crate::eventlog::{CommandNotes, EventlogError, LogChange, Patience};
use crate::live::{Computed, Reactive, Subscription, computed, deliver};
use crate::schema::{Command, CommandFailure, Schema};
use crate::session::{self, FromLeader};
use crate::table::Reader;

impl<S: Schema> Store<S> {
    /// Returns the commands that failed when they were executed again, the oldest first, as a live value: of all
    /// sessions of this client, and of earlier openings of the store, too.
    ///
    /// The events of such a command were withdrawn: the state is as if it had never been executed. It stays in
    /// the list until the app has [retried](Self::retry_conflict) or [dropped](Self::drop_conflict) it. To edit
    /// it, [decode](Conflict::decode) it, execute it with other args, and drop the old one.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::seats::*;
    /// # fn show(store: &Store<App>) -> livestore::Result<()> {
    /// let conflicts = store.conflicts()?;
    /// for conflict in conflicts.get().iter() {
    ///     if let Ok(Assign { guest, .. }) = conflict.decode() {
    ///         println!("{guest} has no seat any more: {}", conflict.error);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store is closed.
    pub fn conflicts(&self) -> Result<Computed<Vec<Conflict>>, ReadError> {
        self.inner.with_core(|_| ())?;
        let conflicts = self.inner.conflicts.clone();
        Ok(computed(move |get| (*get.of(&conflicts)).clone()))
    }

    /// Calls `callback` with each new [conflict](Self::conflicts), until the subscription is dropped.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn on_conflict(
        &self,
        callback: impl Fn(&Conflict) + Send + Sync + 'static,
    ) -> Result<Subscription, ReadError> {
        let conflicts = self.conflicts()?;
        let ids = |list: &[Conflict]| list.iter().map(|conflict| conflict.id.clone()).collect();
        let known: Mutex<HashSet<String>> = Mutex::new(ids(&conflicts.get()));
        Ok(conflicts.subscribe(move |list| {
            let known = {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::replace(&mut *known, ids(list))
            };
            list.iter().filter(|conflict| !known.contains(&conflict.id)).for_each(&callback);
        }))
    }

    /// Executes the command of a conflict again, on the state as it is now. If it succeeds, the conflict is
    /// resolved.
    ///
    /// Its events are logged first. If the process ends right then, the conflict is still listed at the next
    /// opening, although the command was executed.
    ///
    /// # Errors
    /// See [`ConflictError`]; the conflict stays.
    pub fn retry_conflict(&self, id: &str) -> Result<Receipt, ConflictError> {
        let receipt = self.inner.retry(id)?.of(&self.inner);
        self.drop_conflict(id)?;
        Ok(receipt)
    }

    /// Resolves a conflict: it leaves the list, and its command and the withdrawn events with it.
    ///
    /// # Errors
    /// See [`ConflictError`]; the conflict stays.
    pub fn drop_conflict(&self, id: &str) -> Result<(), ConflictError> {
        self.inner.resolve(id)
    }
}

impl Conflict {
    /// Returns the command as a Rust value.
    ///
    /// # Errors
    /// When it is another command, or its args are not those of `C` any more.
    pub fn decode<C: Command>(&self) -> Result<C, serde_json::Error> {
        if self.command != C::NAME {
            let message = format!("`{}` is not the command `{}`", self.command, C::NAME);
            return Err(serde_json::Error::custom(message));
        }
        (C::JSON.read)(&self.args)
    }
}

impl Inner {
    fn retry(&self, id: &str) -> Result<Receipt, ConflictError> {
        let mut patience = Patience::new();
        loop {
            let slot = self.core()?;
            let core = slot.as_ref().ok_or(Unavailable::Closed)?;
            let conflict = core.conflict(id)?;
            let unknown = || ConflictError::UnknownCommand { command: conflict.command.clone() };
            let def = self.schema.command(&conflict.command).ok_or_else(unknown)?;
            let command = conflict.pending_command();
            let window_id = &self.window_id;
            let run = |reader: &Reader<'_>| def.execute_again(&command, reader, window_id);
            let failed = |error| ConflictError::Failed { error };
            let decided = core.state.run_command(def.name(), window_id, run);
            let mut entries = match decided.map_err(|fault| failed(fault.to_string()))? {
                Ok(entries) => entries,
                Err(CommandFailure::Failed(error)) => return Err(failed(error)),
                Err(CommandFailure::Unreadable) => return Err(unknown()),
            };
            let command = Arc::new(command);
            match self.commit_in(slot, &self.session_id, &mut entries, Some(&command), None) {
                Err(CommitError::Eventlog(error)) if error.is_busy() && patience.wait() => {}
                committed => return Ok(committed?),
            }
        }
    }

    /// Resolves a conflict, here or by the session that has the log.
    pub(super) fn resolve(&self, id: &str) -> Result<(), ConflictError> {
        let mut slot = self.core()?;
        let core = slot.as_mut().ok_or(Unavailable::Closed)?;
        core.conflict(id)?;
        match core.order.follower_mut() {
            Some(follower) => follower.command(session::Command::Resolve(id.to_owned())),
            None => core.resolve(id)?,
        }
        drop(slot);
        deliver();
        Ok(())
    }
}

impl Core {
    fn conflict(&self, id: &str) -> Result<Conflict, ConflictError> {
        let conflicts = self.conflicts.get();
        let found = conflicts.iter().find(|conflict| conflict.id == id);
        found.cloned().ok_or_else(|| ConflictError::NoSuchConflict { id: id.to_owned() })
    }

    /// Resolves a conflict in the log that this session has.
    fn resolve(&mut self, id: &str) -> Result<(), EventlogError> {
        let notes = CommandNotes { resolved: vec![id.to_owned()], ..CommandNotes::default() };
        self.log.change(&LogChange {
            confirmed: Vec::new(),
            remove_from: None,
            append: Vec::new(),
            upstream: None,
            new_history: None,
            confirmed_head: self.confirmed_head(),
            commands: notes.clone(),
        })?;
        self.note_conflicts(&notes);
        Ok(())
    }

    /// Notes what the log says of conflicts now.
    pub(super) fn note_conflicts(&mut self, notes: &CommandNotes) {
        let CommandNotes { conflicts, resolved, .. } = notes;
        if conflicts.is_empty() && resolved.is_empty() {
            return;
        }
        let mut all = (*self.conflicts.get()).clone();
        all.retain(|known| {
            !resolved.contains(&known.id) && !conflicts.iter().any(|new| new.id == known.id)
        });
        all.extend(conflicts.iter().cloned());
        self.conflicts.set_in_lock(all.clone());
        self.broadcast(|| FromLeader::Conflicts(all));
    }
}
