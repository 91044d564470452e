//! The store's side of a link, for tests.

#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use livestore::sync::{
    BackendMessage, ConnectRequest, Connection, MessageSender, Page, Secret, SyncBackend, SyncEvent,
};

/// A link and what was told.
pub(crate) struct Store {
    pub(crate) link: Option<Box<dyn Connection>>,
    told: Receiver<BackendMessage>,
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
        let (sender, told) = channel();
        // Nobody listens any more once a test has ended.
        let messages = MessageSender::new(move |message| drop(sender.send(message)));
        let link = backend.connect(ConnectRequest::new(store, payload.map(Secret::from)), messages);
        Self { link: Some(link), told }
    }

    pub(crate) fn link(&mut self) -> &mut dyn Connection {
        &mut **self.link.as_mut().unwrap()
    }

    /// What is told next; a test that waits for long has failed.
    pub(crate) fn next(&self) -> BackendMessage {
        self.told.recv_timeout(Duration::from_secs(20)).unwrap()
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
            other => panic!("{other:?} instead of Lost"),
        }
    }

    /// Nothing is waiting to be heard.
    pub(crate) fn expect_silence(&self) {
        let told = self.told.recv_timeout(Duration::from_millis(50));
        assert_eq!(told, Err(RecvTimeoutError::Timeout));
    }

    /// Nothing comes any more: the connection has let go of the messages.
    pub(crate) fn expect_end(&self) {
        let told = self.told.recv_timeout(Duration::from_secs(20));
        assert_eq!(told, Err(RecvTimeoutError::Disconnected));
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
