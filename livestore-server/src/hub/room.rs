use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore_protocol::More;
use tokio::sync::watch;

use super::page::{Fill, Page};
use crate::store::{EventStore, StoreError, StoreId, StoreInfo, StoredEvent};

/// The bytes of the newest pages that stay in memory, or one page: as far as a subscriber may lag
/// behind before it reads from the disk.
const RECENT_BYTES: usize = 128 << 10;

/// A store that clients are connected to.
pub struct Room {
    store: Arc<dyn EventStore>,
    id: StoreId,
    backend_id: Arc<str>,
    recent: Mutex<Recent>,
    head: watch::Sender<u64>,
}

#[derive(Default)]
struct Recent {
    pages: VecDeque<Arc<Page>>,
    bytes: usize,
}

/// The events after a place.
#[derive(Debug)]
pub enum Next {
    /// There are none yet.
    Nothing,
    /// This page.
    Page(Arc<Page>),
    /// They are no longer in memory: read them with [`Room::read`].
    OnDisk,
}

impl Room {
    pub(super) fn new(store: Arc<dyn EventStore>, id: StoreId, opened: StoreInfo) -> Self {
        let StoreInfo { backend_id, head, .. } = opened;
        Self {
            store,
            id,
            backend_id: backend_id.into(),
            recent: Mutex::default(),
            head: watch::Sender::new(head),
        }
    }

    /// Returns the id of the store.
    pub fn id(&self) -> &StoreId {
        &self.id
    }

    /// Returns the id of the store's order.
    pub fn backend_id(&self) -> &str {
        &self.backend_id
    }

    /// Returns the sequence number of the last event.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Returns a receiver that is notified of every new head.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Appends events that follow one another, and publishes them once they are durable. Then it
    /// calls `done`, from any thread, in the order of the store's events.
    pub fn append(
        self: &Arc<Self>,
        events: Arc<[StoredEvent]>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let (room, appended) = (Arc::clone(self), Arc::clone(&events));
        let reply = move |result: Result<(), StoreError>| {
            if result.is_ok() {
                room.publish(&appended);
            }
            done(result);
        };
        self.store.append(&self.id, events, Box::new(reply));
    }

    /// Returns the page after an event, if it is in memory.
    pub fn after(&self, seq: u64) -> Next {
        if seq >= self.head() {
            return Next::Nothing;
        }
        let recent = self.recent();
        let index = recent.pages.partition_point(|page| page.after < seq);
        match recent.pages.get(index) {
            Some(page) if page.after == seq => Next::Page(Arc::clone(page)),
            _ => Next::OnDisk,
        }
    }

    /// Reads the page after an event from the disk; blocks.
    pub fn read(&self, after: u64) -> Result<Page, StoreError> {
        let (mut events, mut fill) = (Vec::new(), Fill::default());
        self.store.read(&self.id, after, &mut |stored| {
            if !fill.take(stored.event()) {
                return ControlFlow::Break(());
            }
            events.push(stored);
            ControlFlow::Continue(())
        })?;
        let last = events.last().map_or(after, |last| last.event().seq);
        let more = match self.head().saturating_sub(last) {
            0 => More::No,
            remaining => More::Known(remaining),
        };
        Ok(Page::new(after, &events, more, &self.backend_id))
    }

    /// Returns the empty page after `head`.
    pub fn nothing_after(&self, head: u64) -> Page {
        Page::new(head, &[], More::No, &self.backend_id)
    }

    /// Returns whether the store has these very events; blocks.
    pub fn has(&self, events: &[StoredEvent]) -> Result<bool, StoreError> {
        self.store.has(&self.id, events)
    }

    fn publish(&self, events: &Arc<[StoredEvent]>) {
        let Some(last) = events.last() else { return };
        self.recent().add(Page::live(events, &self.backend_id));
        self.head.send_replace(last.event().seq);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn add(&mut self, pages: Vec<Page>) {
        for page in pages {
            self.bytes += page.size;
            self.pages.push_back(Arc::new(page));
        }
        while self.bytes > RECENT_BYTES
            && self.pages.len() > 1
            && let Some(oldest) = self.pages.pop_front()
        {
            self.bytes -= oldest.size;
        }
    }
}
