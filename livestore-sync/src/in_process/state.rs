use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use livestore::sync::{
    BackendMessage, ConnectRequest, Cursor, MessageSender, More, Page, Secret, SyncError, SyncEvent,
};
use livestore_protocol::MAX_EVENTS;

use super::NextPush;
use super::log::Log;

/// The state of the backend. Messages are only queued here; the caller delivers them.
pub(super) struct State {
    backend_id: String,
    logs: BTreeMap<String, Log>,
    /// In the order in which they were made.
    connections: BTreeMap<u64, Connected>,
    connections_made: u64,
    online: bool,
    next_push: Option<NextPush>,
    refuse: Option<Box<Refuse>>,
    check: Option<Box<Check>>,
    queue: VecDeque<Queued>,
    delivering: bool,
}

/// A rule for the events that are refused.
pub(super) type Refuse = dyn Fn(&SyncEvent) -> Option<SyncError> + Send;

/// A rule for the payloads that are accepted.
pub(super) type Check = dyn Fn(Option<&str>) -> Result<(), String> + Send;

/// A store that is connected.
struct Connected {
    store_id: String,
    payload: Option<Secret>,
    messages: MessageSender,
    /// Whether it receives new events.
    pulls: bool,
}

struct Queued {
    connection: u64,
    messages: MessageSender,
    message: BackendMessage,
}

impl Default for State {
    fn default() -> Self {
        Self {
            backend_id: livestore::new_id(),
            logs: BTreeMap::new(),
            connections: BTreeMap::new(),
            connections_made: 0,
            online: true,
            next_push: None,
            refuse: None,
            check: None,
            queue: VecDeque::new(),
            delivering: false,
        }
    }
}

/// Requests of stores.
impl State {
    pub(super) fn connect(&mut self, request: ConnectRequest, messages: MessageSender) -> u64 {
        let connection = self.connections_made;
        self.connections_made += 1;
        let ConnectRequest { store_id, payload, .. } = request;
        let refused = self.check_payload(payload.as_ref());
        self.connections
            .insert(connection, Connected { store_id, payload, messages, pulls: false });
        match refused {
            _ if !self.online => self.end(connection, "the backend is offline"),
            Err(reason) => self.refuse_connection(connection, reason),
            Ok(()) => self.queue_message(connection, BackendMessage::Connected),
        }
        connection
    }

    fn check_payload(&self, payload: Option<&Secret>) -> Result<(), String> {
        self.check.as_ref().map_or(Ok(()), |check| check(payload.map(Secret::as_str)))
    }

    fn refuse_connection(&mut self, connection: u64, reason: String) {
        let refused = SyncError::Refused(reason.clone());
        self.queue_message(connection, BackendMessage::PullFailed(refused));
        self.end(connection, &reason);
    }

    /// A connection that is dropped receives no more messages.
    pub(super) fn disconnect(&mut self, connection: u64) {
        self.connections.remove(&connection);
        self.queue.retain(|queued| queued.connection != connection);
    }

    pub(super) fn pull(&mut self, connection: u64, cursor: Option<Cursor>) {
        if let Err(failure) = self.check_id(cursor.as_ref().map(|cursor| &cursor.backend_id)) {
            let reason = failure.to_string();
            self.queue_message(connection, BackendMessage::PullFailed(failure));
            return self.end(connection, &reason);
        }
        let Some(connected) = self.connections.get_mut(&connection) else { return };
        connected.pulls = true;
        let store_id = connected.store_id.clone();
        let mut events = self.events(&store_id);
        events.retain(|event| cursor.as_ref().is_none_or(|cursor| event.seq > cursor.head));
        for page in self.pages(events) {
            self.queue_message(connection, BackendMessage::Pulled(page));
        }
    }

    pub(super) fn push(
        &mut self,
        connection: u64,
        batch: &[SyncEvent],
        backend_id: Option<&String>,
    ) {
        let Some(store_id) =
            self.connections.get(&connection).map(|connected| connected.store_id.clone())
        else {
            return;
        };
        let fate = self.next_push.take();
        match fate {
            Some(NextPush::Fail) => {
                let failure = SyncError::Failed("the test made it fail".to_owned());
                return self.queue_message(connection, BackendMessage::PushFailed(failure));
            }
            Some(NextPush::Lose) => {
                return self.end(connection, "the test ended the connection before the push");
            }
            _ => {}
        }
        let taken = check_id(&self.backend_id, backend_id)
            .and_then(|()| self.check_rule(batch))
            .and_then(|()| self.logs.entry(store_id.clone()).or_default().append(batch));
        match (taken, fate) {
            (Err(failure), _) => {
                self.queue_message(connection, BackendMessage::PushFailed(failure))
            }
            (Ok(new), None) => {
                self.broadcast(&store_id, new);
                self.queue_message(connection, BackendMessage::Pushed);
            }
            (Ok(new), Some(fate)) => {
                if fate == NextPush::LoseBroadcast {
                    self.queue_message(connection, BackendMessage::Pushed);
                }
                self.end(connection, "the test ended the connection after the push");
                self.broadcast(&store_id, new);
            }
        }
    }
}

