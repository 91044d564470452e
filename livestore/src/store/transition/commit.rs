//! A commit: the app adds events behind the local head.

use std::borrow::Cow;
use std::sync::Arc;

use livestore_protocol::is_too_deep;

use super::observed::Observed;
use crate::error::ErrorChain;
use crate::event::{EncodedEvent, PendingCommand, SeqNum, UndoNotes};
use crate::eventlog::{Eventlog, EventlogError, Patience};
use crate::live::deliver;
use crate::schema::{Batch, BatchEntry, Commit, Schema};
use crate::session::{Change, FromLeader};
use crate::state::{ApplyError, State};
use crate::store::exclusive::ExclusiveGuard;
use crate::store::order::Order;
#[cfg(not(target_family = "wasm"))]
use crate::store::session::PATIENCE;
use crate::store::trace;
use crate::store::undo::{Recorded, Recorder, StepBack};
use crate::store::{CommitError, Core, Inner, Receipt, Store};
use crate::sync::{MAX_BATCH_BYTES, MAX_EVENTS};

/// The numbers that committed events got, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed(Numbers);

/// Most commits have one event, which needs no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Numbers {
    One(SeqNum),
    Many(Vec<SeqNum>),
}

impl<S: Schema> Store<S> {
    /// Commits an event, or several as one: an array, `Vec` or tuple of events.
    ///
    /// The events are materialized, logged, and then visible to queries. If any of that fails,
    /// none of it has happened: nothing is logged, nothing is changed, and the store works on.
    ///
    /// The state is made from the encoded events, exactly as in a replay.
    ///
    /// The events of a commit stay together. If other clients' events come first, and an event of
    /// the commit can no longer be applied behind them, the whole commit is
    /// [quarantined](Store::quarantined). A sync backend accepts or rejects a commit as a whole, so
    /// in a store with a backend it has at most [100](crate::sync::MAX_EVENTS) synced events and
    /// [about 899 kB](crate::sync::MAX_BATCH_BYTES).
    ///
    /// The [receipt](Receipt) has the numbers of the events, and says later whether the backend's order
    /// has them. It may be dropped.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # #[table] #[derive(Debug)] struct Note { #[column(primary_key)] id: String }
    /// # #[derive(Event)] #[event(name = "v1.NoteAdded")] struct NoteAdded { id: String }
    /// # impl Materialize for NoteAdded {
    /// #     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
    /// #         state.insert(&Note { id: self.id.clone() })
    /// #     }
    /// # }
    /// # livestore::schema! { App { tables: [Note], events: [NoteAdded] } }
    /// let store = Store::<App>::builder("notes").open()?;
    /// let added = |id: &str| NoteAdded { id: id.into() };
    /// assert_eq!(store.commit(added("a"))?.last(), Some(SeqNum::new(1)));
    ///
    /// // The second "b" is refused, and the first goes with it.
    /// let error = store.commit([added("b"), added("b")]).unwrap_err();
    /// assert!(matches!(error, CommitError::Materialize { index: 1, .. }));
    /// assert_eq!(store.query(Note::all().count())?, 1);
    /// # Ok::<(), livestore::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit<E: Commit<S>>(&self, events: E) -> Result<Receipt, CommitError> {
        self.commit_with(|window_id| {
            let mut batch = Batch::new(window_id);
            events.encode(&mut batch)?;
            Ok(batch.entries)
        })
    }

    /// Commits the events that `encode` returns for the window with this id.
    pub(in crate::store) fn commit_with<E: From<CommitError>>(
        &self,
        encode: impl FnOnce(&str) -> Result<Vec<BatchEntry>, E>,
    ) -> Result<Receipt, E> {
        let span = tracing::debug_span!(
            "commit",
            db.system.name = "livestore",
            db.namespace = self.inner.store_id,
            db.operation.name = "commit",
            livestore.events = tracing::field::Empty,
        );
        let _entered = span.enter();
        let entries = encode(&self.inner.window_id)?;
        span.record("livestore.events", entries.len());
        Ok(self.inner.commit(entries)?.of(&self.inner))
    }
}

