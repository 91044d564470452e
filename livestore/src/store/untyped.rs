//! Stores whose types are not known: their log is written, and no state is made of it.

use std::sync::Arc;

use livestore_protocol::is_too_deep;

use super::{Inner, Store};
use crate::error::Unavailable;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::EventlogError;
use crate::schema::{Schema, SchemaDef};
use crate::sync::{MAX_BATCH_BYTES, MAX_DEPTH};

/// The schema of a store whose types are not known, for tools that move events: importers, backups, a
/// client that only syncs.
///
/// A store that is opened with it has its eventlog and its sync, and no state. Nothing is lost by that:
/// events that are appended or pulled are in the log, and the app, which knows them, materializes them
/// when it opens the store. Its snapshot is left alone.
///
/// Such a store is not shared: while an app has it open, it is [`Locked`](super::OpenError::Locked), and
/// while this one is open, no app can open it.
///
/// ```
/// use livestore::prelude::*;
/// use livestore::store::Untyped;
///
/// let store = Store::<Untyped>::builder("todos").open()?;
/// assert_eq!(store.head()?, SeqNum::ROOT);
/// # Ok::<(), livestore::Error>(())
/// ```
#[derive(Debug)]
pub enum Untyped {}

impl Schema for Untyped {
    const NAME: &'static str = "Untyped";

    fn def() -> &'static SchemaDef {
        SchemaDef::untyped()
    }
}

/// Why events could not be appended. None of them was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// An event does not follow the one before it.
    #[error("the event {seq} does not follow {head}, which comes before it")]
    OutOfOrder {
        /// The event's number.
        seq: SeqNum,
        /// The event before it, here.
        head: SeqNum,
    },
    /// An event is larger than a sync backend accepts.
    #[error("the event {seq} takes {bytes} bytes; a sync backend accepts up to {MAX_BATCH_BYTES}")]
    TooLarge {
        /// The event's number.
        seq: SeqNum,
        /// The number of bytes it takes on the wire.
        bytes: usize,
    },
    /// The args of an event nest deeper than a sync backend accepts.
    #[error(
        "the args of the event {seq} nest deeper than {MAX_DEPTH} levels, which no sync backend accepts"
    )]
    TooDeep {
        /// The event's number.
        seq: SeqNum,
    },
    /// The log cannot be written.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
}

impl From<Unavailable> for AppendError {
    fn from(reason: Unavailable) -> Self {
        Self::Eventlog(reason.into())
    }
}

impl Store<Untyped> {
    /// Adds events that have their numbers already behind the last event, all of them or none. With a
    /// backend, they are pending.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append(&self, events: Vec<EncodedEvent>) -> Result<(), AppendError> {
        self.inner.append(events)
    }

    /// Returns events that would follow the last one as one commit of this session: a name and args of
    /// JSON each, and whether it stays on its client. [`append`](Self::append) adds them.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn number(
        &self,
        events: impl IntoIterator<Item = (String, String, bool)>,
    ) -> Result<Vec<EncodedEvent>, AppendError> {
        let mut head = self.inner.with_core(|core| core.state.head)?;
        let mut numbered = Vec::new();
        for (name, args, is_client_only) in events {
            let (seq, parent) = head.next(is_client_only);
            numbered.push(EncodedEvent {
                seq,
                parent,
                name: name.into(),
                args,
                client_id: Arc::clone(&self.inner.client_id),
                session_id: Arc::clone(&self.inner.session_id),
                schema_hash: self.inner.schema_hash,
                sync_metadata: None,
                continues: !numbered.is_empty(),
                command: None,
            });
            head = seq;
        }
        Ok(numbered)
    }
}

impl Inner {
    fn append(&self, mut events: Vec<EncodedEvent>) -> Result<(), AppendError> {
        let mut slot = self.core()?;
        let core = slot.as_mut().ok_or(Unavailable::Closed)?;
        let mut head = core.state.head;
        for event in &events {
            check(event, head)?;
            head = event.seq;
        }
        let pending = core.order.syncs().then(|| events.clone());
        core.log.append(&mut events)?;
        core.state.head = head;
        if let Some(events) = pending {
            core.share(events);
        }
        self.tail.advance(core.confirmed_head());
        drop(slot);
        self.wake_sync();
        Ok(())
    }
}

/// Checks that the event comes right behind `head`, and that a backend can accept it.
fn check(event: &EncodedEvent, head: SeqNum) -> Result<(), AppendError> {
    let seq = event.seq;
    let place = |seq: SeqNum| (seq.global, seq.client);
    let (next, parent) = head.next(event.is_client_only());
    if place(seq) != place(next) || place(event.parent) != place(parent) {
        return Err(AppendError::OutOfOrder { seq, head });
    }
    if is_too_deep(&event.args) {
        return Err(AppendError::TooDeep { seq });
    }
    match event.identity().wire_size() {
        bytes if bytes > MAX_BATCH_BYTES && !event.is_client_only() => {
            Err(AppendError::TooLarge { seq, bytes })
        }
        _ => Ok(()),
    }
}
