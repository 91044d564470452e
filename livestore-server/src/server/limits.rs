use std::time::Duration;

/// Limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections at a time. Further ones are answered with 503.
    pub connections: usize,
    /// The most bytes of one message. A client that sends more is disconnected.
    pub message_bytes: usize,
    /// The most messages a second on one connection; after a pause, as many may arrive at once. A client
    /// that sends more is slowed down. 0 is no limit.
    pub messages_per_second: u32,
    /// The time that a client has to send the head of a request, and again for its body.
    pub handshake: Duration,
    /// The time after which a silent client is disconnected. After half of it, it is pinged.
    pub idle: Duration,
    /// The time that sending a frame may take. A client that takes longer is disconnected, and pulls
    /// what it missed when it reconnects.
    pub send: Duration,
    /// The time that a server that stops waits for pushes and connections to end.
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
