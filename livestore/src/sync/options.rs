//! How a store is to sync.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{OnBackendReset, Secret, SyncBackend};

/// What a store syncs with, and how. A backend alone becomes it, too.
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
    pub(crate) held: bool,
}

/// Whether opening a store waits for the backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitialSync {
    /// It does not.
    #[default]
    Background,
    /// Until the store has all that the backend has, or this time has passed.
    Wait(Duration),
}

impl SyncOptions {
    /// Sync with this backend, in the background.
    pub fn new(backend: impl SyncBackend) -> Self {
        Self {
            backend: Arc::new(backend),
            payload: None,
            initial: InitialSync::default(),
            on_reset: OnBackendReset::default(),
            held: false,
        }
    }

    /// What the app tells the backend of itself, such as a token: any JSON.
    #[must_use]
    pub fn payload(mut self, json: impl Into<String>) -> Self {
        self.payload = Some(Secret::from(json));
        self
    }

    /// Whether opening the store waits for the backend; it does not, if not said.
    #[must_use]
    pub fn initial(mut self, initial: InitialSync) -> Self {
        self.initial = initial;
        self
    }

    /// What to do when the backend is not the one that the log comes from;
    /// [`KeepAndStop`](OnBackendReset::KeepAndStop) if not said.
    #[must_use]
    pub fn on_backend_reset(mut self, policy: OnBackendReset) -> Self {
        self.on_reset = policy;
        self
    }

    /// Begins offline: [`Store::resume_sync`](crate::Store) connects.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.held = true;
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
