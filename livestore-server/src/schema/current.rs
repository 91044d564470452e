//! One store's state, and how it gets up to date.

use std::ops::ControlFlow;

use livestore::event::EncodedEvent;
use livestore::replica::{Replica, ReplicaError};
use livestore::schema::Schema;
use livestore_protocol::SyncEvent;

use super::ReadError;
use crate::store::{EventStore, StoreError, StoreId};

/// The most events that are read at once, and about the most bytes.
const PAGE_EVENTS: usize = 4_096;
const PAGE_BYTES: u64 = 8 << 20;

/// The state of a store, if it was made already.
pub(super) struct Slot<S> {
    made: Option<Made<S>>,
}

struct Made<S> {
    replica: Replica<S>,
    /// The last event that was read.
    last: Option<SyncEvent>,
}

/// Events that follow one another.
struct Page {
    events: Vec<SyncEvent>,
    more: bool,
}

impl<S: Schema> Slot<S> {
    pub(super) fn empty() -> Self {
        Self { made: None }
    }

    /// Brings the state up to the store's last event, and returns it; blocks. Calls `on_new` if it is made
    /// of all events.
    pub(super) fn update(
        &mut self,
        store: &StoreId,
        events: &dyn EventStore,
        max_bytes: u64,
        mut on_new: impl FnMut(),
    ) -> Result<&mut Replica<S>, ReadError> {
        // What could not go on is no longer of use.
        let mut made = match self.made.take() {
            Some(made) => made,
            None => {
                on_new();
                Made::new(max_bytes)?
            }
        };
        match made.update(store, events) {
            Ok(()) => {}
            Err(ReadError::State(ReplicaError::Rebuild)) => {
                on_new();
                made = Made::new(max_bytes)?;
                made.update(store, events)?;
            }
            // The events could not be read: the state is as it was.
            Err(error @ ReadError::Events(_)) => {
                self.made = Some(made);
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        Ok(&mut self.made.insert(made).replica)
    }

    /// Returns the state as it is, if there is one.
    pub(super) fn replica(&mut self) -> Option<&mut Replica<S>> {
        Some(&mut self.made.as_mut()?.replica)
    }
}

impl<S: Schema> Made<S> {
    fn new(max_bytes: u64) -> Result<Self, ReadError> {
        let replica = Replica::new(max_bytes).map_err(ReplicaError::from)?;
        Ok(Self { replica, last: None })
    }

    fn update(&mut self, store: &StoreId, events: &dyn EventStore) -> Result<(), ReadError> {
        loop {
            let page = self.read(store, events)?;
            if let Some(last) = page.events.last() {
                self.last = Some(last.clone());
            }
            let events = page.events.into_iter().map(EncodedEvent::from).collect();
            self.replica.apply(events, page.more)?;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Reads the events after the last one, which is read once more: a store that was restored from a
    /// backup, or made anew under the same id, has another one there, or none.
    fn read(&self, store: &StoreId, events: &dyn EventStore) -> Result<Page, ReadError> {
        let mut page = Page { events: Vec::new(), more: false };
        let (mut is_same, mut bytes) = (self.last.is_none(), 0);
        let after = self.last.as_ref().map_or(0, |last| last.seq.saturating_sub(1));
        events.read(store, after, &mut |stored| {
            if let (false, Some(last)) = (is_same, &self.last) {
                let event = stored.event();
                is_same = event.seq == last.seq && event.identity() == last.identity();
                return if is_same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            }
            page.more = page.events.len() == PAGE_EVENTS || bytes > PAGE_BYTES;
            if page.more {
                return ControlFlow::Break(());
            }
            bytes += stored.size();
            page.events.push(stored.event().clone());
            ControlFlow::Continue(())
        })?;
        match is_same {
            true => Ok(page),
            false => Err(ReplicaError::Rebuild.into()),
        }
    }
}

impl ReadError {
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Events(StoreError::Unknown))
    }
}
