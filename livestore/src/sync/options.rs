//! Options for sync.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::payload::{Payload, PayloadError, PayloadRequest};
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
    /// The same, but a store without events does not replay all of them: it begins with an image of the state,
    /// which a `livestore-server` that knows the app's schema makes, and the events after it.
    ///
    /// The events before are not here then. What needs them, such as [`events`](crate::Store::events) from
    /// the first on, returns [`NotReceived`](crate::eventlog::EventlogError::NotReceived) until
    /// [`Store::load_history`](crate::Store::load_history), in a browser `livestore_web::load_history`, has
    /// fetched them. If the app comes with another schema before that, its state can be made of nothing that
    /// is here: the store then has only what is not synced, until it has pulled all events.
    ///
    /// An image is used only if it is whole, of this store, and made under this very schema: otherwise the
    /// store replays, as with `Wait`, and [`SyncStatus::no_image`](super::SyncStatus::no_image) says why.
    /// That its rows follow from the events, the backend is trusted with, until the history was loaded
    /// and [`Store::verify_replay`](crate::Store::verify_replay) has replayed it.
    Image(Duration),
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
    /// An open store gets another one by [`Store::set_sync_payload`](crate::Store::set_sync_payload), or from
    /// a function: [`payload_with`](Self::payload_with), [`payload_async`](Self::payload_async).
    #[must_use]
    pub fn payload(mut self, json: impl Into<String>) -> Self {
        self.payload = Payload::fixed(json.into());
        self
    }

    /// Calls `provide` for the [payload](Self::payload) each time that the store connects, such as for a
    /// token that is valid for some minutes. When a token ends, or is refused, the backend ends the
    /// connection, and the store connects again with what `provide` then returns: the store stays open.
    ///
    /// It is called on a thread of its own, where it may take its time, but in a browser, where everything
    /// runs on one thread. If it fails, panics, or has not returned after 30 s, the store is offline for
    /// that reason ([`PayloadFailed`](super::NetworkStatus::PayloadFailed)), and tries again later.
    /// [`PayloadError::LoginRequired`] says that only the user can help.
    ///
    /// ```
    /// use livestore::sync::{PayloadError, PayloadRequest, SyncBackend, SyncOptions};
    ///
    /// fn token(is_fresh: bool) -> std::io::Result<Option<String>> {
    ///     // Ask the login service for a new token, or use the last one; `None` if the login has ended.
    /// #     Ok(Some("secret".to_owned()))
    /// }
    ///
    /// fn payload(request: PayloadRequest) -> Result<String, PayloadError> {
    ///     let token = token(request.refusal.is_some())?;
    ///     let token = token.ok_or(PayloadError::LoginRequired("logged out".to_owned()))?;
    ///     Ok(format!(r#"{{"authToken":"{token}"}}"#))
    /// }
    ///
    /// fn options(backend: impl SyncBackend) -> SyncOptions {
    ///     SyncOptions::new(backend).payload_with(payload)
    /// }
    /// ```
    #[must_use]
    pub fn payload_with(
        mut self,
        provide: impl Fn(PayloadRequest) -> Result<String, PayloadError> + Send + Sync + 'static,
    ) -> Self {
        self.payload = Payload::function(provide);
        self
    }

    /// Does the same as [`payload_with`](Self::payload_with) with an asynchronous function.
    ///
    /// It runs where the connections of the backend run: those of `livestore-sync` that use the network
    /// run it on tokio, on the app's runtime or a thread of its own. A backend without a runtime has it
    /// run on a thread of its own.
    ///
    /// ```
    /// use livestore::sync::{SyncBackend, SyncOptions};
    ///
    /// async fn sign_in() -> std::io::Result<String> {
    ///     // Ask the login service for a new token.
    /// #     Ok("secret".to_owned())
    /// }
    ///
    /// fn options(backend: impl SyncBackend) -> SyncOptions {
    ///     SyncOptions::new(backend).payload_async(async |_| {
    ///         Ok(format!(r#"{{"authToken":"{}"}}"#, sign_in().await?))
    ///     })
    /// }
    /// ```
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn payload_async<F>(
        mut self,
        provide: impl Fn(PayloadRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<String, PayloadError>> + Send + 'static,
    {
        self.payload = Payload::asynchronous(move |request| Box::pin(provide(request)));
        self
    }

    /// Does the same as [`payload_with`](Self::payload_with) with an asynchronous function, which runs
    /// on the event loop.
    #[cfg(target_family = "wasm")]
    #[must_use]
    pub fn payload_async<F>(
        mut self,
        provide: impl Fn(PayloadRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<String, PayloadError>> + 'static,
    {
        self.payload = Payload::asynchronous(move |request| Box::pin(provide(request)));
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
            InitialSync::Wait(timeout) | InitialSync::Image(timeout) if !self.starts_paused => {
                Some(timeout)
            }
            _ => None,
        }
    }

    /// How long opening waits for an image, if it wants one.
    pub(crate) fn image_wait(&self) -> Option<Duration> {
        match self.initial {
            InitialSync::Image(timeout) if !self.starts_paused => Some(timeout),
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
