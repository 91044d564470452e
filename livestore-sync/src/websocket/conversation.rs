//! The conversation, for a simulator or a fuzzer that carries its frames.

use livestore::sync::{BackendMessage, ConnectRequest, Cursor, MessageSender, SyncEvent};

use super::session::Session;
use crate::net::{Command, End};

/// The frames that a client sends and receives on one connection, without the socket.
#[derive(Debug)]
pub struct Conversation {
    session: Session,
    messages: MessageSender,
}

impl Conversation {
    /// Returns the conversation on a connection that was just made.
    pub fn new(connect_request: ConnectRequest, messages: MessageSender) -> Self {
        messages.send(BackendMessage::Connected);
        Self { session: Session::new(connect_request, messages.clone()), messages }
    }

    /// Returns the frame that requests events.
    pub fn pull(&mut self, cursor: Option<Cursor>) -> String {
        self.session.request(Command::Pull(cursor))
    }

    /// Returns the frame that pushes events.
    pub fn push(&mut self, events: Vec<SyncEvent>, backend_id: Option<String>) -> String {
        self.session.request(Command::Push(events, backend_id))
    }

    /// Returns the frame that pings the backend, or `None` if the last ping was not answered: then the
    /// connection has ended.
    pub fn ping(&mut self) -> Option<String> {
        let ping = self.session.ping();
        ping.map_err(|end| self.end(end)).ok()
    }

    /// Receives a frame. Returns the frame to send in turn, if any.
    ///
    /// # Errors
    /// If the connection has ended.
    pub fn receive(&mut self, frame: &str) -> Result<Option<String>, Ended> {
        let reply = self.session.receive(frame);
        reply.map_err(|end| {
            self.end(end);
            Ended
        })
    }

    /// The connection has ended.
    pub fn disconnected(&mut self, reason: &str) {
        self.end(End::disconnected(reason));
    }

    fn end(&mut self, end: End) {
        if let Some(last) = end.last {
            self.messages.send(last);
        }
        self.messages.send(BackendMessage::Disconnected { reason: end.reason });
    }
}

/// The connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;