impl Inner {
    /// Commits the events. While another program has the log locked, it tries again for a moment, and
    /// no query has to wait for that.
    fn commit(&self, entries: Vec<BatchEntry>) -> Result<Receipt, CommitError> {
        self.commit_as(None, entries)
    }

    /// Commits the events; those of an `author` have its session id.
    pub(in crate::store) fn commit_as(
        &self,
        author: Option<&Arc<str>>,
        mut entries: Vec<BatchEntry>,
    ) -> Result<Receipt, CommitError> {
        let author = author.unwrap_or(&self.session_id);
        let mut patience = Patience::new();
        loop {
            match self.try_commit(author, &mut entries) {
                Err(CommitError::Eventlog(error)) if error.is_busy() && patience.wait() => {}
                done => return done,
            }
        }
    }

    /// If it fails, the entries are as they were.
    fn try_commit(
        &self,
        author: &Arc<str>,
        entries: &mut [BatchEntry],
    ) -> Result<Receipt, CommitError> {
        let slot = self.core()?;
        self.commit_in(slot, author, entries, None, None)
    }

    /// Commits the events, which were decided while the store was locked: by a command, or by undoing or
    /// redoing the next step, if it is given. If it fails, the entries are as they were.
    pub(in crate::store) fn commit_in(
        &self,
        mut slot: ExclusiveGuard<'_, Option<Core>>,
        author: &Arc<str>,
        entries: &mut [BatchEntry],
        command: Option<&Arc<PendingCommand>>,
        back: Option<&StepBack>,
    ) -> Result<Receipt, CommitError> {
        let observed = Observed::begin(&self.probe, entries);
        let core = slot.as_mut().ok_or(CommitError::Closed)?;
        if entries.is_empty() {
            return Ok(Receipt::new(Committed::at(Vec::new()), None));
        }
        let plan = CommitPlan::new(self, author, core, entries, command)?;
        let span = trace::write(&self.store_id, &plan.events);
        let _entered = span.enter();
        core.state.timings.note(observed.is_some());
        let savepoint = core.state.savepoint().map_err(CommitError::of_state)?;
        let is_own = Arc::ptr_eq(author, &self.session_id);
        let (recorder, way) =
            (is_own.then(|| core.recorder(back)).flatten(), back.map(|back| back.way));
        let materialized = plan.materialize(&core.state, recorder);
        let logged = materialized.and_then(|recorded| {
            let has_step = recorded.is_some();
            let undo = core.undo.plan(way, recorded);
            let notes = core.undo_notes(&undo);
            Ok((plan.write(&core.log, notes.as_ref())?, undo, has_step))
        });
        let (logged, undo, has_step) = match logged {
            Ok(logged) => logged,
            Err(error) => {
                savepoint.rollback().map_err(CommitError::State)?;
                if core.state.savepoint_lost()
                    && let Err(lost) = core.reapply_pending(&[])
                {
                    self.fail(&mut slot, &lost);
                }
                return Err(error);
            }
        };
        if let Err(error) = savepoint.release() {
            // There is no memory. If the log takes the events back, nothing has happened.
            core.undo.note_stored(false);
            return Err(match logged.retract(&core.log) {
                Ok(()) => CommitError::of_state(error),
                Err(_) => {
                    self.fail(&mut slot, &error);
                    CommitError::StateLost(error)
                }
            });
        }
        // Before the commit: once the leader has that, it has this, too.
        core.send_undo(&undo);
        let committed = logged.publish(core);
        let outcome = (is_own && core.is_pending(&committed))
            .then(|| core.own_commits.add(committed.as_slice().len()));
        let follows = matches!(core.order, Order::Leader(_));
        if follows {
            self.sessions.acks.committed(committed.as_slice().len());
        }
        core.note_undo(undo, way, has_step, outcome.as_ref());
        self.tail.advance(core.confirmed_head());
        let timings = core.state.timings.take();
        drop(slot);
        self.wake_sync();
        deliver();
        if let Some(observed) = observed {
            observed.notify(&self.probe, &committed, timings);
        }
        #[cfg(not(target_family = "wasm"))]
        if follows && self.sessions.is_synced() {
            self.sessions.acks.wait(PATIENCE)?;
        }
        Ok(Receipt::new(committed, outcome))
    }
}

