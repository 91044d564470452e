//! Options for sync.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::payload::Payload;
use super::{OnBackendReset, SyncBackend};

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
    pub(crate) payload: Payload,
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
            payload: Payload::default(),
            initial: InitialSync::default(),
            on_reset: OnBackendReset::default(),
            starts_paused: false,
        }
    }

    /// Any JSON that the app sends to the backend when it connects, such as a token. Text that is not
    /// JSON, such as a bare token, is an error when the store is opened.
    ///
    /// An open store gets another one by [`Store::set_sync_payload`](crate::Store::set_sync_payload).
    #[must_use]
    pub fn payload(mut self, json: impl Into<String>) -> Self {
        self.payload = Payload::fixed(json.into());
        self
    }

    /// Calls `provide` for the [payload](Self::payload) each time that the store connects, such as for a
    /// token that is valid for some minutes.
    ///
    /// It is called on the store's sync thread, where it may take its time; no commit or query waits for
    /// it, but in a browser, where everything runs on one thread. If it fails or panics, the store is
    /// offline for that reason, and tries again later.
    ///
    /// ```
    /// use livestore::sync::{SyncBackend, SyncOptions};
    ///
    /// fn sign_in() -> std::io::Result<String> {
    ///     // Ask the login service for a new token.
    /// #     Ok("secret".to_owned())
    /// }
    ///
    /// fn payload() -> std::io::Result<String> {
    ///     Ok(format!(r#"{{"authToken":"{}"}}"#, sign_in()?))
    /// }
    ///
    /// fn options(backend: impl SyncBackend) -> SyncOptions {
    ///     SyncOptions::new(backend).payload_with(payload)
    /// }
    /// ```
    #[must_use]
    pub fn payload_with<E: Into<Box<dyn Error + Send + Sync>>>(
        mut self,
        provide: impl Fn() -> Result<String, E> + Send + Sync + 'static,
    ) -> Self {
        self.payload = Payload::provided(provide);
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

    /// How long opening waits for the backend, if it does.
    pub(crate) fn initial_wait(&self) -> Option<Duration> {
        match self.initial {
            InitialSync::Wait(timeout) if !self.starts_paused => Some(timeout),
            _ => None,
        }
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
