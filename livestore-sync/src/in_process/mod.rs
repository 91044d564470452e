//! A backend in the same program.

mod log;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore::sync::{
    ConnectRequest, Connection, Cursor, MessageSender, SyncBackend, SyncError, SyncEvent,
};

use state::State;

/// A sync backend in the same program, for several stores in one program and for tests.
///
/// It does what a server does: a push is accepted, all of it, if it follows the last event, and sent
/// to every store of that id in one order, including the one that pushed. Clones are the same
/// backend.
///
/// ```
/// use livestore_sync::{InProcess, NextPush};
///
/// let backend = InProcess::new();
/// backend.set_online(false);                 // ends all connections; none can be made
/// backend.set_online(true);
/// backend.on_next_push(NextPush::LoseAck);   // accepted, but the answer gets lost
/// assert!(backend.events("todos").is_empty());
/// ```
///
/// Messages are delivered on the thread of the caller, one after another; their receivers may call
/// the backend.
#[derive(Debug, Clone, Default)]
pub struct InProcess {
    state: Arc<Mutex<State>>,
}

/// A fault of the next push, to test that a store recovers from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextPush {
    /// The push is not accepted, and the store is notified that it failed.
    Fail,
    /// The connection ends before the push is accepted.
    Lose,
    /// The push is accepted, but the connection ends before the store is notified.
    LoseAck,
    /// The push is accepted and the store is notified, but the connection ends before the events come
    /// back through the pull.
    LoseBroadcast,
}

impl InProcess {
    /// Returns an empty backend with a new id.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the backend offline, which ends all connections, or brings it back.
    pub fn set_online(&self, online: bool) {
        self.with(|state| state.set_online(online));
    }

    /// Sets the fault of the next push, whichever store it comes from.
    pub fn on_next_push(&self, next: NextPush) {
        self.with(|state| state.on_next_push(next));
    }

    /// Refuses every push that has an event for which `refuse` returns an error:
    /// [`SyncError::Refused`] for now, [`SyncError::Invalid`] for good. It replaces the rule before it,
    /// and must not call the backend.
    ///
    /// ```
    /// use livestore::sync::SyncError;
    /// use livestore_sync::InProcess;
    ///
    /// let backend = InProcess::new();
    /// backend.refuse(|event| {
    ///     (event.name == "v1.Forbidden").then(|| SyncError::Invalid("no such event".to_owned()))
    /// });
    /// backend.refuse(|_| None); // accepts everything again
    /// ```
    pub fn refuse(&self, refuse: impl Fn(&SyncEvent) -> Option<SyncError> + Send + 'static) {
        self.lock().refuse(Box::new(refuse));
    }

    /// Accepts only the payloads for which `check` returns no error, which is the reason for all others.
    /// Stores that are connected with one that is not accepted any more are disconnected. It replaces the
    /// rule before it, and must not call the backend.
    ///
    /// ```
    /// use livestore_sync::InProcess;
    ///
    /// let backend = InProcess::new();
    /// backend.authenticate(|payload| match payload {
    ///     Some(r#"{"authToken":"valid"}"#) => Ok(()),
    ///     _ => Err("the token has expired".to_owned()),
    /// });
    /// ```
    pub fn authenticate(
        &self,
        check: impl Fn(Option<&str>) -> Result<(), String> + Send + 'static,
    ) {
        self.with(|state| state.authenticate(Box::new(check)));
    }

    /// Forgets all events and takes a new id, as a backend does that lost its data. All connections
    /// end.
    pub fn reset(&self) {
        self.with(State::reset);
    }

    /// Returns the id.
    pub fn backend_id(&self) -> String {
        self.lock().backend_id()
    }

    /// Returns the events of a store, in order.
    pub fn events(&self, store_id: &str) -> Vec<SyncEvent> {
        self.lock().events(store_id)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then delivers the messages that follow. One caller delivers at a time,
    /// without the lock: so all receive them in one order, and may call the backend.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        if self.lock().start_delivering() {
            loop {
                // The lock is free again when the message is delivered.
                let message = self.lock().next_message();
                let Some((messages, message)) = message else { break };
                messages.send(message);
            }
        }
        result
    }
}

impl SyncBackend for InProcess {
    fn connect(
        &self,
        connect_request: ConnectRequest,
        messages: MessageSender,
    ) -> Box<dyn Connection> {
        let id = self.with(|state| state.connect(connect_request, messages));
        Box::new(InProcessConnection { backend: self.clone(), id })
    }
}

/// A store's connection, by number.
struct InProcessConnection {
    backend: InProcess,
    id: u64,
}

impl Connection for InProcessConnection {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.backend.with(|state| state.pull(self.id, cursor));
    }

    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) {
        self.backend.with(|state| state.push(self.id, &events, backend_id.as_ref()));
    }
}

impl Drop for InProcessConnection {
    fn drop(&mut self) {
        self.backend.lock().disconnect(self.id);
    }
}
