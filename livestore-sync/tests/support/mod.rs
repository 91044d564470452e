//! The store's end of a connection, for tests.

#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use livestore::sync::{
    BackendMessage, ConnectRequest, Connection, MessageSender, Page, Secret, SyncBackend, SyncEvent,
};
use livestore_testing::TIMEOUT;

/// A connection and the messages that it has sent.
pub(crate) struct Store {
    pub(crate) link: Option<Box<dyn Connection>>,
    received: Receiver<BackendMessage>,
}

impl Store {
    pub(crate) fn connect(backend: &dyn SyncBackend, payload: Option<&str>) -> Self {
        Self::connect_to(backend, "st1", payload)
    }

    pub(crate) fn connect_to(
        backend: &dyn SyncBackend,
        store: &str,
        payload: Option<&str>,
    ) -> Self {
        let (sender, received) = channel();
        // Nobody listens any more once a test has ended.
        let messages = MessageSender::new(move |message| drop(sender.send(message)));
        let link = backend.connect(ConnectRequest::new(store, payload.map(Secret::from)), messages);
        Self { link: Some(link), received }
    }

    pub(crate) fn link(&mut self) -> &mut dyn Connection {
        &mut **self.link.as_mut().unwrap()
    }

    /// Returns the next message.
    pub(crate) fn next(&self) -> BackendMessage {
        self.received.recv_timeout(TIMEOUT).unwrap()
    }

    pub(crate) fn next_page(&self) -> Page {
        match self.next() {
            BackendMessage::Pulled(page) => page,
            other => panic!("{other:?} instead of a page"),
        }
    }

    pub(crate) fn next_lost(&self) -> String {
        match self.next() {
            BackendMessage::Disconnected { reason } => {
                self.expect_end();
                reason
            }
            other => panic!("{other:?} instead of Disconnected"),
        }
    }

    /// Checks that no message is waiting.
    pub(crate) fn expect_silence(&self) {
        let received = self.received.recv_timeout(Duration::from_millis(50));
        assert_eq!(received, Err(RecvTimeoutError::Timeout));
    }

    /// Checks that no message follows: the connection has dropped its sender.
    pub(crate) fn expect_end(&self) {
        let received = self.received.recv_timeout(TIMEOUT);
        assert_eq!(received, Err(RecvTimeoutError::Disconnected));
    }
}

pub(crate) fn event(seq: u64, args: &str) -> SyncEvent {
    SyncEvent {
        seq,
        parent: seq - 1,
        name: "v1.TodoCreated".to_owned(),
        args: args.to_owned(),
        client_id: "clientA".into(),
        session_id: "s1".into(),
        metadata: None,
    }
}
