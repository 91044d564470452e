//! What the two network backends share: where to connect to, and where to run.

mod address;
mod dial;
mod run;

pub(crate) use address::Address;
pub(crate) use dial::{Socket, dial};
pub(crate) use run::{Command, Commands, connect};

use std::time::Duration;

use livestore::sync::{BackendMessage, Secret, SyncError};
use tokio::runtime::Handle;

/// What both backends are told by the app.
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

/// The largest message that is read: a backend sends pages of up to 900,000 bytes, and LiveStore's
/// own tells of a larger event if it was pushed one.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Why a connection ends: what is told before `Lost`, and the reason.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) last: Option<BackendMessage>,
    pub(crate) reason: String,
}

impl End {
    pub(crate) fn lost(reason: impl ToString) -> Self {
        Self { last: None, reason: reason.to_string() }
    }

    pub(crate) fn pull_failed(failure: SyncError) -> Self {
        Self { reason: failure.to_string(), last: Some(BackendMessage::PullFailed(failure)) }
    }

    pub(crate) fn push_failed(failure: SyncError) -> Self {
        Self { reason: failure.to_string(), last: Some(BackendMessage::PushFailed(failure)) }
    }

    /// The backend answered with an HTTP status where it should have gone on.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        let text = if body.trim().is_empty() { "no reason given" } else { body.trim() };
        match status {
            400 | 401 | 403 => Self::pull_failed(SyncError::Refused(text.to_owned())),
            200..=299 | 404 | 426 => Self::pull_failed(SyncError::Invalid(text.to_owned())),
            _ => Self::lost(format!("the backend answers {status}: {text}")),
        }
    }
}
