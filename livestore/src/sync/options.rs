//! Options for sync.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{OnBackendReset, Secret, SyncBackend};

/// A sync backend, and how to sync with it. A backend alone converts into it, too.
///
/// ```
/// use livestore::sync::{InitialSync, OnBackendReset, SyncBackend, SyncOptions};
/// use std::time::Duration;
///
/// fn options(backend: impl SyncBackend) -> SyncOptions {
///     SyncOptions::new(backend)
///         .payload(r#"{"authToken":"secret"}"#)
///         .initial(InitialSync::Wait(Duration::from_secs(5)))
///         .on_backend_reset(OnBackendReset::KeepAndStop)
/// }
/// ```
#[derive(Clone)]
pub struct SyncOptions {
    pub(crate) backend: Arc<dyn SyncBackend>,
    pub(crate) payload: Option<Secret>,
    pub(crate) initial: InitialSync,
    pub(crate) on_reset: OnBackendReset,
    pub(crate) starts_paused: bool,
}

/// Whether opening a store waits for the backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitialSync {
    /// Opening does not wait.
    #[default]
    Background,
    /// Opening waits until the store has every event that the backend has, or this time has passed.
    Wait(Duration),
}

impl SyncOptions {
    /// Options for syncing with this backend, in the background.
    pub fn new(backend: impl SyncBackend) -> Self {
        Self {
            backend: Arc::new(backend),
            payload: None,
            initial: InitialSync::default(),
            on_reset: OnBackendReset::default(),
            starts_paused: false,
        }
    }

    /// Any JSON that the app sends to the backend when it connects, such as a token.
    #[must_use]
    pub fn payload(mut self, json: impl Into<String>) -> Self {
        self.payload = Some(Secret::from(json));
        self
    }

    /// Whether opening the store waits for the backend. By default it does not.
    #[must_use]
    pub fn initial(mut self, initial: InitialSync) -> Self {
        self.initial = initial;
        self
    }

    /// The policy for when the backend is not the one that the log comes from.
    /// [`KeepAndStop`](OnBackendReset::KeepAndStop) by default.
    #[must_use]
    pub fn on_backend_reset(mut self, policy: OnBackendReset) -> Self {
        self.on_reset = policy;
        self
    }

    /// Opens the store offline, until [`Store::resume_sync`](crate::Store::resume_sync).
    #[must_use]
    pub fn start_paused(mut self) -> Self {
        self.starts_paused = true;
        self
    }
}

impl<B: SyncBackend> From<B> for SyncOptions {
    fn from(backend: B) -> Self {
        Self::new(backend)
    }
}

impl fmt::Debug for SyncOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncOptions")
            .field("backend", &self.backend)
            .field("payload", &self.payload)
            .field("initial", &self.initial)
            .field("on_reset", &self.on_reset)
            .finish_non_exhaustive()
    }
}
