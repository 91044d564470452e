//! The network: text frames between clients and the server, one connection for each store.
//!
//! A connection is as TCP: what arrives does so in order, and it may end at any moment with some of
//! what is under way arriving still. Between connections there is no order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use livestore::simulation::elapsed;
use livestore::sync::{
    BackendMessage, ConnectRequest, Connection, Cursor, MessageSender, SyncBackend, SyncEvent,
};
use livestore_sync::Conversation;

use crate::disk::Dice;

/// A connection's number: they count up.
pub type ConnId = u64;

/// How often a client asks for a sign of life, and how long connecting may take, as
/// `livestore_sync::WebSocket` has it.
const PING_EVERY: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// All connections.
#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

struct State {
    connections: BTreeMap<ConnId, Line>,
    partitioned: Vec<usize>,
    made: ConnId,
    dice: Dice,
    /// Most frames take up to so long, and one in sixteen up to eight times that.
    delay: Duration,
}

/// A connection, from both ends.
struct Line {
    client: usize,
    connect_request: ConnectRequest,
    messages: MessageSender,
    /// There once it is connected, and until it ends, for the client.
    conversation: Option<Conversation>,
    /// The client has given it up.
    is_left: bool,
    up: Pipe,
    down: Pipe,
    /// When the client asks for a sign of life, or stops waiting for the connection.
    timer: Duration,
}

/// What is under way in one direction, with the time when it arrives.
#[derive(Default)]
struct Pipe {
    packets: VecDeque<(Duration, Packet)>,
    last: Duration,
}

/// What a connection carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// The client wants to connect to this store; the server lets it.
    Open(String),
    /// A frame.
    Text(String),
    /// The connection ends.
    End,
}

/// What can be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Something arrives at the server.
    Up(ConnId),
    /// Something arrives at the client.
    Down(ConnId),
    /// A client's timer is due.
    Timer(ConnId),
}

impl Network {
    /// A network whose delays follow from the seed.
    pub fn new(seed: u64, delay: Duration) -> Self {
        Self(Arc::new(Mutex::new(State {
            connections: BTreeMap::new(),
            partitioned: Vec::new(),
            made: 0,
            dice: Dice::new(seed),
            delay,
        })))
    }

    /// The way of a client to the server.
    pub fn backend(&self, client: usize) -> Wire {
        Wire { network: self.clone(), client }
    }

    /// What can be done now.
    pub fn ready(&self) -> Vec<Ready> {
        let (state, now) = (self.state(), elapsed());
        let mut ready = Vec::new();
        for (&id, connection) in &state.connections {
            let is_cut = state.partitioned.contains(&connection.client);
            if !is_cut && connection.up.arrives(now) {
                ready.push(Ready::Up(id));
            }
            if !is_cut && connection.down.arrives(now) {
                ready.push(Ready::Down(id));
            }
            if !connection.is_left && connection.timer <= now {
                ready.push(Ready::Timer(id));
            }
        }
        ready
    }

    /// When there is more to do.
    pub fn next(&self) -> Option<Duration> {
        let (state, now) = (self.state(), elapsed());
        let times = state.connections.values().flat_map(|connection| {
            let is_cut = state.partitioned.contains(&connection.client);
            let arrivals = [connection.up.first(), connection.down.first()];
            let timer = (!connection.is_left).then_some(connection.timer);
            arrivals.into_iter().flatten().filter(move |_| !is_cut).chain(timer)
        });
        times.filter(|time| *time > now).min()
    }

    /// What arrives at the server.
    pub fn at_server(&self, id: ConnId) -> Option<Packet> {
        let mut state = self.state();
        let packet = state.connections.get_mut(&id)?.up.packets.pop_front()?.1;
        state.sweep(id);
        Some(packet)
    }

    /// The server sends.
    pub fn send_down(&self, id: ConnId, packet: Packet) {
        let state = &mut *self.state();
        let at = state.arrival();
        if let Some(connection) = state.connections.get_mut(&id) {
            connection.down.put(at, packet);
        }
        state.sweep(id);
    }

    /// Something arrives at the client: what it is, for the trace.
    pub fn at_client(&self, id: ConnId) -> Option<Packet> {
        let state = &mut *self.state();
        let at = state.arrival();
        let connection = state.connections.get_mut(&id)?;
        let packet = connection.down.packets.pop_front()?.1;
        connection.hear(&packet, at);
        state.sweep(id);
        Some(packet)
    }

    /// A client's timer is due.
    pub fn timer(&self, id: ConnId) {
        let state = &mut *self.state();
        let at = state.arrival();
        if let Some(connection) = state.connections.get_mut(&id) {
            connection.tick(at);
        }
        state.sweep(id);
    }

    /// Frames of this client stay under way until it is healed.
    pub fn partition(&self, client: usize) {
        let mut state = self.state();
        if !state.partitioned.contains(&client) {
            state.partitioned.push(client);
        }
    }

    /// Ends a partition; all of them.
    pub fn heal(&self, client: Option<usize>) {
        self.state().partitioned.retain(|other| client.is_some_and(|client| client != *other));
    }

