//! A server, and a bare client of it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use livestore::sync::{
    BackendMessage, ConnectRequest, Connection, MessageSender, SyncBackend, SyncEvent,
};
use livestore_server::auth::NoAuth;
use livestore_server::schema::ImageLimits;
use livestore_server::store::{Durability, EventStore, SqliteStore, StoreLimits};
use livestore_server::{Limits, Server};
use livestore_sync::WebSocket;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Result;
use crate::app::{App, Created};

/// How long anything may take before the bench gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a free port, with a folder of its own. Every push is on the disk before its answer.
pub(crate) struct Backend {
    pub(super) url: String,
    pub(super) directory: TempDir,
    /// The server's, and that of clients who want one.
    pub(super) runtime: Runtime,
}

impl Backend {
    pub(super) fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let store = SqliteStore::open(directory.path(), Durability::Synced, StoreLimits::NONE)?;
        Self::over(Arc::new(store), directory)
    }

    /// Starts a server over this storage.
    pub(crate) fn over(store: Arc<dyn EventStore>, directory: TempDir) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let limits = Limits::default();
        let server =
            runtime.block_on(Server::bind("127.0.0.1:0", store, Arc::new(NoAuth), limits))?;
        let url = format!("ws://{}", server.local_addr()?);
        runtime.spawn(server.serve(std::future::pending()));
        Ok(Self { url, directory, runtime })
    }

    /// Starts one that knows the app's schema, and sends images of states.
    pub(super) fn with_images() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let store = SqliteStore::open(directory.path(), Durability::Synced, StoreLimits::NONE)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let builder = Server::builder(Arc::new(store)).schema::<App>();
        let server = builder.images(ImageLimits::default()).bind("127.0.0.1:0");
        let server = runtime.block_on(server)?;
        let url = format!("ws://{}", server.local_addr()?);
        runtime.spawn(server.serve(std::future::pending()));
        Ok(Self { url, directory, runtime })
    }

    pub(super) fn web_socket(&self) -> WebSocket {
        WebSocket::new(self.url.as_str())
    }
}

/// A client without a store: it pushes and waits for the answers.
pub(super) struct Bare {
    connection: Box<dyn Connection>,
    received: Receiver<BackendMessage>,
    head: u64,
}

impl Bare {
    pub(super) fn connect(backend: &Backend, store_id: &str) -> Result<Self> {
        let (sender, received) = channel();
        let messages = MessageSender::new(move |message| drop(sender.send(message)));
        let connection =
            backend.web_socket().connect(ConnectRequest::new(store_id, None), messages);
        let bare = Self { connection, received, head: 0 };
        bare.expect(&BackendMessage::Connected)?;
        Ok(bare)
    }

    /// Pushes the next events, and waits for the answer.
    pub(super) fn push(&mut self, count: u64) -> Result<()> {
        let events = (self.head..self.head + count).map(event).collect();
        self.connection.push(events, None);
        self.expect(&BackendMessage::Pushed)?;
        self.head += count;
        Ok(())
    }

    fn expect(&self, wanted: &BackendMessage) -> Result<()> {
        match self.received.recv_timeout(PATIENCE)? {
            message if message == *wanted => Ok(()),
            message => Err(format!("expected {wanted:?}, received {message:?}").into()),
        }
    }
}

/// The event after `parent`.
pub(super) fn event(parent: u64) -> SyncEvent {
    SyncEvent {
        seq: parent + 1,
        parent,
        name: "v1.TodoCreated".to_owned(),
        args: serde_json::to_string(&Created::nth(parent)).unwrap_or_default(),
        client_id: "bare".into(),
        session_id: "static".into(),
        metadata: None,
    }
}
