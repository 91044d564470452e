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
    /// The storage cannot be used at the moment. Nothing was stored; another attempt may succeed.
    #[error("the server's storage cannot be used at the moment: {0}")]
    Unavailable(String),
    /// The engine did not answer an append in time, or the connection to it broke: the events may be
    /// stored or not. Another attempt finds out, and stores nothing twice.
    #[error("the server's storage did not answer: {0}; the events may be stored, try again")]
    Uncertain(String),
    /// A file was deleted, moved or replaced while the server was running. Nothing is stored until the
    /// very same file is back: nobody would find it later.
    #[error(
        "`{name}` in the server's data directory was deleted, moved or replaced while the server was \
         running. If it was moved, move it back, and the server goes on; if not, restore it, and start the \
         server again"
    )]
    FileLost {
        /// The name of the file.
        name: String,
    },
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
    /// Anything else. What is on the disk may be uncertain, so nothing is stored any more.
    #[error("the server's storage failed: {0}; check the disk, and start the server again")]
    Failed(String),
}
