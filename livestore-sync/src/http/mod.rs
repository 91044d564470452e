//! A backend that is reached by POST requests.

mod answer;
mod connection;
mod elements;
#[cfg(target_family = "wasm")]
mod fetch;
#[cfg(not(target_family = "wasm"))]
mod request;

#[cfg(target_family = "wasm")]
use fetch as request;

use std::time::Duration;

use livestore::sync::{ConnectRequest, Connection, InvalidBackend, MessageSender, SyncBackend};
use livestore_protocol::Transport;

use crate::net::{self, Options};

/// A sync backend that is reached by plain HTTP requests: LiveStore's own, or `livestore-server`.
///
/// For networks that do not let WebSockets through. It requests new events every 5 s, and after
/// every push.
///
/// ```no_run
/// use std::time::Duration;
/// use livestore_sync::Http;
///
/// let backend = Http::new("https://sync.example.com").poll_every(Duration::from_secs(30));
/// ```
///
/// Connections to an `https:` URL are encrypted; the operating system's certificates are trusted.
///
/// # In a browser
///
/// The requests are the browser's (`fetch`). A backend on another origin than the page has to allow
/// it ([CORS]), and each [`header`](Self::header), which `livestore-server` does; a browser does not
/// send those that it sets itself, such as `cookie` and `host`. It follows no redirect.
///
/// [CORS]: https://developer.mozilla.org/docs/Web/HTTP/CORS
#[derive(Debug, Clone)]
pub struct Http {
    options: Options,
    poll_every: Duration,
    timeout: Duration,
}

impl Http {
    /// Returns the backend at an `http:` or `https:` URL. A URL that cannot be one is an error when a
    /// store is opened with it.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            options: Options::new(url.into()),
            poll_every: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
        }
    }

    /// Sets the time between two requests for new events: 5 s by default.
    #[must_use]
    pub fn poll_every(mut self, every: Duration) -> Self {
        self.poll_every = every.clamp(Duration::from_millis(1), net::MAX_TIME);
        self
    }

    /// Sets the time that the backend may be silent during a request: 30 s by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(net::MAX_TIME);
        self
    }
}

// A browser does not say when it has connected.
#[cfg(not(target_family = "wasm"))]
net::connection_setters!(Http);
net::header_setter!(Http);

impl SyncBackend for Http {
    fn check(&self) -> Result<(), InvalidBackend> {
        self.options.check(Transport::Http)
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
