//! The stores that clients are connected to, and their new events.
//!
//! A subscriber is nothing but a place in its store's order: it asks its [`Room`] for the events after
//! it, and gets them from memory, or reads them from the disk. So there is no gap between stored and
//! live events, none is sent twice, and a slow subscriber takes no memory.

mod page;
mod room;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub(crate) use page::Page;
pub(crate) use room::Next;
pub use room::Room;

use crate::store::{EventStore, Reply, StoreError, StoreId, StoreInfo};

/// All rooms. There is one for each store that a client is connected to.
#[derive(Clone)]
pub struct Hub {
    store: Arc<dyn EventStore>,
    rooms: Arc<Mutex<Rooms>>,
}

#[derive(Default)]
struct Rooms {
    open: HashMap<StoreId, Weak<Room>>,
    /// Closed rooms are swept out once the map is this large.
    sweep_at: usize,
}

impl Hub {
    /// Returns the rooms of this storage's stores.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store, rooms: Arc::default() }
    }

    /// Returns the storage.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Enters the room of a store, and creates the store if it is new. A room lasts until its last
    /// owner drops it.
    ///
    /// The storage answers for a store in order, and the room is created within its answer. So the
    /// room's head is right: every event after it is published to the room, or passed to it by the
    /// storage. If other servers append to the store, the storage is asked for its head each time, so
    /// that a client finds here what was acknowledged to it elsewhere.
    pub fn enter(&self, id: &StoreId, reply: Reply<Arc<Room>>) {
        let found = self.rooms().find(id);
        if let Some(room) = found.filter(|room| !room.is_shared()) {
            return reply(Ok(room));
        }
        let (hub, wanted) = (self.clone(), id.clone());
        let enter = move |opened: Result<StoreInfo, StoreError>| {
            reply(opened.map(|opened| hub.find_or_make(wanted, opened)));
        };
        self.store.open(id, Box::new(enter));
    }

    fn find_or_make(&self, id: StoreId, opened: StoreInfo) -> Arc<Room> {
        let mut rooms = self.rooms();
        match rooms.find(&id).filter(|room| room.backend_id() == opened.backend_id) {
            Some(room) => {
                room.advance(opened.head);
                room
            }
            None => {
                let room = Room::new(Arc::clone(&self.store), id, opened);
                rooms.add(&room);
                room
            }
        }
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    fn find(&self, id: &StoreId) -> Option<Arc<Room>> {
        self.open.get(id).and_then(Weak::upgrade).filter(|room| !room.is_lost())
    }

    fn add(&mut self, room: &Arc<Room>) {
        if self.open.len() >= self.sweep_at {
            self.open.retain(|_, room| room.strong_count() > 0);
            self.sweep_at = 64.max(self.open.len() * 2);
        }
        self.open.insert(room.id().clone(), Arc::downgrade(room));
    }
}
