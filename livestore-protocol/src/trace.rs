//! The trace of a commit.

use std::fmt;
use std::num::NonZeroU128;

use xxhash_rust::xxh3::Xxh3;

/// The id of the trace that a commit has, in OpenTelemetry's sense.
///
/// It follows from what identifies the commit: the store, the client and the session, and the number of its
/// first synced event. So the client that commits, the backend and every client that receives the commit know
/// it, and nothing has to travel with the events.
///
/// A rebase gives a pending commit other numbers, and with them another trace.
///
/// ```
/// use livestore_protocol::CommitTrace;
///
/// let trace = CommitTrace::new("todos", "client", "session", 7, 0);
/// assert_eq!(trace, CommitTrace::new("todos", "client", "session", 7, 0));
/// assert_ne!(trace, CommitTrace::new("todos", "client", "session", 8, 0));
/// assert_eq!(trace.to_string().len(), 32);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitTrace(NonZeroU128);

impl CommitTrace {
    /// Returns the trace of the commit whose first event has this number. `client` is the second part of the
    /// number of a client-only event, and otherwise 0.
    #[must_use]
    pub fn new(
        store_id: &str,
        client_id: &str,
        session_id: &str,
        global: u64,
        client: u64,
    ) -> Self {
        let mut hash = Xxh3::new();
        for text in [store_id, client_id, session_id] {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(&global.to_le_bytes());
        hash.update(&client.to_le_bytes());
        Self(NonZeroU128::new(hash.digest128()).unwrap_or(NonZeroU128::MIN))
    }

    /// Returns the id as a number, which is never 0.
    #[must_use]
    pub fn id(self) -> u128 {
        self.0.get()
    }
}

/// Writes the id as 32 hexadecimal digits.
impl fmt::Display for CommitTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let parts = [
            ("s", "c", "t", 1, 0),
            ("sc", "", "t", 1, 0),
            ("s", "ct", "", 1, 0),
            ("s", "c", "u", 1, 0),
            ("s", "c", "t", 2, 0),
            ("s", "c", "t", 1, 1),
        ];
        let trace = |&(s, c, t, global, client)| CommitTrace::new(s, c, t, global, client);
        let traces: std::collections::HashSet<_> = parts.iter().map(trace).collect();
        assert_eq!(traces.len(), parts.len());
    }

    /// Clients and servers of different versions must agree on it.
    #[test]
    fn the_id_is_the_same_in_all_versions() {
        let trace = CommitTrace::new("todos", "client", "session", 7, 0);
        assert_eq!(trace.to_string(), "23af1341b206fc65d1b672727dcec910");
    }
}
