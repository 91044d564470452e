//! Fetching the events before a log's base: a state machine, which its worker drives turn by turn.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::LoadHistoryError;
use crate::edge::Mailbox;
use crate::event::EncodedEvent;
use crate::eventlog::{Base, Eventlog};
use crate::sync::payload::Payload;
use crate::sync::{
    BackendMessage, ConnectRequest, Connection, Cursor, MessageSender, Page, PayloadError,
    PayloadRequest, Secret, SyncBackend,
};

/// What happens while the history is fetched.
pub(super) enum Input {
    Start,
    Payload(Result<Secret, PayloadError>),
    Backend(BackendMessage),
}

/// The history before a log's base, on its way.
pub(super) struct Fetching {
    pub(super) log: Eventlog,
    pub(super) base: Base,
    /// The number of the last event that is here.
    pub(super) head: u64,
    pub(super) backend_id: String,
    pub(super) backend: Arc<dyn SyncBackend>,
    pub(super) payload: Payload,
    pub(super) store_id: String,
    pub(super) mailbox: Arc<Mailbox<Input>>,
    pub(super) connection: Option<Box<dyn Connection>>,
    /// The time that the backend may be silent.
    pub(super) timeout: Duration,
}

/// Whether all events are here.
type IsWhole = bool;

impl Fetching {
    /// Handles what happened, or the deadline that the last turn gave. Breaks once the log has all events,
    /// or cannot get them.
    pub(super) fn turn(
        &mut self,
        input: Option<Input>,
    ) -> ControlFlow<Result<(), LoadHistoryError>, Option<Duration>> {
        let silent = || LoadHistoryError::Backend { reason: "it does not answer".to_owned() };
        match input.ok_or_else(silent).and_then(|input| self.handle(input)) {
            Ok(true) => ControlFlow::Break(self.complete()),
            Ok(false) => ControlFlow::Continue(self.mailbox.now().checked_add(self.timeout)),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    }

    fn handle(&mut self, input: Input) -> Result<IsWhole, LoadHistoryError> {
        let unsent = |reason| LoadHistoryError::Backend { reason };
        match input {
            Input::Start => return self.start(),
            Input::Payload(Ok(payload)) => self.connect(Some(payload)),
            Input::Payload(Err(error)) => return Err(unsent(error.into_reason())),
            Input::Backend(BackendMessage::Connected) => {
                let cursor = Cursor { backend_id: self.backend_id.clone(), head: self.head };
                if let Some(connection) = &mut self.connection {
                    connection.pull(Some(cursor));
                }
            }
            Input::Backend(BackendMessage::Pulled(page)) => return self.add_page(page),
            Input::Backend(BackendMessage::PullFailed(error)) => {
                return Err(unsent(error.to_string()));
            }
            Input::Backend(BackendMessage::Disconnected { reason }) => return Err(unsent(reason)),
            Input::Backend(_) => {}
        }
        Ok(false)
    }

    fn start(&mut self) -> Result<IsWhole, LoadHistoryError> {
        let Some(head) = self.log.history_head(self.base)? else {
            // Another load may have ended just now.
            return Ok(true);
        };
        self.head = head;
        if self.head == self.base.seq {
            return Ok(true);
        }
        match self.payload.get() {
            Ok(payload) => self.connect(payload),
            Err(provider) => {
                let mailbox = Arc::clone(&self.mailbox);
                let reply = move |answer| mailbox.put(Input::Payload(answer));
                provider.call(PayloadRequest::default(), &*self.backend, reply);
            }
        }
        Ok(false)
    }

    fn connect(&mut self, payload: Option<Secret>) {
        let mailbox = Arc::clone(&self.mailbox);
        let messages = MessageSender::new(move |message| mailbox.put(Input::Backend(message)));
        let request = ConnectRequest::new(&self.store_id, payload);
        self.connection = Some(self.backend.connect(request, messages));
    }

    /// Adds the events of a page that are wanted.
    fn add_page(&mut self, page: Page) -> Result<IsWhole, LoadHistoryError> {
        if page.backend_id != self.backend_id {
            return Err(LoadHistoryError::OtherHistory);
        }
        let wanted = |seq| seq > self.head && seq <= self.base.seq;
        let events = page.events.into_iter().filter(|event| wanted(event.seq));
        let events: Vec<_> = events.map(EncodedEvent::from).collect();
        let mut next = self.head;
        for event in &events {
            if event.parent.global != next || event.seq.global != next + 1 {
                let reason = format!("it left out events behind e{next}");
                return Err(LoadHistoryError::Backend { reason });
            }
            next = event.seq.global;
        }
        if !events.is_empty() && !self.log.add_history(self.base, events)? {
            return Err(LoadHistoryError::OtherHistory);
        }
        self.head = next;
        Ok(self.head == self.base.seq)
    }

    fn complete(&self) -> Result<(), LoadHistoryError> {
        match self.log.complete_history(self.base)? {
            true => Ok(()),
            // The log may have begun again meanwhile.
            false if self.log.base()?.is_none() => Ok(()),
            false => Err(LoadHistoryError::OtherHistory),
        }
    }
}
