//! A backend that is reached by WebSocket.

mod connection;
mod conversation;
mod session;
mod upgrade;

use std::time::Duration;

use livestore::sync::{ConnectRequest, Connection, InvalidBackend, MessageSender, SyncBackend};
use livestore_protocol::Transport;

use crate::net::{self, Options};

pub use conversation::{Conversation, Ended};

/// A sync backend that is reached by WebSocket: LiveStore's own, or `livestore-server`.
///
/// It pings the backend, and ends the connection if no answer comes: so a connection that broke
/// silently is noticed.
///
/// ```no_run
/// use livestore_sync::WebSocket;
///
/// let backend = WebSocket::new("ws://127.0.0.1:8787");
/// ```
///
/// Connections to a `wss:` URL are encrypted; the operating system's certificates are trusted.
#[derive(Debug, Clone)]
pub struct WebSocket {
    options: Options,
    ping_every: Duration,
}

impl WebSocket {
    /// Returns the backend at a `ws:` or `wss:` URL. A URL that cannot be one is an error when a store is
    /// opened with it.
    pub fn new(url: impl Into<String>) -> Self {
        Self { options: Options::new(url.into()), ping_every: Duration::from_secs(10) }
    }

    /// Sets the time between two pings: 10 s by default. If the backend sends nothing at all until the
    /// next ping, the connection ends. Every byte counts, so a slow network is not cut off; while a large
    /// push is on its way, the answer to a ping may take longer.
    #[must_use]
    pub fn ping_every(mut self, every: Duration) -> Self {
        self.ping_every = every.clamp(Duration::from_millis(1), net::MAX_TIME);
        self
    }
}

net::connection_setters!(WebSocket);

impl SyncBackend for WebSocket {
    fn check(&self) -> Result<(), InvalidBackend> {
        self.options.check(Transport::WebSocket)
    }

    fn connect(
        &self,
        connect_request: ConnectRequest,
        messages: MessageSender,
    ) -> Box<dyn Connection> {
        let this = self.clone();
        net::connect(self.options.runtime.as_ref(), messages.clone(), move |commands| {
            connection::run(this, connect_request, messages, commands)
        })
    }

    fn blocked_by_waiting(&self) -> Option<String> {
        self.options.blocked_by_waiting()
    }
}
