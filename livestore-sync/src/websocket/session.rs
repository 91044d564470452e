//! The conversation on a socket, without the socket: text in, text out.

use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, Page, SyncError};

use crate::net::{Command, End};
use crate::wire::{
    Call, ClientMessage, Exit, Pull, Push, Request, RequestId, ServerMessage, Transport, WireError,
};

/// One connection's requests. There is one pull and at most one push; both end with the connection,
/// so nothing is ever interrupted. Ids count up: no unfinished one is used again.
#[derive(Debug)]
pub(super) struct Session {
    hello: ConnectRequest,
    inbox: MessageSender,
    requests: u64,
    pull: Option<RequestId>,
    push: Option<RequestId>,
    ping_unanswered: bool,
}

impl Session {
    pub(super) fn new(hello: ConnectRequest, inbox: MessageSender) -> Self {
        Self { hello, inbox, requests: 0, pull: None, push: None, ping_unanswered: false }
    }

    /// What to send for a command of the store.
    pub(super) fn ask(&mut self, command: Command) -> String {
        let id = RequestId::nth(self.requests);
        self.requests += 1;
        let store_id = self.hello.store_id.clone();
        let payload = self.hello.payload.clone();
        let call = match command {
            Command::Pull(cursor) => {
                self.pull = Some(id.clone());
                Call::Pull(Pull { store_id, payload, live: true, cursor })
            }
            Command::Push(batch, backend_id) => {
                self.push = Some(id.clone());
                Call::Push(Push { store_id, payload, batch, backend_id })
            }
        };
        encode(&ClientMessage::Request(Request { id, call }))
    }

    /// What to send when it is time to ping, unless the last ping is unanswered.
    pub(super) fn ping(&mut self) -> Result<String, End> {
        if std::mem::replace(&mut self.ping_unanswered, true) {
            return Err(End::lost("the backend does not answer pings"));
        }
        Ok(encode(&ClientMessage::Ping))
    }

    /// The backend has said something, whatever it was: it is there.
    pub(super) fn heard(&mut self) {
        self.ping_unanswered = false;
    }

    /// Takes a frame; returns what to send in turn.
    pub(super) fn hear(&mut self, text: &str) -> Result<Option<String>, End> {
        self.heard();
        match ServerMessage::decode(text) {
            Ok(ServerMessage::Pong) => Ok(None),
            Ok(ServerMessage::Chunk { request_id, pages }) => Ok(self.chunk(request_id, pages)),
            Ok(ServerMessage::Exit { request_id, exit }) => self.exit(&request_id, exit),
            Ok(ServerMessage::Defect(text)) => Err(self.not_understood(text)),
            Err(error) => self.nonsense(&error),
        }
    }

    /// Broadcasts go on for pulls that are long over: those are for nobody.
    fn chunk(&self, request_id: RequestId, pages: Vec<Page>) -> Option<String> {
        if self.pull.as_ref() != Some(&request_id) {
            return None;
        }
        for page in pages {
            self.inbox.send(BackendMessage::Pulled(page));
        }
        Some(encode(&ClientMessage::Ack(request_id)))
    }

    fn exit(&mut self, request_id: &RequestId, exit: Exit) -> Result<Option<String>, End> {
        if self.push.as_ref() == Some(request_id) {
            self.push = None;
            self.inbox.send(push_result(exit));
        } else if self.pull.as_ref() == Some(request_id) {
            return Err(match exit {
                Exit::Failure(failure) => End::pull_failed(failure),
                _ => End::lost("the backend ends the pull"),
            });
        }
        Ok(None)
    }

    /// A defect names no request: the one that was sent last is most likely meant.
    fn not_understood(&self, text: String) -> End {
        let failure = SyncError::Invalid(text);
        match self.push {
            Some(_) => End::push_failed(failure),
            None => End::pull_failed(failure),
        }
    }

    fn nonsense(&self, error: &WireError) -> Result<Option<String>, End> {
        let failure = || SyncError::Invalid(format!("its answer is not understood: {error}"));
        match error.request_id() {
            None => Err(End::lost(error)),
            id if id == self.push.as_ref() => Err(End::push_failed(failure())),
            id if id == self.pull.as_ref() => Err(End::pull_failed(failure())),
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
