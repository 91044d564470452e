//! The conversation between a session and its leader.
//!
//! It begins with [`Hello`], whose first number says the version of all that follows, and is answered by
//! [`Welcome`] or a [`Refusal`]. From then on the session sends its commits, in order, and the leader
//! every change of its log, in order; a session finds its own commits among them. A line that ends has
//! said all there is to say: the session looks for the leader again, or takes over.
//!
//! A session that cannot read the leader's files, as in a browser's page, is sent what is in them before
//! it is welcomed.
//!
//! A tool without the app's types is no session: it begins with [`Inspect`] instead, and may ask again.

use std::sync::Arc;

use super::codec::{Bytes, Code, enums, structs};
use super::mirror::Change;
use crate::event::{
    CommitId, Conflict, EncodedEvent, EventText, SeqNum, UndoChange, UndoCommit, UndoNotes,
    UndoPlace, UndoStep, Way,
};
use crate::sync::{NetworkStatus, SyncStatus};
use crate::value::Timestamp;

/// The version of the conversation.
pub(crate) const PROTOCOL: u64 = 9;

/// A message of a session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromSession {
    Hello(Hello),
    /// The events of one commit, not numbered yet but for whether they are client-only.
    Commit(Vec<EncodedEvent>),
    Command(Command),
    /// The leader is to send all confirmed events up to this one.
    Read(SeqNum),
    /// Commits of a session that has ended, instead of a hello.
    Recover(Recover),
    /// A tool's question, instead of a hello.
    Inspect(Inspect),
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
    /// What this session has committed could not be written; the line ends. The text is for people.
    Failed(String),
    /// The state is rebuilt: events that could not be applied are tried again.
    Reset,
    /// The state of the snapshot: before the welcome of a session that cannot read it.
    Snapshot(StateImage),
    /// Confirmed events, in order: before the welcome those that the session does not have, and later
    /// those that it wants to read. An empty page is the last.
    Events(Vec<EncodedEvent>),
    /// The commits of a session that has ended are in the log.
    Recovered,
    /// The commands that failed, and were not resolved: the whole list, whenever it changes.
    Conflicts(Vec<Conflict>),
    /// The sessions of the client, when one has come or gone.
    Sessions(Sessions),
    /// The answer to a tool.
    Inspected(Inspected),
    /// From now on, what this session can undo is stored: another session of its window has gone.
    StoresUndo,
    /// The leader does not have the events that this session wants to read, and cannot fetch them. The text is
    /// for people.
    NoHistory(String),
}

/// The sessions of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sessions {
    /// Higher than in the lists that the leader has made before.
    pub(crate) number: u64,
    pub(crate) leader: Arc<str>,
    pub(crate) followers: Vec<Arc<str>>,
}

/// A tool's question, which may be asked several times on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inspect {
    pub(crate) protocol: u64,
    pub(crate) store_id: String,
    /// Whether the answer is to have the state.
    pub(crate) wants_state: bool,
}

/// What a tool sees of a store that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inspected {
    pub(crate) status: SyncStatus,
    pub(crate) sessions: Sessions,
    pub(crate) state: Option<PresentState>,
}

/// A copy of the state that the leader's app sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresentState {
    /// The last event that it is made of.
    pub(crate) head: SeqNum,
    pub(crate) schema_hash: i64,
    /// An SQLite file.
    pub(crate) bytes: Bytes,
}

/// The first message of a session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) protocol: u64,
    pub(crate) store_id: String,
    pub(crate) session_id: Arc<str>,
    pub(crate) schema_hash: i64,
    pub(crate) schema: Vec<SchemaPart>,
    pub(crate) reads: Reads,
    /// Whether the session could lead with a backend.
    pub(crate) has_backend: bool,
}

/// How a session gets to what is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reads {
    /// It reads the leader's files.
    Files,
    /// The leader sends its snapshot, and the events behind that.
    Everything,
    /// The leader sends the events behind this one, if the log still has this history, and otherwise all.
    Behind { head: SeqNum, history_id: String },
}

impl Reads {
    /// All events, whatever their history.
    pub(crate) fn all() -> Self {
        Self::Behind { head: SeqNum::ROOT, history_id: String::new() }
    }
}

/// A state as it is in a snapshot, for a session that cannot read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateImage {
    /// The last event that the state is made of, and the log's identity there.
    pub(crate) head: SeqNum,
    pub(crate) history_id: String,
    pub(crate) checksum: i64,
    /// The snapshot's bytes.
    pub(crate) snapshot: Bytes,
}

/// Commits of a session that has ended, which it may not have got to the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recover {
    pub(crate) protocol: u64,
    pub(crate) store_id: String,
    pub(crate) session_id: Arc<str>,
    /// Each with the number of events that the session committed before it.
    pub(crate) commits: Vec<Recovered>,
}

/// A commit of a session that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// The number of events that the session committed before it.
    pub(crate) behind: u64,
    pub(crate) events: Vec<EncodedEvent>,
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
    /// The reason why the leader was not opened from an image, although its app wanted that.
    pub(crate) no_image: Option<String>,
    /// The number of events that the log has more of this session than it has committed, because its
    /// commands decided again.
    pub(crate) surplus: i64,
    pub(crate) conflicts: Vec<Conflict>,
    /// What the session's window can undo and redo. `None` if that is the leader's own window: the leader has
    /// that.
    pub(crate) undo: Option<Vec<UndoChange>>,
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
    /// The conflict with this id is resolved.
    Resolve(String),
    /// What the session can undo and redo has changed.
    Undo(UndoNotes),
}

