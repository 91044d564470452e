//! The parts that both network backends share: options, addresses, and the task that runs a
//! connection.

mod address;
mod dial;
mod end;
mod run;
mod traffic;

pub(crate) use address::Address;
pub(crate) use dial::dial;
pub(crate) use end::End;
pub(crate) use run::{Command, Commands, connect};
pub(crate) use traffic::{Counted, Traffic};

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use livestore::sync::{InvalidBackend, Secret};
use livestore_protocol::Transport;
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

    /// Checks everything that no connection could be made with.
    pub(crate) fn check(&self, transport: Transport) -> Result<(), InvalidBackend> {
        Address::check(&self.url, transport).map_err(InvalidBackend)?;
        for (name, value) in &self.headers {
            HeaderName::try_from(name.as_str())
                .map_err(|_| InvalidBackend(format!("{name:?} is not the name of a header")))?;
            // It may be a secret.
            HeaderValue::try_from(value.as_str()).map_err(|_| {
                InvalidBackend(format!("the header {name:?} has a value that no header can have"))
            })?;
        }
        Ok(())
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