/// Requests of tests.
impl State {
    pub(super) fn set_online(&mut self, online: bool) {
        self.online = online;
        if !online {
            self.end_all("the backend goes offline");
        }
    }

    pub(super) fn on_next_push(&mut self, next: NextPush) {
        self.next_push = Some(next);
    }

    pub(super) fn refuse(&mut self, refuse: Box<Refuse>) {
        self.refuse = Some(refuse);
    }

    pub(super) fn authenticate(&mut self, check: Box<Check>) {
        self.check = Some(check);
        let refused = |(&id, connected): (&u64, &Connected)| {
            Some((id, self.check_payload(connected.payload.as_ref()).err()?))
        };
        let refused: Vec<_> = self.connections.iter().filter_map(refused).collect();
        for (connection, reason) in refused {
            self.refuse_connection(connection, reason);
        }
    }

    pub(super) fn reset(&mut self) {
        self.end_all("the backend is reset");
        self.logs.clear();
        self.backend_id = livestore::new_id();
    }

    pub(super) fn backend_id(&self) -> String {
        self.backend_id.clone()
    }

    pub(super) fn events(&self, store_id: &str) -> Vec<SyncEvent> {
        self.logs.get(store_id).map(|log| log.events().to_vec()).unwrap_or_default()
    }
}

/// Delivering messages.
impl State {
    /// Returns whether the caller is to deliver messages, until [`next_message`](Self::next_message)
    /// returns none.
    pub(super) fn start_delivering(&mut self) -> bool {
        !std::mem::replace(&mut self.delivering, true)
    }

    pub(super) fn next_message(&mut self) -> Option<(MessageSender, BackendMessage)> {
        let next = self.queue.pop_front();
        self.delivering = next.is_some();
        next.map(|queued| (queued.messages, queued.message))
    }

    fn queue_message(&mut self, connection: u64, message: BackendMessage) {
        if let Some(connected) = self.connections.get(&connection) {
            let messages = connected.messages.clone();
            self.queue.push_back(Queued { connection, messages, message });
        }
    }

    fn end(&mut self, connection: u64, reason: &str) {
        self.queue_message(connection, BackendMessage::Disconnected { reason: reason.to_owned() });
        self.connections.remove(&connection);
    }

    fn end_all(&mut self, reason: &str) {
        let connections: Vec<u64> = self.connections.keys().copied().collect();
        connections.into_iter().for_each(|connection| self.end(connection, reason));
    }

    fn broadcast(&mut self, store_id: &str, events: Vec<SyncEvent>) {
        if events.is_empty() {
            return;
        }
        let receives = |connected: &Connected| connected.pulls && connected.store_id == store_id;
        let connections: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connected)| receives(connected))
            .map(|(&connection, _)| connection)
            .collect();
        for connection in connections {
            self.queue_message(
                connection,
                BackendMessage::Pulled(self.page(events.clone(), More::No)),
            );
        }
    }

    /// Returns the events in pages as a server sends them; there is always one.
    fn pages(&self, events: Vec<SyncEvent>) -> Vec<Page> {
        let mut remaining = events.len();
        let mut pages: Vec<Page> = events
            .chunks(MAX_EVENTS)
            .map(|piece| {
                remaining -= piece.len();
                let more = if remaining == 0 { More::No } else { More::Known(remaining as u64) };
                self.page(piece.to_vec(), more)
            })
            .collect();
        if pages.is_empty() {
            pages.push(self.page(Vec::new(), More::No));
        }
        pages
    }

    fn page(&self, events: Vec<SyncEvent>, more: More) -> Page {
        Page { events, more, backend_id: self.backend_id.clone() }
    }

    fn check_rule(&self, batch: &[SyncEvent]) -> Result<(), SyncError> {
        let refused = self.refuse.as_ref().and_then(|refuse| batch.iter().find_map(refuse));
        refused.map_or(Ok(()), Err)
    }

    fn check_id(&self, received: Option<&String>) -> Result<(), SyncError> {
        check_id(&self.backend_id, received)
    }
}

fn check_id(expected: &String, received: Option<&String>) -> Result<(), SyncError> {
    match received {
        Some(received) if received != expected => Err(SyncError::BackendIdMismatch {
            expected: expected.clone(),
            received: received.clone(),
        }),
        _ => Ok(()),
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("backend_id", &self.backend_id)
            .field("stores", &self.logs.len())
            .field("connections", &self.connections.len())
            .field("online", &self.online)
            .finish_non_exhaustive()
    }
}