impl FromSession {
    /// The bytes of [`Commit`](Self::Commit).
    pub(crate) fn encode_commit<'e>(
        events: impl ExactSizeIterator<Item = &'e EncodedEvent>,
    ) -> Vec<u8> {
        let mut bytes = vec![COMMIT];
        (events.len() as u64).put(&mut bytes);
        events.for_each(|event| event.put(&mut bytes));
        bytes
    }

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

impl Recovered {
    /// The bytes of such a commit, of those of its [message](FromSession::encode_commit).
    pub(crate) fn encode(behind: u64, message: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(message.len() + 9);
        behind.put(&mut bytes);
        bytes.extend(message.get(1..).unwrap_or_default());
        bytes
    }

    /// `None` if the bytes are not such a commit.
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
    Hello { protocol, store_id, session_id, schema_hash, schema, reads, has_backend }
    StateImage { head, history_id, checksum, snapshot }
    Recover { protocol, store_id, session_id, commits }
    Recovered { behind, events }
    Sessions { number, leader, followers }
    Inspect { protocol, store_id, wants_state }
    Inspected { status, sessions, state }
    PresentState { head, schema_hash, bytes }
    SyncStatus { local_head, upstream_head, pending, refused, network, next_attempt, no_image }
    SchemaPart { name, hash }
    Welcome {
        client_id, syncs, history_id, upstream_head, confirmed_head, local_head, pending, network,
        next_attempt, no_image, surplus, conflicts, undo
    }
    UndoNotes { window_id, changes }
    UndoPlace { way, number }
    UndoStep { commits }
    UndoCommit { id, inverse, left }
    CommitId { content, command }
    EventText { name, args }
    Difference { part, is_in_session, is_in_leader }
}

/// The number of [`FromSession::Commit`].
const COMMIT: u8 = 1;

enums! {
    FromSession {
        // The hello stays the first, and its version its first field: that is what a leader of another
        // version reads.
        0 => Hello(hello),
        1 => Commit(events),
        2 => Command(command),
        3 => Read(head),
        4 => Recover(recover),
        5 => Inspect(inspect),
    }
    FromLeader {
        // Likewise.
        0 => Refused(refusal),
        1 => Welcome(welcome),
        2 => Changed(change),
        3 => Network(network, next_attempt),
        4 => Failed(reason),
        5 => Reset,
        6 => Snapshot(image),
        7 => Events(events),
        8 => Recovered,
        9 => Conflicts(conflicts),
        10 => Sessions(sessions),
        11 => Inspected(inspected),
        12 => StoresUndo,
        13 => NoHistory(reason),
    }
    Reads {
        0 => Files,
        1 => Everything,
        2 => Behind { head, history_id },
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
        5 => Resolve(id),
        6 => Undo(notes),
    }
    UndoChange {
        0 => Put(place, step),
        1 => Remove(place),
        2 => Clear(way),
    }
    Way {
        0 => Undo,
        1 => Redo,
    }
    Change {
        0 => Committed(events),
        1 => Merged { merge, rewrites_history },
        2 => Decided { session_id, sent, events, failure },
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
            reads: Reads::Behind { head: SeqNum::new(7), history_id: "h".into() },
            has_backend: true,
        };
        let mut bytes = FromSession::Hello(hello.clone()).encode();
        assert_eq!(FromSession::decode(&bytes), Some(FromSession::Hello(hello)));
        bytes.extend(b"what comes later");
        assert_eq!(FromSession::decode(&bytes), None);
        assert_eq!(Hello::version(&bytes), Some(300));
        assert_eq!(Hello::version(&FromSession::Command(Command::Pause).encode()), None);
    }

    #[test]
    fn what_a_session_can_undo_is_read_as_it_was_written() {
        let place = UndoPlace { way: Way::Redo, number: 300 };
        let inverse = vec![EventText { name: "v1.Said".into(), args: "{}".into() }];
        let id = CommitId { content: i64::MIN, command: Some("c".into()) };
        let step = UndoStep { commits: vec![UndoCommit { id, inverse, left: 300 }] };
        let changes = vec![
            UndoChange::Clear(Way::Undo),
            UndoChange::Put(place, step),
            UndoChange::Remove(UndoPlace { way: Way::Undo, ..place }),
        ];
        let notes = UndoNotes { window_id: "main".into(), changes };
        let message = FromSession::Command(Command::Undo(notes));
        let mut bytes = message.encode();
        assert_eq!(FromSession::decode(&bytes), Some(message));
        bytes.pop();
        assert_eq!(FromSession::decode(&bytes), None);
    }

    #[test]
    fn a_commit_has_the_same_bytes_either_way() {
        let event = EncodedEvent {
            seq: SeqNum::new(7),
            parent: SeqNum::new(6),
            name: "v1.Said".into(),
            args: "{}".into(),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: 1,
            sync_metadata: None,
            continues: false,
            command: None,
        };
        let commit = FromSession::Commit(vec![event.clone(), event.clone()]);
        let bytes = FromSession::encode_commit([&event, &event].into_iter());
        assert_eq!(bytes, commit.encode());
        let recovered = Recovered { behind: 300, events: vec![event.clone(), event] };
        assert_eq!(Recovered::decode(&Recovered::encode(300, &bytes)), Some(recovered));
    }
}
