//! A backend that is reached by WebSocket.

#[cfg(target_family = "wasm")]
mod browser;
#[cfg(not(target_family = "wasm"))]
mod connection;
mod conversation;
mod session;
#[cfg(not(target_family = "wasm"))]
mod upgrade;

use std::time::Duration;

use livestore::sync::{ConnectRequest, Connection, InvalidBackend, MessageSender, SyncBackend};
use livestore_protocol::Transport;

use crate::net::{self, Options};

pub use conversation::{Conversation, Ended};

#[cfg(target_family = "wasm")]
use browser as connection;

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
///
/// # In a browser
///
/// The socket is the browser's. It has no headers, so that whoever connects is known by the sync
/// payload or a cookie. A page hears of whole messages only: one that takes longer than two pings
/// to arrive ends the connection, so that slow links need pings that are further apart
/// (`livestore-server` sends small pages to them). It is not notified of the reason why a server refuses to
/// connect: a refused token shows as [`Offline`](livestore::sync::NetworkStatus::Offline) there, until the app has
/// another one. [`Http`](crate::Http) has the reason there, too.
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

// A browser lets a page set none.
#[cfg(not(target_family = "wasm"))]
net::header_setter!(WebSocket);

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
        net::connect(&self.options.place, messages.clone(), move |commands| {
            connection::run(this, connect_request, messages, commands)
        })
    }

    fn blocked_by_waiting(&self) -> Option<String> {
        self.options.place.blocked_by_waiting()
    }

    #[cfg(not(target_family = "wasm"))]
    fn spawn(&self, task: livestore::sync::Task) -> Option<livestore::sync::Task> {
        net::spawn_task(&self.options.place, task);
        None
    }

    fn image(&self, request: livestore::sync::ImageRequest, reply: livestore::sync::ImageReply) {
        net::image(&self.options, request, reply);
    }
}
