use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use livestore_protocol::More;
use tokio::sync::watch;

use super::page::{Fill, Page};
use crate::store::{EventStore, StoreError, StoreId, StoreInfo, StoredEvent, Watcher};

/// The bytes of the newest pages that stay in memory, or one page: as far as a subscriber may lag
/// behind before it reads from the disk.
const RECENT_BYTES: usize = 128 << 10;

/// A store that clients are connected to.
pub struct Room {
    store: Arc<dyn EventStore>,
    id: StoreId,
    backend_id: Arc<str>,
    /// Whether others append to the store, too, through the same engine.
    shared: OnceLock<bool>,
    recent: Mutex<Recent>,
    /// Changed only while `recent` is locked.
    head: watch::Sender<u64>,
    /// Why the room has no more news of the store, if it has none.
    lost: watch::Sender<Option<StoreError>>,
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
    pub(super) fn new(store: Arc<dyn EventStore>, id: StoreId, opened: StoreInfo) -> Arc<Self> {
        let StoreInfo { backend_id, head, .. } = opened;
        let room = Arc::new(Self {
            store,
            id,
            backend_id: backend_id.into(),
            shared: OnceLock::new(),
            recent: Mutex::default(),
            head: watch::Sender::new(head),
            lost: watch::Sender::new(None),
        });
        let watcher: Weak<Self> = Arc::downgrade(&room);
        let shared = room.store.watch(&room.id, watcher);
        room.shared.get_or_init(|| shared);
        room
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

    /// Returns a receiver that is notified when the room has no more news of the store. Who is in it
    /// then has to leave, and may enter again.
    pub fn watch_lost(&self) -> watch::Receiver<Option<StoreError>> {
        self.lost.subscribe()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.borrow().is_some()
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.get().is_some_and(|shared| *shared)
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
            match &result {
                Ok(()) => room.publish(&appended),
                // Others were first, and their events may not be here yet.
                Err(StoreError::Behind { head }) => room.advance(*head),
                Err(_) => {}
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

    /// Reads the page after an event from the disk, of at most this many bytes if it has several
    /// events; blocks.
    ///
    /// A client may know more than this server does, from another one. Then the event has to be in
    /// the storage; otherwise the answer is [`StoreError::Behind`].
    pub fn read(&self, after: u64, max_bytes: usize) -> Result<Page, StoreError> {
        let (mut events, mut fill) = (Vec::new(), Fill::up_to(max_bytes));
        let head = self.head();
        let mut is_here = after <= head;
        let from = if is_here { after } else { after.saturating_sub(1) };
        self.store.read(&self.id, from, &mut |stored| {
            if stored.event().seq == after {
                is_here = true;
                return ControlFlow::Continue(());
            }
            if !is_here || !fill.take(stored.event()) {
                return ControlFlow::Break(());
            }
            events.push(stored);
            ControlFlow::Continue(())
        })?;
        if !is_here {
            return Err(StoreError::Behind { head });
        }
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

    /// Publishes events that were appended. The answers to this server's appends and the news of
    /// others' come in any order, so some of them may be known.
    fn publish(&self, events: &Arc<[StoredEvent]>) {
        let Some(last) = events.last() else { return };
        let mut recent = self.recent();
        let head = self.head();
        if last.event().seq <= head {
            return;
        }
        match events.iter().position(|stored| stored.event().parent == head) {
            Some(index) if index > 0 => {
                let new = events.get(index..).unwrap_or_default();
                recent.add(Page::live(&new.into(), &self.backend_id));
            }
            // After a gap, subscribers read what lies in it.
            _ => recent.add(Page::live(events, &self.backend_id)),
        }
        self.head.send_replace(last.event().seq);
    }

    /// Notes that the store has events up to `head`. Those that are not in memory are read.
    pub(crate) fn advance(&self, head: u64) {
        let _recent = self.recent();
        self.head.send_if_modified(|known| {
            let is_new = head > *known;
            *known = head.max(*known);
            is_new
        });
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Room {
    fn head(&self) -> u64 {
        self.head()
    }

    fn appended(&self, events: Arc<[StoredEvent]>) {
        self.publish(&events);
    }

    fn lost(&self, error: StoreError) {
        self.lost.send_replace(Some(error));
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
