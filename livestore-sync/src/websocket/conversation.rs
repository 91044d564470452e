//! The conversation, for a simulator or a fuzzer that carries its frames.

use livestore::sync::{BackendMessage, ConnectRequest, Cursor, MessageSender, SyncEvent};

use super::session::Session;
use crate::net::{Command, End};

/// What a client says on one connection, and hears.
#[derive(Debug)]
pub struct Conversation {
    session: Session,
    inbox: MessageSender,
}

impl Conversation {
    /// A connection that was just made.
    pub fn new(hello: ConnectRequest, inbox: MessageSender) -> Self {
        inbox.send(BackendMessage::Connected);
        Self { session: Session::new(hello, inbox.clone()), inbox }
    }

    /// The frame that asks for events.
    pub fn pull(&mut self, cursor: Option<Cursor>) -> String {
        self.session.ask(Command::Pull(cursor))
    }

    /// The frame that offers events.
    pub fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) -> String {
        self.session.ask(Command::Push(events, backend_id))
    }

    /// The frame that asks for a sign of life. `None` if the last was not answered: the connection
    /// has ended.
    pub fn ping(&mut self) -> Option<String> {
        let ping = self.session.ping();
        ping.map_err(|end| self.end(end)).ok()
    }

    /// Takes a frame: says what to send in turn, or that the connection has ended.
    ///
    /// # Errors
    /// When it has ended.
    pub fn hear(&mut self, frame: &str) -> Result<Option<String>, Ended> {
        let heard = self.session.hear(frame);
        heard.map_err(|end| {
            self.end(end);
            Ended
        })
    }

    /// The connection is gone.
    pub fn lose(&mut self, reason: &str) {
        self.end(End::lost(reason));
    }

    fn end(&mut self, end: End) {
        if let Some(last) = end.last {
            self.inbox.send(last);
        }
        self.inbox.send(BackendMessage::Disconnected { reason: end.reason });
    }
}

/// The connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;
