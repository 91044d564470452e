//! The body of an answer, read as it comes.

use std::time::Duration;

use http::response::Parts;
use livestore::sync::{BackendMessage, MessageSender};
use livestore_protocol::ServerMessage;

use super::elements::Elements;
use crate::net::{End, Instant, MAX_MESSAGE_BYTES};

/// How much of an answer that is not what was asked for is read, in bytes.
pub(super) const MAX_REFUSAL_BYTES: usize = 4096;

/// The schemes of this backend's URLs.
pub(super) const SCHEMES: [&str; 2] = ["http", "https"];

/// The time between two signs of life during a long answer.
const PULSE: Duration = Duration::from_secs(5);

/// The part of an answer that has arrived.
pub(super) struct Answer<'a> {
    elements: Elements,
    beginning: Vec<u8>,
    messages: &'a MessageSender,
    /// The last sign of life.
    pulse: Instant,
}

impl<'a> Answer<'a> {
    pub(super) fn new(messages: &'a MessageSender) -> Self {
        let (elements, beginning) = (Elements::default(), Vec::new());
        Self { elements, beginning, messages, pulse: Instant::now() }
    }

    /// Takes the next bytes, and passes the messages that are complete to `receive`. Now and then, the
    /// store is notified that the backend is alive.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        receive: &mut impl FnMut(ServerMessage) -> Result<(), End>,
    ) -> Result<(), End> {
        if self.beginning.len() < MAX_REFUSAL_BYTES {
            self.beginning.extend_from_slice(bytes);
        }
        self.elements.push(bytes);
        while let Some(element) = self.elements.next() {
            receive(decode(element)?)?;
        }
        if self.elements.pending() > MAX_MESSAGE_BYTES {
            return Err(End::disconnected("the backend sends a message that is too large"));
        }
        if self.pulse.elapsed() >= PULSE {
            self.messages.send(BackendMessage::Receiving);
            self.pulse = Instant::now();
        }
        Ok(())
    }

    /// All of it has arrived. `parts` came before it.
    pub(super) fn finish(self, parts: &Parts) -> Result<(), End> {
        match self.beginning.trim_ascii_start().first() {
            Some(b'[') => Ok(()),
            // It is no answer to a request: what it says is the best reason there is.
            _ => Err(End::answer(parts, &self.beginning, SCHEMES)),
        }
    }
}

fn decode(element: &[u8]) -> Result<ServerMessage, End> {
    let text = std::str::from_utf8(element).map_err(End::disconnected)?;
    ServerMessage::decode(text).map_err(End::disconnected)
}
