//! The parts that both network backends share: options, addresses, and the task that runs a
//! connection.

mod address;
mod dial;
mod end;
mod retry_after;
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
use tokio::runtime::{Handle, RuntimeFlavor};

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

    /// Returns why this thread must not wait for the connection, if so: it is the only one of the
    /// runtime that runs it.
    pub(crate) fn blocked_by_waiting(&self) -> Option<String> {
        let runtime = self.runtime.as_ref()?;
        let threads = match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => runtime.metrics().num_workers(),
        };
        let is_inside = Handle::try_current().is_ok_and(|current| current.id() == runtime.id());
        // Inside, there are threads that may wait, too: those of `spawn_blocking`.
        if threads > 1 || !is_inside || runs_meanwhile(runtime) {
            return None;
        }
        let flavor = match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => "a current-thread runtime",
            _ => "a runtime with one worker",
        };
        Some(format!("it is the only thread of {flavor} of tokio, which the connection runs on"))
    }
}

/// Whether the runtime runs a task while this thread waits for it.
fn runs_meanwhile(runtime: &Handle) -> bool {
    let (ran, runs) = std::sync::mpsc::channel();
    runtime.spawn(async move { ran.send(()) });
    runs.recv_timeout(Duration::from_millis(200)).is_ok()
}

/// The setters of a backend for its [`Options`].
macro_rules! connection_setters {
    ($Backend:ident) => {
        impl $Backend {
            /// Sets the time that connecting may take: 10 s by default.
            #[must_use]
            pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.options.connect_timeout = timeout.min($crate::net::MAX_TIME);
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

/// The longest time that an option takes: a year, as good as for ever. A clock cannot count any further
/// than some centuries.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The largest message that is read, in bytes. Backends send pages of up to 900,000 bytes, and
/// LiveStore's own backend also sends a larger event if it has accepted one.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 << 20;
