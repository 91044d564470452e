use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore::Timestamp;
use livestore::sync::{More, SyncEvent};
use tokio::sync::watch;

use super::page::{Fill, Page};
use crate::store::{EventStore, Opened, Reply, StoreError, StoreId, StoredEvent};

/// The newest pages stay in memory, up to this size or one page: as far as a subscriber may lag
/// behind before it reads from the disk.
const RECENT_BYTES: usize = 128 << 10;

/// A store that somebody is connected to.
pub struct Room {
    store: Arc<dyn EventStore>,
    id: StoreId,
    backend_id: String,
    recent: Mutex<Recent>,
    head: watch::Sender<u64>,
}

#[derive(Default)]
struct Recent {
    pages: VecDeque<Arc<Page>>,
    bytes: usize,
}

/// What comes after a place.
#[derive(Debug)]
pub enum Next {
    /// Nothing yet.
    Nothing,
    /// These events.
    Page(Arc<Page>),
    /// Events that are no longer in memory: [`Room::read`] has them.
    OnDisk,
}

impl Room {
    pub(super) fn new(store: Arc<dyn EventStore>, id: StoreId, opened: Opened) -> Self {
        let Opened { backend_id, head, .. } = opened;
        Self { store, id, backend_id, recent: Mutex::default(), head: watch::Sender::new(head) }
    }

    /// The store.
    pub fn id(&self) -> &StoreId {
        &self.id
    }

    /// The id of the store's order.
    pub fn backend_id(&self) -> &str {
        &self.backend_id
    }

    /// The last event.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Follows the last event.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Appends events that chain, and tells them to everybody once they are durable.
    pub fn append(self: &Arc<Self>, events: &[SyncEvent], created_at: Timestamp, reply: Reply<()>) {
        let stored = |event: &SyncEvent| StoredEvent::new(event.clone(), created_at);
        let events: Arc<[StoredEvent]> = events.iter().map(stored).collect();
        let pages = Page::live(&events, &self.backend_id);
        if mutant!("publish before durable") {
            self.publish(pages.clone());
        }
        let room = Arc::clone(self);
        let publish = move |appended: Result<(), StoreError>| {
            if appended.is_ok() {
                room.publish(pages);
            }
            reply(appended);
        };
        self.store.append(&self.id, events, Box::new(publish));
    }

    /// What comes after an event, as far as it is in memory.
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

    /// The page after an event, from the disk; waits for it.
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

    /// The page that says that there is nothing after `head`.
    pub fn nothing_after(&self, head: u64) -> Page {
        Page::new(head, &[], More::No, &self.backend_id)
    }

    /// Whether the store has these very events at their numbers; waits for the disk.
    ///
    /// An event's identity is its name, args, client and session.
    pub fn has(&self, events: &[SyncEvent]) -> Result<bool, StoreError> {
        self.store.has(&self.id, events)
    }

    fn publish(&self, pages: Vec<Page>) {
        let Some(head) = pages.last().map(|page| page.last) else { return };
        self.recent().add(pages);
        self.head.send_replace(head);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn add(&mut self, pages: Vec<Page>) {
        for page in pages {
            self.bytes += page.json.len();
            self.pages.push_back(Arc::new(page));
        }
        while self.bytes > RECENT_BYTES
            && self.pages.len() > 1
            && let Some(oldest) = self.pages.pop_front()
        {
            self.bytes -= oldest.json.len();
        }
    }
}