/// A commit before it is written: events with their numbers, and the entries that they come from.
struct CommitPlan<'a> {
    events: Vec<EncodedEvent>,
    entries: &'a mut [BatchEntry],
    /// Whether others need them once they are written.
    is_shared: bool,
}

impl<'a> CommitPlan<'a> {
    fn new(
        store: &Inner,
        author: &Arc<str>,
        core: &Core,
        entries: &'a mut [BatchEntry],
        command: Option<&Arc<PendingCommand>>,
    ) -> Result<Self, CommitError> {
        // Where nobody decides the order but the store, nothing comes first.
        let mut command = command.filter(|_| !matches!(core.order, Order::Own));
        let mut events = Vec::with_capacity(entries.len());
        let mut head = core.state.head;
        for BatchEntry { def, args, .. } in entries.iter_mut() {
            if let Some(reason) = def.deprecation() {
                tracing::warn!(event = def.name(), reason, "a deprecated event is committed");
            }
            let (seq, parent) = head.next(def.is_client_only());
            events.push(EncodedEvent {
                seq,
                parent,
                name: def.name().into(),
                args: std::mem::take(args),
                client_id: Arc::clone(&store.client_id),
                session_id: Arc::clone(author),
                schema_hash: store.schema_hash,
                sync_metadata: None,
                continues: !events.is_empty(),
                command: command.take().cloned(),
            });
            head = seq;
        }
        let is_shared = !matches!(core.order, Order::Own) || core.has_sessions();
        let plan = Self { events, entries, is_shared };
        check(&plan.events, core.order.syncs())?;
        Ok(plan)
    }

    /// Applies the events to the state, under the savepoint of the caller. Returns what undoes them.
    fn materialize(
        &self,
        state: &State,
        mut recorder: Option<Recorder<'_>>,
    ) -> Result<Option<Recorded>, CommitError> {
        let mut writer = state.writer();
        for (index, (event, BatchEntry { def, set, .. })) in
            self.events.iter().zip(&*self.entries).enumerate()
        {
            if let Some(recorder) = &mut recorder {
                recorder.before(state, event)?;
            }
            state.apply(event, set, &mut writer).map_err(|error| match error {
                ApplyError::Event(source) => {
                    CommitError::Materialize { index, event: def.name(), source }
                }
                ApplyError::State(error) => CommitError::of_state(error),
            })?;
        }
        Ok(recorder.map(|recorder| recorder.finish(state, &self.events)).transpose()?.flatten())
    }

    fn write(
        mut self,
        log: &Eventlog,
        undo: Option<&UndoNotes>,
    ) -> Result<LoggedCommit, CommitError> {
        let committed = Committed::of(&self.events);
        let shared = self.is_shared.then(|| self.events.clone());
        let appended = match undo {
            Some(undo) => log.append_with(&mut self.events, undo),
            None => log.append(&mut self.events),
        };
        appended?;
        Ok(LoggedCommit { committed, shared })
    }
}