    /// Connections of a client break, on the way; without one, all do. Some of what is under way
    /// arrives still.
    pub fn cut(&self, client: Option<usize>) -> usize {
        let state = &mut *self.state();
        let (now, dice) = (elapsed(), &mut state.dice);
        let is_meant = |connection: &&mut Line| client.is_none_or(|it| it == connection.client);
        let mut cut = 0;
        for connection in state.connections.values_mut().filter(is_meant) {
            connection.up.cut(dice, now);
            connection.down.cut(dice, now);
            cut += 1;
        }
        cut
    }

    /// A client's machine is gone: its connections end, and nothing arrives there any more.
    pub fn leave(&self, client: usize) {
        let state = &mut *self.state();
        let at = state.arrival();
        for connection in state.connections.values_mut() {
            if connection.client == client && !connection.is_left {
                connection.leave(at);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn arrival(&mut self) -> Duration {
        let most = u64::try_from(self.delay.as_micros()).unwrap_or(u64::MAX).max(1);
        let most = if self.dice.below(16) == 0 { most * 8 } else { most };
        elapsed() + Duration::from_micros(1 + self.dice.below(most))
    }

    /// Forgets a connection that both have left.
    fn sweep(&mut self, id: ConnId) {
        let is_over = |connection: &Line| connection.is_left && connection.up.packets.is_empty();
        if self.connections.get(&id).is_some_and(is_over) {
            self.connections.remove(&id);
        }
    }
}

impl Line {
    fn hear(&mut self, packet: &Packet, at: Duration) {
        if self.is_left {
            return;
        }
        match (packet, &mut self.conversation) {
            (Packet::Open(_), _) => {
                self.timer = elapsed() + PING_EVERY;
                self.conversation =
                    Some(Conversation::new(self.connect_request.clone(), self.messages.clone()));
            }
            (Packet::Text(frame), Some(conversation)) => match conversation.receive(frame) {
                Ok(Some(reply)) => self.up.put(at, Packet::Text(reply)),
                Ok(None) => {}
                Err(_) => self.leave(at),
            },
            (Packet::Text(_), None) | (Packet::End, _) => self.lose("the connection broke", at),
        }
    }

    fn tick(&mut self, at: Duration) {
        self.timer = elapsed() + PING_EVERY;
        match &mut self.conversation {
            Some(conversation) => match conversation.ping() {
                Some(ping) => self.up.put(at, Packet::Text(ping)),
                None => self.leave(at),
            },
            None => self.lose("connecting takes too long", at),
        }
    }

    fn lose(&mut self, reason: &str, at: Duration) {
        match &mut self.conversation {
            Some(conversation) => conversation.disconnected(reason),
            None => self.messages.send(BackendMessage::Disconnected { reason: reason.to_owned() }),
        }
        self.leave(at);
    }

    fn leave(&mut self, at: Duration) {
        self.conversation = None;
        self.is_left = true;
        self.down.packets.clear();
        self.up.put(at, Packet::End);
    }
}

impl Pipe {
    fn put(&mut self, at: Duration, packet: Packet) {
        if matches!(self.packets.back(), Some((_, Packet::End))) {
            return;
        }
        self.last = self.last.max(at);
        self.packets.push_back((self.last, packet));
    }

    fn first(&self) -> Option<Duration> {
        self.packets.front().map(|(at, _)| *at)
    }

    fn arrives(&self, now: Duration) -> bool {
        self.first().is_some_and(|at| at <= now)
    }

    fn cut(&mut self, dice: &mut Dice, now: Duration) {
        let left = dice.below(self.packets.len() as u64 + 1);
        self.packets.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.put(now, Packet::End);
    }
}

/// A client's way to the server.
#[derive(Clone)]
pub struct Wire {
    network: Network,
    client: usize,
}

impl SyncBackend for Wire {
    fn connect(
        &self,
        connect_request: ConnectRequest,
        messages: MessageSender,
    ) -> Box<dyn Connection> {
        let state = &mut *self.network.state();
        state.made += 1;
        let (id, at) = (state.made, state.arrival());
        let mut up = Pipe::default();
        up.put(at, Packet::Open(connect_request.store_id.clone()));
        let timer = elapsed() + CONNECT_TIMEOUT;
        let (down, client) = (Pipe::default(), self.client);
        let (conversation, is_left) = (None, false);
        let connection =
            Line { client, connect_request, messages, conversation, is_left, up, down, timer };
        state.connections.insert(id, connection);
        Box::new(Plug { network: self.network.clone(), id })
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The store's end of a connection.
struct Plug {
    network: Network,
    id: ConnId,
}

impl Plug {
    fn ask(&self, ask: impl FnOnce(&mut Conversation) -> String) {
        let state = &mut *self.network.state();
        let at = state.arrival();
        if let Some(connection) = state.connections.get_mut(&self.id)
            && let Some(conversation) = &mut connection.conversation
        {
            let frame = ask(conversation);
            connection.up.put(at, Packet::Text(frame));
        }
    }
}

impl Connection for Plug {
    fn pull(&mut self, cursor: Option<Cursor>) {
        self.ask(|conversation| conversation.pull(cursor));
    }

    fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) {
        self.ask(|conversation| conversation.push(events, backend_id));
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let state = &mut *self.network.state();
        let at = state.arrival();
        if let Some(connection) = state.connections.get_mut(&self.id)
            && !connection.is_left
        {
            connection.leave(at);
        }
    }
}
