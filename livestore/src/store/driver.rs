//! Runs a store's sync engine, turn by turn, on its own thread.

mod delayed;

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use self::delayed::{Delayed, Message};
use super::Inner;
use super::tools::Activity;
use crate::edge::Mailbox;
use crate::event::SeqNum;
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
    /// Disconnect as a network does that fails.
    Drop,
    /// Have every message take this much longer.
    Delay(Duration),
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
    delayed: Delayed,
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
            delayed: Delayed::default(),
        }
    }

    /// Handles a command, or a tick if there is none. Returns when to call it again if nothing
    /// happens; breaks when the store is closed.
    pub(super) fn turn(&mut self, command: Option<Command>) -> ControlFlow<(), Option<Duration>> {
        while let Some(message) = self.delayed.next(self.mailbox.now()) {
            match message {
                Message::Receive(message) => self.step(Input::Backend(message))?,
                Message::Send(effect) => self.send(effect),
            }
        }
        let input = match command {
            Some(command) => self.input(command),
            None => Some(Input::Tick),
        };
        if let Some(input) = input {
            self.step(input)?;
        }
        let due = self.delayed.due();
        ControlFlow::Continue(self.deadline.into_iter().chain(due).min())
    }

    fn step(&mut self, input: Input) -> ControlFlow<()> {
        let Some(inner) = self.inner.upgrade() else { return ControlFlow::Break(()) };
        let start = self.mailbox.now();
        let Some(mut turn) = inner.step(input, start) else { return ControlFlow::Break(()) };
        self.deadline = turn.deadline;
        if turn.is_rebase {
            let end = self.mailbox.now();
            self.gathering = end + (end - start).min(MAX_GATHERING);
        }
        if inner.probe.is_on() {
            turn.activities.extend(turn.effects.iter().filter_map(pushed));
        }
        turn.effects.drain(..).for_each(|effect| self.carry_out(effect));
        inner.notify(turn);
        ControlFlow::Continue(())
    }

    /// Returns `None` for a message of a connection that was ended.
    fn input(&mut self, command: Command) -> Option<Input> {
        Some(match command {
            Command::Delay(delay) => {
                self.delayed.delay = delay;
                return None;
            }
            Command::Drop => {
                self.connection.take()?;
                self.delayed.clear();
                let reason = "the connection was dropped on purpose".to_owned();
                Input::Backend(BackendMessage::Disconnected { reason })
            }
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
        .and_then(|input| self.receive(input))
    }

    /// Returns the input, unless it is a message that has to wait.
    fn receive(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::Backend(message) if self.connection.is_some() => {
                match self.delayed.pass(Message::Receive(message), self.mailbox.now())? {
                    Message::Receive(message) => Some(Input::Backend(message)),
                    Message::Send(_) => None,
                }
            }
            input => Some(input),
        }
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
        match effect {
            Effect::Connect => self.connect(),
            Effect::Disconnect => {
                self.delayed.clear();
                self.connection = None;
            }
            effect => {
                let message = self.delayed.pass(Message::Send(effect), self.mailbox.now());
                if let Some(Message::Send(effect)) = message {
                    self.send(effect);
                }
            }
        }
    }

    fn send(&mut self, effect: Effect) {
        let Some(connection) = &mut self.connection else { return };
        match effect {
            Effect::Check => connection.check(),
            Effect::Pull(cursor) => connection.pull(cursor),
            Effect::Push { events, backend_id } => connection.push(events, backend_id),
            Effect::Connect | Effect::Disconnect => {}
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
        self.delayed.clear();
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

fn pushed(effect: &Effect) -> Option<Activity> {
    let Effect::Push { events, .. } = effect else { return None };
    let first = SeqNum::new(events.first()?.seq);
    Some(Activity::Pushed { first, count: events.len() })
}

/// Stands for a connection that was not even tried.
struct NoConnection;

impl Connection for NoConnection {
    fn pull(&mut self, _: Option<Cursor>) {}
    fn push(&mut self, _: Vec<SyncEvent>, _: Option<String>) {}
}
