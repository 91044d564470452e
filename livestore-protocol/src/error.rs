//! Failures of a pull or a push.

/// The reason why a pull or a push failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The push does not follow the backend's last event: pull first.
    #[error("the backend's last event is e{head}, but the push follows e{parent}")]
    ServerAhead {
        /// The sequence number of the backend's last event.
        head: u64,
        /// The parent of the first event of the push.
        parent: u64,
    },
    /// The backend is not the one that the client has synced with.
    #[error("the backend is {expected}, but this client has synced with {received}")]
    BackendIdMismatch {
        /// The backend's id.
        expected: String,
        /// The id that the client sent.
        received: String,
    },
    /// The client has no right to do this, or a limit of the backend is reached.
    #[error("the backend refuses: {0}")]
    Refused(String),
    /// The backend does not accept the request, and would not accept it the next time.
    #[error("the backend does not accept the request: {0}")]
    Invalid(String),
    /// Anything else; the next attempt may succeed.
    #[error("the backend failed: {0}")]
    Failed(String),
}
