//! A backend that is asked by POST.

mod connection;
mod elements;
mod request;

use std::time::Duration;

use livestore::sync::{ConnectRequest, Connection, MessageSender, Secret, SyncBackend};
use tokio::runtime::Handle;

use crate::net::{self, Options};

/// A sync backend that is reached by plain HTTP requests: LiveStore's own, or `livestore-server`.
///
/// For networks that let no WebSocket through. New events of others are asked for every 5 s, and
/// after every push.
///
/// ```no_run
/// use std::time::Duration;
/// use livestore_sync::Http;
///
/// let backend = Http::new("https://sync.example.com").poll_every(Duration::from_secs(30));
/// ```
///
/// An `https:` URL is encrypted; the certificates that count are those of the operating system.
#[derive(Debug, Clone)]
pub struct Http {
    options: Options,
    poll_every: Duration,
    timeout: Duration,
}

impl Http {
    /// The backend at an `http:` or `https:` URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            options: Options::new(url.into()),
            poll_every: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
        }
    }

    /// How often to ask for new events: every 5 s by default.
    pub fn poll_every(mut self, every: Duration) -> Self {
        self.poll_every = every;
        self
    }

    /// How long the backend may be silent when asked: 30 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take: 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// Sends a header with every request. The same again is sent again.
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

impl SyncBackend for Http {
    fn connect(&self, hello: ConnectRequest, inbox: MessageSender) -> Box<dyn Connection> {
        let this = self.clone();
        net::connect(self.options.runtime.as_ref(), inbox.clone(), move |commands| {
            connection::run(this, hello, inbox, commands)
        })
    }
}
