//! Committing events.

use std::sync::Arc;

use super::{CommitError, Core, Inner, Store};
use crate::event::{EncodedEvent, SeqNum};
use crate::live::{deliver, enqueue};
use crate::schema::{Batch, Commit, Entry, Schema};
use crate::sync::MAX_BATCH_BYTES;

/// The numbers that committed events got, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed(Numbers);

/// Most commits have one event, which needs no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Numbers {
    One(SeqNum),
    Many(Vec<SeqNum>),
}

impl Committed {
    fn of(events: &[EncodedEvent]) -> Self {
        Self(match events {
            [event] => Numbers::One(event.seq),
            events => Numbers::Many(events.iter().map(|event| event.seq).collect()),
        })
    }

    /// The last event's number; `None` if there was no event.
    pub fn last(&self) -> Option<SeqNum> {
        self.as_slice().last().copied()
    }

    /// All numbers.
    pub fn as_slice(&self) -> &[SeqNum] {
        match &self.0 {
            Numbers::One(seq) => std::slice::from_ref(seq),
            Numbers::Many(seqs) => seqs,
        }
    }
}

impl<S: Schema> Store<S> {
    /// Commits an event, or several as one: an array, `Vec` or tuple of events.
    ///
    /// The events are materialized, logged, and then visible to queries. If any of that fails,
    /// none of it has happened: nothing is logged, nothing is changed, and the store works on.
    ///
    /// State is made from the encoded event, just as a replay will make it.
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
    pub fn commit<E: Commit<S>>(&self, events: E) -> Result<Committed, CommitError> {
        let span = tracing::debug_span!("commit", count = tracing::field::Empty);
        let _entered = span.enter();
        let mut batch = Batch::new(&self.inner.session_id);
        events.encode(&mut batch)?;
        span.record("count", batch.entries.len());
        self.inner.commit(batch.entries)
    }
}

impl Inner {
    fn commit(&self, entries: Vec<Entry>) -> Result<Committed, CommitError> {
        let mut core = self.core();
        let open = core.as_mut().ok_or(CommitError::Closed)?;
        if entries.is_empty() {
            return Ok(Committed(Numbers::Many(Vec::new())));
        }
        open.state.begin().map_err(CommitError::State)?;
        let logged = self.materialize(open, entries).and_then(|events| {
            let committed = Committed::of(&events);
            let to_push = open.sync.is_some().then(|| events.clone());
            match open.log.append(events) {
                Err(_) if mutant!("commit what was not logged") => {}
                logged => logged?,
            }
            Ok((committed, to_push))
        });
        let (committed, to_push) = match logged {
            Ok(logged) => logged,
            Err(error) => {
                self.undo(&mut core)?;
                return Err(error);
            }
        };
        if let Err(error) = open.state.keep() {
            self.lose(&mut core);
            return Err(CommitError::StateLost(error));
        }
        open.moved(&committed, to_push, &self.tail);
        open.follow(&self.session_id);
        drop(core);
        self.nudge();
        deliver();
        Ok(committed)
    }

    fn undo(&self, core: &mut Option<Core>) -> Result<(), CommitError> {
        let Some(open) = core else { return Ok(()) };
        if mutant!("forget a rollback") {
            return open.state.keep().map_err(CommitError::State);
        }
        open.state.undo().map_err(CommitError::State)?;
        if open.state.is_shaken()
            && let Err(error) = open.apply_again(&self.session_id)
        {
            tracing::error!(%error, "the store is closed; opening it again makes the state anew");
            self.lose(core);
        }
        Ok(())
    }

    /// The state is lost: only the log is right.
    pub(super) fn lose(&self, core: &mut Option<Core>) {
        *core = None;
        self.tail.close();
    }

    fn materialize(
        &self,
        core: &Core,
        entries: Vec<Entry>,
    ) -> Result<Vec<EncodedEvent>, CommitError> {
        let mut events = Vec::with_capacity(entries.len());
        let mut head = core.state.head;
        for (index, Entry { def, args, set }) in entries.into_iter().enumerate() {
            if let Some(reason) = def.deprecation() {
                tracing::warn!(event = def.name(), reason, "a deprecated event is committed");
            }
            let (seq, parent) = head.next(def.is_client_only());
            let event = EncodedEvent {
                seq,
                parent,
                name: def.name().into(),
                args,
                client_id: Arc::clone(&self.client_id),
                session_id: Arc::clone(&self.session_id),
                schema_hash: self.schema_hash,
                sync_metadata: None,
            };
            let bytes = event.identity().wire_size();
            if bytes > MAX_BATCH_BYTES && !event.is_client_only() {
                return Err(CommitError::TooLarge { index, event: def.name(), bytes });
            }
            core.state.apply(&event, &set).map_err(|source| CommitError::Materialize {
                index,
                event: def.name(),
                source,
            })?;
            head = seq;
            events.push(event);
        }
        Ok(events)
    }
}

impl Core {
    /// Brings the live queries up to date; their subscribers are called once no lock is held.
    fn follow(&mut self, session_id: &str) {
        let changes = self.state.take_changes();
        if !changes.is_empty() {
            enqueue(self.live.apply(&changes, &self.state.reader(session_id)));
        }
        self.state.recycle_changes(changes);
    }

    /// Tells everybody who waits for events.
    fn moved(
        &mut self,
        committed: &Committed,
        to_push: Option<Vec<EncodedEvent>>,
        tail: &super::Tail,
    ) {
        let seqs = committed.as_slice();
        if let Some(&head) = seqs.last() {
            self.state.head = head;
        }
        if let (Some(engine), Some(events)) = (&mut self.sync, to_push) {
            engine.committed(events);
        }
        tail.advance(self.confirmed_head());
        if let Some(snapshots) = &self.snapshots {
            snapshots.after_commit(seqs.len() as u64);
        }
    }
}
