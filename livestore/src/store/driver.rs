//! Runs a store's sync engine, turn by turn, on its own thread.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Inner;
use crate::edge::Mailbox;
use crate::sync::engine::{Effect, Input};
use crate::sync::payload::Payload;
use crate::sync::{
    BackendMessage, ConnectRequest, Connection, Cursor, MessageSender, Page, SyncBackend, SyncEvent,
};

/// The most pulled events that are written as one, if they have arrived.
const MAX_AT_ONCE: usize = 4_096;

/// The longest time that pulled events gather before they are written.
const MAX_GATHERING: Duration = Duration::from_millis(50);

/// A message to the driver.
pub(super) enum Command {
    /// Connect.
    Start,
    /// Connect before the next attempt is due, or check the connection.
    Reconnect,
    /// Disconnect.
    Pause,
    /// There are events to push.
    Committed,
    /// The backend has sent something.
    Receive {
        /// The connection, by its number.
        connection: u64,
        message: BackendMessage,
    },
}

/// The state of the sync thread, which works turn by turn.
pub(super) struct Driver {
    inner: Weak<Inner>,
    backend: Arc<dyn SyncBackend>,
    store_id: String,
    payload: Payload,
    mailbox: Arc<Mailbox<Command>>,
    connection: Option<Box<dyn Connection>>,
    /// The number of connections so far.
    connections: u64,
    /// When the engine wants to be called if nothing happens.
    deadline: Option<Duration>,
    /// Until then, pulled events gather. While other clients write, too, each page of their events
    /// costs a rebase; so no more than about half of the time is spent on rebases.
    gathering: Duration,
}

impl Driver {
    pub(super) fn new(
        inner: Weak<Inner>,
        backend: Arc<dyn SyncBackend>,
        store_id: String,
        payload: Payload,
        mailbox: Arc<Mailbox<Command>>,
    ) -> Self {
        Self {
            inner,
            backend,
            store_id,
            payload,
            mailbox,
            connection: None,
            connections: 0,
            deadline: None,
            gathering: Duration::ZERO,
        }
    }

    /// Handles a command, or a tick if there is none. Returns when to call it again if nothing
    /// happens; breaks when the store is closed.
    pub(super) fn turn(&mut self, command: Option<Command>) -> ControlFlow<(), Option<Duration>> {
        let input = match command {
            Some(command) => self.input(command),
            None => Some(Input::Tick),
        };
        match input {
            Some(input) => self.step(input),
            None => ControlFlow::Continue(self.deadline),
        }
    }

    fn step(&mut self, input: Input) -> ControlFlow<(), Option<Duration>> {
        let Some(inner) = self.inner.upgrade() else { return ControlFlow::Break(()) };
        let start = self.mailbox.now();
        let Some(mut turn) = inner.step(input, start) else { return ControlFlow::Break(()) };
        self.deadline = turn.deadline;
        if turn.is_rebase {
            let end = self.mailbox.now();
            self.gathering = end + (end - start).min(MAX_GATHERING);
        }
        turn.effects.drain(..).for_each(|effect| self.carry_out(effect));
        inner.notify(turn);
        ControlFlow::Continue(self.deadline)
    }

    /// Returns `None` for a message of a connection that was ended.
    fn input(&self, command: Command) -> Option<Input> {
        Some(match command {
            Command::Start => Input::Start,
            Command::Reconnect => Input::Reconnect,
            Command::Pause => Input::Pause,
            Command::Committed => Input::Committed,
            Command::Receive { connection, .. }
                if connection != self.connections || self.connection.is_none() =>
            {
                return None;
            }
            Command::Receive { message: BackendMessage::Pulled(mut page), .. } => {
                self.append_next_pages(&mut page);
                Input::Backend(BackendMessage::Pulled(page))
            }
            Command::Receive { message, .. } => Input::Backend(message),
        })
    }

    /// Appends pages that have arrived already.
    fn append_next_pages(&self, page: &mut Page) {
        self.mailbox.rest(self.gathering);
        while let Some(Command::Receive { message: BackendMessage::Pulled(next), .. }) =
            self.mailbox.take_if(|command| self.is_next(page, command))
        {
            page.events.extend(next.events);
            page.more = next.more;
        }
    }

    fn is_next(&self, page: &Page, command: &Command) -> bool {
        let Command::Receive { connection, message: BackendMessage::Pulled(next) } = command else {
            return false;
        };
        let is_chained = match (page.events.last(), next.events.first()) {
            (Some(last), Some(first)) => first.seq == last.seq + 1,
            _ => false,
        };
        is_chained
            && *connection == self.connections
            && page.backend_id == next.backend_id
            && page.events.len() < MAX_AT_ONCE
    }

    fn carry_out(&mut self, effect: Effect) {
        match (effect, &mut self.connection) {
            (Effect::Connect, _) => self.connect(),
            (Effect::Disconnect, connection) => *connection = None,
            (Effect::Check, Some(connection)) => connection.check(),
            (Effect::Pull(cursor), Some(connection)) => connection.pull(cursor),
            (Effect::Push { events, backend_id }, Some(connection)) => {
                connection.push(events, backend_id);
            }
            (Effect::Check | Effect::Pull(_) | Effect::Push { .. }, None) => {}
        }
    }

    fn connect(&mut self) {
        self.connections += 1;
        let (mailbox, connection) = (Arc::clone(&self.mailbox), self.connections);
        let messages = MessageSender::new(move |message| {
            mailbox.put(Command::Receive { connection, message });
        });
        // The old connection is dropped first.
        self.connection = None;
        self.connection = Some(match self.payload.get() {
            Ok(payload) => {
                let request = ConnectRequest::new(&self.store_id, payload);
                self.backend.connect(request, messages)
            }
            Err(reason) => {
                messages.send(BackendMessage::Disconnected { reason });
                Box::new(NoConnection)
            }
        });
    }
}

/// Stands for a connection that was not even tried.
struct NoConnection;

impl Connection for NoConnection {
    fn pull(&mut self, _: Option<Cursor>) {}
    fn push(&mut self, _: Vec<SyncEvent>, _: Option<String>) {}
}
