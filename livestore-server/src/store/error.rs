/// Why the storage did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The batch does not follow the store's last event.
    #[error("the store's last event is e{head}")]
    Behind {
        /// The last event.
        head: u64,
    },
    /// There are as many stores as there may be.
    #[error("this server keeps {limit} stores, and may keep no more")]
    TooManyStores {
        /// How many there may be.
        limit: u64,
    },
    /// The store is as large as it may be.
    #[error("the store may hold {limit} bytes of events, and this would be more")]
    StoreFull {
        /// How many bytes there may be.
        limit: u64,
    },
    /// The disk is full. Nothing was stored; it may go better once there is room.
    #[error("the server's disk is full")]
    DiskFull,
    /// What was read is not what was written.
    #[error("event e{seq} is damaged on the server's disk")]
    Corrupt {
        /// The event.
        seq: u64,
    },
    /// The store was never opened.
    #[error("there is no such store")]
    Unknown,
    /// The server is shutting down, or its storage gave up.
    #[error("the server's storage is closed")]
    Closed,
    /// Something else.
    #[error("the server's storage failed: {0}")]
    Failed(String),
}
