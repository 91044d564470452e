//! A backend at the other end of a WebSocket.

mod connection;
mod conversation;
mod session;

use std::time::Duration;

use livestore::sync::{ConnectRequest, Connection, MessageSender, Secret, SyncBackend};
use tokio::runtime::Handle;

use crate::net::{self, Options};

pub use conversation::{Conversation, Ended};

/// A sync backend that is reached by WebSocket: LiveStore's own, or `livestore-server`.
///
/// It pings the backend and says that the connection is lost when no answer comes, so that a
/// connection that is dead without a word is found out.
///
/// ```no_run
/// use livestore_sync::WebSocket;
///
/// let backend = WebSocket::new("ws://127.0.0.1:8787");
/// ```
///
/// A `wss:` URL is encrypted; the certificates that count are those of the operating system.
#[derive(Debug, Clone)]
pub struct WebSocket {
    options: Options,
    ping_every: Duration,
}

impl WebSocket {
    /// The backend at a `ws:` or `wss:` URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { options: Options::new(url.into()), ping_every: Duration::from_secs(10) }
    }

    /// How often to ping: 10 s by default. A backend that says nothing until the next ping is lost,
    /// so the network must carry a push, which is up to 900 kB, in this time.
    pub fn ping_every(mut self, every: Duration) -> Self {
        self.ping_every = every.max(Duration::from_millis(1));
        self
    }

    /// How long connecting may take: 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// Sends a header with the upgrade request. The same again is sent again.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), Secret::from(value)));
        self
    }

    /// Runs on a tokio runtime of the app (with I/O and time enabled) instead of a thread.
    pub fn on(mut self, runtime: Handle) -> Self {
        self.options.runtime = Some(runtime);
        self
    }
}

impl SyncBackend for WebSocket {
    fn connect(&self, hello: ConnectRequest, inbox: MessageSender) -> Box<dyn Connection> {
        let this = self.clone();
        net::connect(self.options.runtime.as_ref(), inbox.clone(), move |commands| {
            connection::run(this, hello, inbox, commands)
        })
    }
}
