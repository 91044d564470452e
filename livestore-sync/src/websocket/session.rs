//! The conversation on a socket, without the socket: text in, text out.

use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, Page, SyncError};
use livestore_protocol::{
    Call, ClientMessage, Exit, Pull, Push, Request, RequestId, ServerMessage, Transport, WireError,
};

use crate::net::{Command, End};

/// The requests of one connection. There is one pull and at most one push; both end with the
/// connection, so neither is ever interrupted. Ids count up: none is used twice.
#[derive(Debug)]
pub(super) struct Session {
    connect_request: ConnectRequest,
    messages: MessageSender,
    requests: u64,
    pull: Option<RequestId>,
    push: Option<RequestId>,
    ping_unanswered: bool,
}

impl Session {
    pub(super) fn new(connect_request: ConnectRequest, messages: MessageSender) -> Self {
        Self {
            connect_request,
            messages,
            requests: 0,
            pull: None,
            push: None,
            ping_unanswered: false,
        }
    }

    /// Returns the frame for a command of the store; a check is a ping.
    pub(super) fn request(&mut self, command: Command) -> String {
        let id = RequestId::nth(self.requests);
        self.requests += 1;
        let store_id = self.connect_request.store_id.clone();
        let payload = self.connect_request.payload.clone();
        let call = match command {
            Command::Pull(cursor) => {
                self.pull = Some(id.clone());
                Call::Pull(Pull { store_id, payload, live: true, cursor })
            }
            Command::Push(batch, backend_id) => {
                self.push = Some(id.clone());
                Call::Push(Push { store_id, payload, batch, backend_id })
            }
            Command::Check => return encode(&ClientMessage::Ping),
        };
        encode(&ClientMessage::Request(Request { id, call }))
    }

    /// Returns the frame of a ping, unless the last ping was not answered.
    pub(super) fn ping(&mut self) -> Result<String, End> {
        if std::mem::replace(&mut self.ping_unanswered, true) {
            return Err(End::disconnected("the backend does not answer pings"));
        }
        Ok(encode(&ClientMessage::Ping))
    }

    /// Whether the last ping was not answered yet.
    pub(super) fn awaits_pong(&self) -> bool {
        self.ping_unanswered
    }

    /// Whether the last push was not answered yet.
    pub(super) fn is_pushing(&self) -> bool {
        self.push.is_some()
    }

    /// The backend has sent something, whatever it was: the connection is alive.
    pub(super) fn mark_alive(&mut self) {
        self.ping_unanswered = false;
    }

    /// Receives a frame. Returns the frame to send in turn, if any.
    pub(super) fn receive(&mut self, text: &str) -> Result<Option<String>, End> {
        self.mark_alive();
        match ServerMessage::decode(text) {
            Ok(ServerMessage::Pong) => Ok(None),
            Ok(ServerMessage::Chunk { request_id, pages }) => Ok(self.chunk(request_id, pages)),
            Ok(ServerMessage::Exit { request_id, exit }) => self.exit(&request_id, exit),
            Ok(ServerMessage::Defect(text)) => Err(self.defect(text)),
            Err(error) => self.unreadable(&error),
        }
    }

    /// Backends go on sending chunks for pulls that have ended; they are ignored.
    fn chunk(&self, request_id: RequestId, pages: Vec<Page>) -> Option<String> {
        if self.pull.as_ref() != Some(&request_id) {
            return None;
        }
        for page in pages {
            self.messages.send(BackendMessage::Pulled(page));
        }
        Some(encode(&ClientMessage::Ack(request_id)))
    }

    fn exit(&mut self, request_id: &RequestId, exit: Exit) -> Result<Option<String>, End> {
        if self.push.as_ref() == Some(request_id) {
            self.push = None;
            self.messages.send(push_result(exit));
        } else if self.pull.as_ref() == Some(request_id) {
            return Err(match exit {
                Exit::Failure(failure) => End::pull_failed(failure),
                _ => End::disconnected("the backend ends the pull"),
            });
        }
        Ok(None)
    }

    /// A defect names no request; most likely it is about the last one. As that is not certain, no
    /// push counts as refused for good.
    fn defect(&self, text: String) -> End {
        match self.push {
            Some(_) => End::push_failed(SyncError::Failed(text)),
            None => End::pull_failed(SyncError::Invalid(text)),
        }
    }

    fn unreadable(&self, error: &WireError) -> Result<Option<String>, End> {
        let problem = || format!("its answer cannot be read: {error}");
        match error.request_id() {
            None => Err(End::disconnected(error)),
            id if id == self.push.as_ref() => Err(End::push_failed(SyncError::Failed(problem()))),
            id if id == self.pull.as_ref() => Err(End::pull_failed(SyncError::Invalid(problem()))),
            Some(_) => Ok(None),
        }
    }
}

fn push_result(exit: Exit) -> BackendMessage {
    match exit {
        Exit::Failure(failure) => BackendMessage::PushFailed(failure),
        Exit::Interrupted => {
            BackendMessage::PushFailed(SyncError::Failed("the push was interrupted".to_owned()))
        }
        Exit::PushDone | Exit::PullDone | Exit::Pong => BackendMessage::Pushed,
    }
}

fn encode(message: &ClientMessage) -> String {
    let mut text = String::new();
    message.encode(Transport::WebSocket, &mut text);
    text
}
