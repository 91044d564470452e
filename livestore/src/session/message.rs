//! The conversation between a session and its leader.
//!
//! It begins with [`Hello`], whose first number says the version of all that follows, and is answered by
//! [`Welcome`] or a [`Refusal`]. From then on the session sends its commits, in order, and the leader
//! every change of its log, in order; a session finds its own commits among them. A line that ends has
//! said all there is to say: the session looks for the leader again, or takes over.

use std::sync::Arc;

use super::codec::{Code, enums, structs};
use super::mirror::Change;
use crate::event::{EncodedEvent, SeqNum};
use crate::sync::NetworkStatus;
use crate::value::Timestamp;

/// The version of the conversation.
pub(crate) const PROTOCOL: u64 = 1;

/// A message of a session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromSession {
    Hello(Hello),
    /// The events of one commit, not numbered yet but for whether they are client-only.
    Commit(Vec<EncodedEvent>),
    Command(Command),
}

/// A message of the leader's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromLeader {
    Welcome(Welcome),
    Refused(Refusal),
    /// The log has changed.
    Changed(Change),
    /// The connection to the backend has changed, and when the next attempt is made.
    Network(NetworkStatus, Option<Timestamp>),
    /// The next commit of this session could not be written; the line ends. The text is for people.
    Failed(String),
    /// The state is rebuilt: events that could not be applied are tried again.
    Reset,
}

/// The first message of a session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) protocol: u64,
    pub(crate) store_id: String,
    pub(crate) session_id: Arc<str>,
    pub(crate) schema_hash: i64,
    pub(crate) schema: Vec<SchemaPart>,
}

/// A part of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaPart {
    /// For people, such as "table `todo`".
    pub(crate) name: String,
    /// Differs where the part does.
    pub(crate) hash: u64,
}

/// The leader's answer: the session is one of the client's now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub(crate) client_id: Arc<str>,
    /// Whether the leader has a backend.
    pub(crate) syncs: bool,
    /// Changes when confirmed events leave the log.
    pub(crate) history_id: String,
    pub(crate) upstream_head: SeqNum,
    pub(crate) confirmed_head: SeqNum,
    pub(crate) local_head: SeqNum,
    /// The events behind the confirmed head.
    pub(crate) pending: Vec<EncodedEvent>,
    pub(crate) network: NetworkStatus,
    pub(crate) next_attempt: Option<Timestamp>,
}

/// The leader's answer: it cannot lead this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It speaks this version of the protocol.
    Version(u64),
    /// It leads this store.
    Store(String),
    /// Its schema differs in these parts.
    Schema(Vec<Difference>),
}

/// A part in which two schemas differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// For people, such as "table `todo`".
    pub(crate) part: String,
    pub(crate) is_in_session: bool,
    pub(crate) is_in_leader: bool,
}

/// Something that the leader does for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Pause,
    Resume,
    Reconnect,
    Payload(String),
    Reset,
}

impl FromSession {
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// `None` if the bytes are not a message.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes)
    }
}

impl FromLeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// `None` if the bytes are not a message.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes)
    }
}

impl Hello {
    /// The version in a message that may be of another version, if it begins like a hello.
    pub(crate) fn version(message: &[u8]) -> Option<u64> {
        let mut rest = message;
        (u8::get(&mut rest)? == 0).then(|| u64::get(&mut rest)).flatten()
    }
}

fn encode(message: &impl Code) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.put(&mut bytes);
    bytes
}

fn decode<T: Code>(mut bytes: &[u8]) -> Option<T> {
    T::get(&mut bytes).filter(|_| bytes.is_empty())
}

structs! {
    Hello { protocol, store_id, session_id, schema_hash, schema }
    SchemaPart { name, hash }
    Welcome {
        client_id, syncs, history_id, upstream_head, confirmed_head, local_head, pending, network,
        next_attempt
    }
    Difference { part, is_in_session, is_in_leader }
}

enums! {
    FromSession {
        // The hello stays the first, and its version its first field: that is what a leader of another
        // version reads.
        0 => Hello(hello),
        1 => Commit(events),
        2 => Command(command),
    }
    FromLeader {
        // Likewise.
        0 => Refused(refusal),
        1 => Welcome(welcome),
        2 => Changed(change),
        3 => Network(network, next_attempt),
        4 => Failed(reason),
        5 => Reset,
    }
    Refusal {
        0 => Version(version),
        1 => Store(store_id),
        2 => Schema(differences),
    }
    Command {
        0 => Pause,
        1 => Resume,
        2 => Reconnect,
        3 => Payload(json),
        4 => Reset,
    }
    Change {
        0 => Committed(events),
        1 => Merged { merge, rewrites_history },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_of_another_version_says_so() {
        let hello = Hello {
            protocol: 300,
            store_id: "todos".into(),
            session_id: "s".into(),
            schema_hash: 1,
            schema: vec![SchemaPart { name: "table `todo`".into(), hash: 7 }],
        };
        let mut bytes = FromSession::Hello(hello.clone()).encode();
        assert_eq!(FromSession::decode(&bytes), Some(FromSession::Hello(hello)));
        bytes.extend(b"what comes later");
        assert_eq!(FromSession::decode(&bytes), None);
        assert_eq!(Hello::version(&bytes), Some(300));
        assert_eq!(Hello::version(&FromSession::Command(Command::Pause).encode()), None);
    }
}
