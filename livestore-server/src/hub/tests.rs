//! Rooms of a store that other servers append to, too.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, Weak, mpsc};

use livestore_protocol::{SyncEvent, Timestamp};

use super::*;
use crate::store::{MemoryStore, StoreLimits, StoredEvent, Watcher};

/// A storage that others can append to: those who watch it are notified when the test wants it.
struct SharedStore {
    memory: Arc<MemoryStore>,
    watchers: Mutex<Vec<Weak<dyn Watcher>>>,
}

impl EventStore for SharedStore {
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>) {
        self.memory.open(store, reply);
    }

    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>) {
        self.memory.open_as(store, backend_id, reply);
    }

    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>) {
        self.memory.append(store, events, reply);
    }

    fn check(&self, reply: Reply<()>) {
        self.memory.check(reply);
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.memory.read(store, after, visit)
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.memory.list()
    }

    fn watch(&self, _: &StoreId, watcher: Weak<dyn Watcher>) -> bool {
        self.watchers.lock().unwrap().push(watcher);
        true
    }
}

/// Two servers over one storage, and a room at each.
struct Two {
    stores: [Arc<SharedStore>; 2],
    hubs: [Hub; 2],
    rooms: [Arc<Room>; 2],
}

impl Two {
    fn new() -> Self {
        let memory = Arc::new(MemoryStore::new(StoreLimits::NONE));
        let stores = [(); 2].map(|()| {
            Arc::new(SharedStore { memory: Arc::clone(&memory), watchers: Mutex::default() })
        });
        let hubs =
            stores.each_ref().map(|store| Hub::new(Arc::clone(store) as Arc<dyn EventStore>));
        let rooms = hubs.each_ref().map(enter);
        Self { stores, hubs, rooms }
    }

    /// Appends events at a server, of which the other one knows nothing yet.
    fn append(&self, server: usize, parent: u64, count: u64) -> Result<(), StoreError> {
        ask(|reply| self.rooms[server].append(chain(parent, count), reply))
    }

    fn watcher(&self, server: usize) -> Arc<dyn Watcher> {
        self.stores[server].watchers.lock().unwrap().last().unwrap().upgrade().unwrap()
    }
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap()
}

fn enter(hub: &Hub) -> Arc<Room> {
    ask(|reply| hub.enter(&StoreId::new("st").unwrap(), reply)).unwrap()
}

fn chain(parent: u64, count: u64) -> Arc<[StoredEvent]> {
    let event = |parent| SyncEvent {
        seq: parent + 1,
        parent,
        name: "n".to_owned(),
        args: "{}".to_owned(),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    };
    let stored = |parent| StoredEvent::new(event(parent), Timestamp::from_millis(0));
    (parent..parent + count).map(stored).collect()
}

/// The last event of the page after `seq`, if it is in memory.
fn in_memory(room: &Room, seq: u64) -> Option<u64> {
    match room.after(seq) {
        Next::Page(page) => Some(page.last),
        Next::Nothing | Next::OnDisk => None,
    }
}

#[test]
fn events_of_another_server_are_published_once() {
    let two = Two::new();
    two.append(0, 0, 3).unwrap();
    assert_eq!(two.rooms[1].head(), 0);
    two.watcher(1).appended(chain(0, 3));
    assert_eq!((two.rooms[1].head(), in_memory(&two.rooms[1], 0)), (3, Some(3)));
    // Its own events may come back, together with others.
    two.append(1, 3, 2).unwrap();
    two.append(0, 5, 1).unwrap();
    let mut changes = two.rooms[1].watch();
    two.watcher(1).appended(chain(1, 4));
    assert!(!changes.has_changed().unwrap(), "nothing is new");
    two.watcher(1).appended(chain(3, 3));
    assert!(changes.has_changed().unwrap());
    changes.borrow_and_update();
    assert_eq!((two.rooms[1].head(), in_memory(&two.rooms[1], 5)), (6, Some(6)));
    assert_eq!(two.rooms[0].head(), 6);
}

#[test]
fn what_lies_in_a_gap_is_read() {
    let two = Two::new();
    two.append(0, 0, 9).unwrap();
    two.watcher(1).appended(chain(7, 2));
    let room = &two.rooms[1];
    assert_eq!(room.head(), 9);
    assert!(matches!(room.after(0), Next::OnDisk));
    assert_eq!(room.read(0, usize::MAX).unwrap().last, 9);
    assert_eq!(in_memory(room, 7), Some(9));
}

#[test]
fn a_refused_push_shows_that_others_were_first() {
    let two = Two::new();
    two.append(0, 0, 4).unwrap();
    assert_eq!(two.append(1, 0, 1), Err(StoreError::Behind { head: 4 }));
    assert_eq!(two.rooms[1].head(), 4, "so its clients pull, and push again");
    assert!(matches!(two.rooms[1].after(0), Next::OnDisk));
}

#[test]
fn a_client_that_was_at_another_server_is_served() {
    let two = Two::new();
    two.append(0, 0, 4).unwrap();
    // It is here before the news are.
    let page = two.rooms[1].read(3, usize::MAX).unwrap();
    assert_eq!((page.after, page.last), (3, 4));
    let page = two.rooms[1].read(4, usize::MAX).unwrap();
    assert_eq!((page.after, page.last), (4, 4));
    assert_eq!(two.rooms[1].read(5, usize::MAX).unwrap_err(), StoreError::Behind { head: 0 });
    assert_eq!(
        two.rooms[1].read(u64::MAX, usize::MAX).unwrap_err(),
        StoreError::Behind { head: 0 }
    );
    // Whoever enters is notified of the newest head.
    assert!(Arc::ptr_eq(&enter(&two.hubs[1]), &two.rooms[1]));
    assert_eq!(two.rooms[1].head(), 4);
}

#[test]
fn a_room_without_news_is_left_for_a_new_one() {
    let two = Two::new();
    let lost = two.rooms[1].watch_lost();
    let problem = StoreError::Unavailable("it is silent".to_owned());
    two.watcher(1).lost(problem.clone());
    assert_eq!(*lost.borrow(), Some(problem));
    two.append(0, 0, 1).unwrap();
    let room = enter(&two.hubs[1]);
    assert!(!Arc::ptr_eq(&room, &two.rooms[1]));
    assert_eq!(room.head(), 1);
    two.append(0, 1, 1).unwrap();
    two.watcher(1).appended(chain(1, 1));
    assert_eq!(room.head(), 2);
}
