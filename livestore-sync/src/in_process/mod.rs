//! A backend in the same program.

mod log;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore::sync::{ConnectRequest, Connection, Cursor, MessageSender, SyncBackend, SyncEvent};

use state::State;

/// A sync backend in the same program, for several stores in one program and for tests.
///
/// It does what a server does: a push is taken whole if it follows the last event, and told to
/// every store of that id in one order, also to the one that pushed. Clones are the same backend.
///
/// ```
/// use livestore_sync::{InProcess, NextPush};
///
/// let backend = InProcess::new();
/// backend.set_online(false);                 // all links are lost, and none can be made
/// backend.set_online(true);
/// backend.on_next_push(NextPush::LoseAck);   // taken, but the store does not hear of it
/// assert!(backend.events("todos").is_empty());
/// ```
///
/// Everything is told on the thread of whoever calls, one thing after another: what is told may
/// call back.
#[derive(Debug, Clone, Default)]
pub struct InProcess {
    state: Arc<Mutex<State>>,
}

/// What becomes of the next push, to see that a store gets over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextPush {
    /// It is not taken, and the store is told that it failed.
    Fail,
    /// It is not taken: the connection is lost before.
    Lose,
    /// It is taken, but the connection is lost before the store hears of it.
    LoseAck,
    /// It is taken, and the store hears so, but the connection is lost before the events come back.
    LoseBroadcast,
}

impl InProcess {
    /// An empty backend with an id of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the backend off the net, which loses all links, or brings it back.
    pub fn set_online(&self, online: bool) {
        self.with(|state| state.set_online(online));
    }

    /// Says what becomes of the next push, of whichever store.
    pub fn on_next_push(&self, next: NextPush) {
        self.with(|state| state.on_next_push(next));
    }

    /// Forgets all events and takes another id, as a backend that lost its data does. All links are
    /// lost.
    pub fn reset(&self) {
        self.with(State::reset);
    }

    /// The id.
    pub fn backend_id(&self) -> String {
        self.lock().backend_id()
    }

    /// The events of a store, in order.
    pub fn events(&self, store_id: &str) -> Vec<SyncEvent> {
        self.lock().events(store_id)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A state is whole between any two calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then tells what came of it. One caller tells at a time, without the lock:
    /// so all are told in one order, and may call back.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        if self.lock().start_telling() {
            loop {
                // The lock is free again when the message is told.
                let message = self.lock().next_message();
                let Some((inbox, message)) = message else { break };
                inbox.send(message);
            }
        }
        result
    }
}

impl SyncBackend for InProcess {
    fn connect(&self, hello: ConnectRequest, inbox: MessageSender) -> Box<dyn Connection> {
        let id = self.with(|state| state.connect(hello.store_id, inbox));
        Box::new(InProcessLink { backend: self.clone(), id })
    }
}

/// A store's link, by number.
struct InProcessLink {
    backend: InProcess,
    id: u64,
}

impl Connection for InProcessLink {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.backend.with(|state| state.pull(self.id, cursor));
    }

    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) {
        self.backend.with(|state| state.push(self.id, &events, backend_id.as_ref()));
    }
}

impl Drop for InProcessLink {
    fn drop(&mut self) {
        self.backend.lock().disconnect(self.id);
    }
}
