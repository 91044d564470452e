/// The reason why a storage did not carry out a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The events do not follow the store's last event.
    #[error("the store's last event is e{head}")]
    Behind {
        /// The sequence number of the last event.
        head: u64,
    },
    /// The limit on the number of stores is reached.
    #[error("this server has {limit} stores, which is its limit")]
    TooManyStores {
        /// The most stores.
        limit: u64,
    },
    /// The store would exceed its limit.
    #[error("the store may have at most {limit} bytes of events, and these would exceed it")]
    StoreFull {
        /// The most bytes.
        limit: u64,
    },
    /// The disk is full. Nothing was stored; another attempt succeeds once there is space.
    #[error("the server's disk is full")]
    DiskFull,
    /// An event was read that differs from the one that was written.
    #[error("event e{seq} is damaged on the server's disk")]
    Corrupt {
        /// The sequence number of the event.
        seq: u64,
    },
    /// The store does not exist: it was never opened.
    #[error("the store does not exist")]
    Unknown,
    /// The server is shutting down, or its storage has failed.
    #[error("the server's storage is closed")]
    Closed,
    /// Anything else.
    #[error("the server's storage failed: {0}")]
    Failed(String),
}
