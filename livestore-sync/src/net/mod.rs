//! The parts that both network backends share: options, addresses, and the task that runs a
//! connection.

mod address;
mod dial;
mod run;

pub(crate) use address::Address;
pub(crate) use dial::{Socket, dial};
pub(crate) use run::{Command, Commands, connect};

use std::time::Duration;

use livestore::sync::{BackendMessage, Secret, SyncError};
use tokio::runtime::Handle;

/// The options that both backends have.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) connect_timeout: Duration,
    pub(crate) runtime: Option<Handle>,
}

impl Options {
    pub(crate) fn new(url: String) -> Self {
        Self { url, headers: Vec::new(), connect_timeout: Duration::from_secs(10), runtime: None }
    }
}

/// The setters of a backend for its [`Options`].
macro_rules! connection_setters {
    ($Backend:ident) => {
        impl $Backend {
            /// Sets the time that connecting may take: 10 s by default.
            #[must_use]
            pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.options.connect_timeout = timeout;
                self
            }

            /// Adds a header to every HTTP request, including the one that opens a WebSocket. A name
            /// that is added again is sent again.
            #[must_use]
            pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.options.headers.push((name.into(), livestore::sync::Secret::from(value)));
                self
            }

            /// Runs connections on a tokio runtime of the app, which must have I/O and time enabled,
            /// instead of a thread each.
            #[must_use]
            pub fn runtime(mut self, runtime: tokio::runtime::Handle) -> Self {
                self.options.runtime = Some(runtime);
                self
            }
        }
    };
}

pub(crate) use connection_setters;

/// The largest message that is read, in bytes. Backends send pages of up to 900,000 bytes, and
/// LiveStore's own backend also sends a larger event if it has accepted one.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// The end of a connection: the message before `Disconnected`, if any, and the reason.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) last: Option<BackendMessage>,
    pub(crate) reason: String,
}

impl End {
    pub(crate) fn disconnected(reason: impl ToString) -> Self {
        Self { last: None, reason: reason.to_string() }
    }

    pub(crate) fn pull_failed(failure: SyncError) -> Self {
        Self { reason: failure.to_string(), last: Some(BackendMessage::PullFailed(failure)) }
    }

    pub(crate) fn push_failed(failure: SyncError) -> Self {
        Self { reason: failure.to_string(), last: Some(BackendMessage::PushFailed(failure)) }
    }

    /// The backend has answered with an HTTP status that ends the connection.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        let text = if body.trim().is_empty() { "no reason given" } else { body.trim() };
        match status {
            400 | 401 | 403 => Self::pull_failed(SyncError::Refused(text.to_owned())),
            200..=299 | 404 | 426 => Self::pull_failed(SyncError::Invalid(text.to_owned())),
            _ => Self::disconnected(format!("the backend answers {status}: {text}")),
        }
    }
}
