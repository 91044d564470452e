//! The stores that somebody is connected to, and what is new in them.
//!
//! A subscriber is a place in its store's order, nothing else: it asks its [`Room`] for what comes
//! after, and gets it from memory, or is sent to the disk. So there is no gap between stored and
//! live events, none is told twice, and a slow subscriber holds no memory.

mod page;
mod room;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub use page::Page;
pub use room::{Next, Room};

use crate::store::{EventStore, Opened, Reply, StoreError, StoreId};

/// All rooms. There is one for each store that somebody is connected to.
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
    /// The rooms of this storage's stores.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store, rooms: Arc::default() }
    }

    /// The storage.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Enters the store's room; makes the store if it is new. A room lasts while somebody holds it.
    ///
    /// The storage answers for a store in order, and the room is made within its answer. So the
    /// room's head is right: an event that is not in it is published to it.
    pub fn enter(&self, id: &StoreId, reply: Reply<Arc<Room>>) {
        if let Some(room) = self.rooms().find(id) {
            return reply(Ok(room));
        }
        let (hub, wanted) = (self.clone(), id.clone());
        let enter = move |opened: Result<Opened, StoreError>| {
            reply(opened.map(|opened| hub.find_or_make(wanted, opened)));
        };
        self.store.open(id, Box::new(enter));
    }

    fn find_or_make(&self, id: StoreId, opened: Opened) -> Arc<Room> {
        let mut rooms = self.rooms();
        rooms.find(&id).unwrap_or_else(|| {
            let room = Arc::new(Room::new(Arc::clone(&self.store), id, opened));
            rooms.add(&room);
            room
        })
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    fn find(&self, id: &StoreId) -> Option<Arc<Room>> {
        self.open.get(id).and_then(Weak::upgrade)
    }

    fn add(&mut self, room: &Arc<Room>) {
        if self.open.len() >= self.sweep_at {
            self.open.retain(|_, room| room.strong_count() > 0);
            self.sweep_at = 64.max(self.open.len() * 2);
        }
        self.open.insert(room.id().clone(), Arc::downgrade(room));
    }
}
