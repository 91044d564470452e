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
    BackendMessage, ConnectRequest, Connection, MessageSender, Page, PayloadError, PayloadRequest,
    Secret, SyncBackend, SyncError,
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
    /// The app's answer to the question for the payload.
    Payload(Result<Secret, PayloadError>),
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
    /// The backend's reason, if it has refused the last payload.
    refusal: Option<String>,
    /// Whether the app has been asked for a payload, and has not answered yet.
    is_asking: bool,
    /// Whether the connection that is wanted waits for the app's answer.
    awaits_payload: bool,
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
            refusal: None,
            is_asking: false,
            awaits_payload: false,
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
            None => Some(self.tick()),
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
            Command::Reconnect => {
                self.look_for_payload();
                Input::Reconnect
            }
            Command::Payload(answer) => return self.provided(answer),
            Command::Pause => Input::Pause,
            Command::Committed => Input::Committed,
            Command::Receive { connection, .. }
                if connection != self.connections || self.connection.is_none() =>
            {
                return None;
            }
            Command::Receive { message: BackendMessage::Pulled(mut page), .. } => {
                self.refusal = None;
                self.append_next_pages(&mut page);
                Input::Backend(BackendMessage::Pulled(page))
            }
            Command::Receive { message, .. } => {
                if let BackendMessage::PullFailed(SyncError::Refused(reason)) = &message {
                    self.refusal = Some(reason.clone());
                }
                Input::Backend(message)
            }
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
                self.awaits_payload = false;
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
        // The old connection is dropped first.
        self.connection = None;
        self.delayed.clear();
        match self.payload.get() {
            Ok(payload) => self.dial(payload),
            Err(provider) => {
                self.awaits_payload = true;
                if !std::mem::replace(&mut self.is_asking, true) {
                    let mailbox = Arc::clone(&self.mailbox);
                    let reply = move |answer| mailbox.put(Command::Payload(answer));
                    let request = PayloadRequest { refusal: self.refusal.clone() };
                    provider.call(request, &*self.backend, reply);
                }
            }
        }
    }

    fn dial(&mut self, payload: Option<Secret>) {
        self.awaits_payload = false;
        self.connections += 1;
        let (mailbox, connection) = (Arc::clone(&self.mailbox), self.connections);
        let messages = MessageSender::new(move |message| {
            mailbox.put(Command::Receive { connection, message });
        });
        let request = ConnectRequest::new(&self.store_id, payload);
        self.connection = Some(self.backend.connect(request, messages));
    }

    /// The app has answered. If that took so long that an attempt was given up, the answer is for the
    /// next one.
    fn provided(&mut self, answer: Result<Secret, PayloadError>) -> Option<Input> {
        self.is_asking = false;
        if !self.awaits_payload {
            return None;
        }
        Some(match answer {
            Ok(payload) => {
                self.dial(Some(payload));
                Input::Dialing
            }
            Err(error) => Input::NoPayload(error),
        })
    }

    /// The app may have set another payload, while its function does not return.
    fn look_for_payload(&mut self) {
        if self.awaits_payload
            && let Ok(payload) = self.payload.get()
        {
            self.dial(payload);
        }
    }

    fn tick(&self) -> Input {
        let is_late = self.deadline.is_some_and(|deadline| deadline <= self.mailbox.now());
        if self.awaits_payload && is_late {
            let reason = "the app's function has not returned in time".to_owned();
            return Input::NoPayload(PayloadError::Failed(reason));
        }
        Input::Tick
    }
}

fn pushed(effect: &Effect) -> Option<Activity> {
    let Effect::Push { events, .. } = effect else { return None };
    let first = SeqNum::new(events.first()?.seq);
    Some(Activity::Pushed { first, count: events.len() })
}
