use std::time::Duration;

/// What a server bears.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time. One more is answered with 503.
    pub connections: usize,
    /// Bytes of one message. A client that sends more is cut off.
    pub message_bytes: usize,
    /// Messages a second on one connection; as many may come at once after a rest. A client that
    /// sends more is read more slowly. 0: as many as it likes.
    pub messages_per_second: u32,
    /// How long it takes at most to send a request's head, or its body.
    pub handshake: Duration,
    /// After so long a silence a client is gone. It is asked for a sign of life after half of it.
    pub idle: Duration,
    /// So long a frame may take to be sent; a client that takes longer is cut off, and pulls what it
    /// missed when it comes back.
    pub send: Duration,
    /// So long a server that stops waits for pushes and connections to end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            message_bytes: 1 << 20,
            messages_per_second: 0,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            send: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}
