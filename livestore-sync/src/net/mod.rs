//! The parts that both network backends share: options, addresses, and the task that runs a
//! connection. `native` and `web` have what differs between an operating system and a browser.

mod address;
mod end;
mod image;
#[cfg(not(target_family = "wasm"))]
mod native;
mod retry_after;
mod run;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
use native as platform;
#[cfg(target_family = "wasm")]
use web as platform;

pub(crate) use address::Address;
pub(crate) use end::End;
pub(crate) use image::image;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{Counted, Traffic, dial, spawn_task};
pub(crate) use platform::{Instant, Place, timeout};
pub(crate) use run::{Command, Commands, connect};
#[cfg(target_family = "wasm")]
pub(crate) use web::{Post, Posted, describe};

use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use livestore::sync::{InvalidBackend, Secret};
use livestore_protocol::Transport;

/// The options that both backends have.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) connect_timeout: Duration,
    pub(crate) place: Place,
}

impl Options {
    pub(crate) fn new(url: String) -> Self {
        let connect_timeout = Duration::from_secs(10);
        Self { url, headers: Vec::new(), connect_timeout, place: Place::default() }
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
                self.options.connect_timeout = timeout.min($crate::net::MAX_TIME);
                self
            }

            /// Runs connections on a tokio runtime of the app, which must have I/O and time enabled,
            /// instead of a thread each.
            #[cfg(not(target_family = "wasm"))]
            #[must_use]
            pub fn runtime(mut self, runtime: tokio::runtime::Handle) -> Self {
                self.options.place = $crate::net::Place(Some(runtime));
                self
            }
        }
    };
}

/// The setter for headers, of a backend that can send some.
macro_rules! header_setter {
    ($Backend:ident) => {
        impl $Backend {
            /// Adds a header to every HTTP request, including the one that opens a WebSocket. A name
            /// that is added again is sent again.
            #[must_use]
            pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.options.headers.push((name.into(), livestore::sync::Secret::from(value)));
                self
            }
        }
    };
}

pub(crate) use {connection_setters, header_setter};

/// The longest time that an option takes: a year, as good as for ever. A clock cannot count any further
/// than some centuries.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The largest message that is read, in bytes. Backends send pages of up to 900,000 bytes, and
/// LiveStore's own backend also sends a larger event if it has accepted one.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 << 20;