/// Refuses a commit that no backend would ever accept. `syncs`: whether there is one.
fn check(events: &[EncodedEvent], syncs: bool) -> Result<(), CommitError> {
    let (mut count, mut bytes) = (0, 0);
    for (index, event) in events.iter().enumerate().filter(|(_, event)| !event.is_client_only()) {
        let size = event.identity().wire_size();
        // Events that are committed have the names of the schema.
        let name = || match event.name {
            Cow::Borrowed(name) => name,
            Cow::Owned(_) => "an event",
        };
        if is_too_deep(&event.args) {
            return Err(CommitError::TooDeep { index, event: name() });
        }
        if size > MAX_BATCH_BYTES {
            return Err(CommitError::TooLarge { index, event: name(), bytes: size });
        }
        (count, bytes) = (count + 1, bytes + size);
    }
    if syncs && (count > MAX_EVENTS || bytes > MAX_BATCH_BYTES) {
        return Err(CommitError::CommitTooLarge { events: count, bytes });
    }
    Ok(())
}

/// Returns the check for commits that a command has decided again.
pub(in crate::store) fn check_events(
    syncs: bool,
) -> impl Fn(&[EncodedEvent]) -> Result<(), String> {
    move |events| check(events, syncs).map_err(|error| ErrorChain::new(&error).to_string())
}

/// Gives the args back to the entries, if they were not logged: the commit may be tried again.
impl Drop for CommitPlan<'_> {
    fn drop(&mut self) {
        for (event, entry) in self.events.drain(..).zip(self.entries.iter_mut()) {
            entry.args = event.args;
        }
    }
}

/// A commit that is in the log, but not published yet.
#[must_use = "a logged commit has to be published"]
struct LoggedCommit {
    committed: Committed,
    /// For the backend and the other sessions.
    shared: Option<Vec<EncodedEvent>>,
}

impl LoggedCommit {
    /// Takes the events out of the log again.
    fn retract(self, log: &Eventlog) -> Result<(), EventlogError> {
        match self.committed.as_slice().first() {
            Some(&first) => log.retract(first),
            None => Ok(()),
        }
    }

    fn publish(self, core: &mut Core) -> Committed {
        let Self { committed, shared } = self;
        if let Some(head) = committed.last() {
            core.state.head = head;
        }
        if let Some(events) = shared {
            core.share(events);
        }
        if let Some(snapshots) = &core.snapshots {
            snapshots.after_commit(committed.as_slice().len() as u64);
        }
        let changes = core.state.take_changes();
        core.note_pending_rows(core.state.head, &changes);
        core.update_live(&changes);
        core.state.recycle_changes(changes);
        committed
    }
}

impl Core {
    /// Whether the last commit, which got these numbers, waits for its place in the order.
    fn is_pending(&self, committed: &Committed) -> bool {
        let last = self.order.state().and_then(|state| state.pending.back());
        last.is_some_and(|last| committed.last() == Some(last.seq))
    }

    /// Hands a commit to whoever decides its place, and to the other sessions.
    pub(in crate::store) fn share(&mut self, events: Vec<EncodedEvent>) {
        let has_sessions = self.has_sessions();
        let theirs = has_sessions.then(|| events.clone());
        match &mut self.order {
            Order::Own => {}
            Order::Backend(engine) => engine.commit(events),
            Order::Leader(follower) => follower.commit(events),
        }
        if let Some(events) = theirs {
            self.broadcast(|| FromLeader::Changed(Change::Committed(events)));
        }
    }
}

impl Committed {
    /// These numbers.
    pub(in crate::store) fn at(seqs: Vec<SeqNum>) -> Self {
        Self(match *seqs {
            [seq] => Numbers::One(seq),
            _ => Numbers::Many(seqs),
        })
    }

    fn of(events: &[EncodedEvent]) -> Self {
        Self(match events {
            [event] => Numbers::One(event.seq),
            events => Numbers::Many(events.iter().map(|event| event.seq).collect()),
        })
    }

    /// Returns the last event's number, or `None` if there was no event.
    pub fn last(&self) -> Option<SeqNum> {
        self.as_slice().last().copied()
    }

    /// Returns all numbers.
    pub fn as_slice(&self) -> &[SeqNum] {
        match &self.0 {
            Numbers::One(seq) => std::slice::from_ref(seq),
            Numbers::Many(seqs) => seqs,
        }
    }
}
