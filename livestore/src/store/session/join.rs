//! Joining: opening a store that another session has open.

use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

use super::seek::Input;
use super::{Follower, hello};
use crate::edge::{Line, LineEvent, Mailbox, OnLine, dial};
use crate::event::{Conflict, EncodedEvent, SeqNum, UndoChange};
use crate::eventlog::{Eventlog, EventlogError, Fingerprint, Received, SharedLog};
use crate::schema::SchemaDef;
use crate::session::{
    Assembler, Difference, FromLeader, FromSession, LeaderOrder, Mirror, Reads, Refusal,
    StateImage, Welcome, frames,
};
use crate::state::Snapshot;
use crate::store::{OpenError, SchemaDifference};
use crate::sync::merge::SyncState;

/// How long to wait for an answer of a leader that takes its time, such as one that is being opened.
#[cfg(not(target_family = "wasm"))]
const PATIENCE: Duration = Duration::from_secs(30);

/// A session that has found its leader.
pub(in crate::store) struct Joined {
    pub(in crate::store) follower: Follower,
    pub(in crate::store) client_id: Arc<str>,
    pub(in crate::store) mailbox: Arc<Mailbox<Input>>,
    pub(in crate::store) assembler: Assembler,
    /// The leader's snapshot, if this session cannot read it.
    pub(in crate::store) snapshot: Option<Vec<u8>>,
    pub(in crate::store) conflicts: Vec<Conflict>,
    /// Why the leader was not opened from an image, if it was to be.
    pub(in crate::store) no_image: Option<String>,
    /// What this session can undo and redo, if the leader stores that.
    pub(in crate::store) undo: Option<Vec<UndoChange>>,
}

/// A session that looks for its leader.
pub(in crate::store) struct Joining<'a> {
    pub(in crate::store) folder: &'a Path,
    pub(in crate::store) log: &'a Path,
    pub(in crate::store) store_id: &'a str,
    pub(in crate::store) session_id: &'a Arc<str>,
    pub(in crate::store) schema: &'static SchemaDef,
    pub(in crate::store) schema_hash: i64,
    pub(in crate::store) reads: Reads,
    /// Whether it could lead with a backend.
    pub(in crate::store) has_backend: bool,
}

/// What a leader says, up to its answer.
#[derive(Default)]
struct Opening {
    assembler: Assembler,
    image: Option<StateImage>,
    events: Vec<EncodedEvent>,
}

#[expect(clippy::large_enum_variant, reason = "an answer is taken apart at once")]
enum Answer {
    Welcome(Welcome),
    Refused(Refusal),
    /// The leader cannot write its log; the reason.
    Failed(String),
    /// The leader has gone.
    Gone,
}

/// What the leader says is no answer.
struct NoAnswer;

impl Joined {
    /// Whether the leader's snapshot is whole, if there is one.
    pub(in crate::store) fn has_usable_snapshot(&self, schema: &'static SchemaDef) -> bool {
        let Some(bytes) = &self.snapshot else { return true };
        let snapshot =
            Snapshot { path: PathBuf::new(), log: Eventlog::new(self.follower.log().clone()) };
        let checked = snapshot.check_bytes(bytes, schema, self.follower.state().confirmed_head);
        checked.inspect_err(|reason| tracing::warn!(%reason, "no snapshot is used")).is_ok()
    }
}

impl Joining<'_> {
    /// Finds the leader. `None` if it does not listen yet, or has gone meanwhile.
    #[cfg(not(target_family = "wasm"))]
    pub(in crate::store) fn join(&self) -> Result<Option<Joined>, OpenError> {
        use crate::edge::Mail;
        let mailbox = Arc::new(Mailbox::new());
        let Some(line) = self.greet(on_line(&mailbox, 0))? else { return Ok(None) };
        let (mut opening, until) = (Opening::default(), mailbox.now() + PATIENCE);
        loop {
            let Mail::Message(input) = mailbox.take(Some(until)) else {
                return Err(self.unresponsive());
            };
            let added = opening.add(input.event).map_err(|NoAnswer| self.unresponsive())?;
            if let Some(answer) = added {
                return self.joined(opening, answer, line, mailbox);
            }
        }
    }

    /// Finds the leader, for as long as that takes. `None` if it has gone meanwhile.
    #[cfg(target_family = "wasm")]
    pub(in crate::store) async fn join(&self) -> Result<Option<Joined>, OpenError> {
        use std::sync::{Mutex, PoisonError};
        use std::task::{Poll, Waker};
        let mailbox = Arc::new(Mailbox::new());
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let (theirs, wakes) = (Arc::clone(&mailbox), Arc::clone(&waker));
        let on_event: OnLine = Box::new(move |event| {
            theirs.put(Input { connection: 0, event });
            if let Some(waker) = wakes.lock().unwrap_or_else(PoisonError::into_inner).take() {
                waker.wake();
            }
        });
        let Some(line) = self.greet(|_| on_event)? else { return Ok(None) };
        let mut opening = Opening::default();
        let answered = std::future::poll_fn(|context| {
            while let Some(input) = mailbox.take_if(|_| true) {
                match opening.add(input.event) {
                    Ok(Some(answer)) => return Poll::Ready(Ok(answer)),
                    Ok(None) => {}
                    Err(NoAnswer) => return Poll::Ready(Err(self.unresponsive())),
                }
            }
            let mut slot = waker.lock().unwrap_or_else(PoisonError::into_inner);
            *slot = Some(context.waker().clone());
            Poll::Pending
        });
        let answer = answered.await?;
        self.joined(opening, answer, line, mailbox)
    }

    /// Says hello. `None` if nobody listens.
    fn greet(&self, on_event: impl FnOnce(Line) -> OnLine) -> Result<Option<Line>, OpenError> {
        let line = match dial(self.folder, on_event) {
            Ok(line) => line,
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                return Err(OpenError::Locked { path: self.folder.to_owned() });
            }
            Err(_) => return Ok(None),
        };
        let Self { store_id, session_id, schema, schema_hash, has_backend, .. } = *self;
        let reads = self.reads.clone();
        let hello = hello(store_id, session_id, schema, schema_hash, reads, has_backend);
        let hello = FromSession::Hello(hello).encode();
        line.send(frames(&hello));
        Ok(Some(line))
    }

    fn joined(
        &self,
        opening: Opening,
        answer: Answer,
        line: Line,
        mailbox: Arc<Mailbox<Input>>,
    ) -> Result<Option<Joined>, OpenError> {
        let welcome = match answer {
            Answer::Welcome(welcome) => welcome,
            Answer::Refused(refusal) => return Err(self.refused(refusal)),
            Answer::Failed(reason) => return Err(EventlogError::Unacknowledged { reason }.into()),
            Answer::Gone => return Ok(None),
        };
        let Opening { assembler, image, events } = opening;
        let (log, snapshot) = match self.reads {
            Reads::Files => (SharedLog::open(self.log)?, None),
            _ => self.received(image, events),
        };
        let (client_id, network) = (Arc::clone(&welcome.client_id), welcome.network.clone());
        let next_attempt = welcome.next_attempt;
        let (conflicts, undo) = (welcome.conflicts.clone(), welcome.undo.clone());
        let no_image = welcome.no_image.clone();
        let order = order(welcome);
        log.set(order.state.confirmed_head, order.state.pending.iter().cloned());
        let mut mirror = Mirror::new(Arc::clone(self.session_id), order);
        if let Some(last) = log.confirmed_event(mirror.state().confirmed_head)? {
            mirror.set_last(&last);
        }
        let follower = Follower::new(mirror, log, Some(line), network, next_attempt);
        Ok(Some(Joined {
            follower,
            client_id,
            mailbox,
            assembler,
            snapshot,
            conflicts,
            no_image,
            undo,
        }))
    }

    /// The log as the leader has sent it, and its snapshot.
    fn received(
        &self,
        image: Option<StateImage>,
        events: Vec<EncodedEvent>,
    ) -> (SharedLog, Option<Vec<u8>>) {
        let store_id = self.store_id.to_owned();
        let (after, fingerprint, snapshot) = match image {
            Some(StateImage { head, history_id, checksum, snapshot }) => {
                let fingerprint = Fingerprint { store_id, history_id, checksum };
                (head, Some(fingerprint), Some(snapshot.0))
            }
            None => (SeqNum::ROOT, None, None),
        };
        let received = Received::new(after, fingerprint, events);
        (SharedLog::received(received, self.store_id), snapshot)
    }

    fn unresponsive(&self) -> OpenError {
        OpenError::Unresponsive { path: self.folder.to_owned() }
    }

    fn refused(&self, refusal: Refusal) -> OpenError {
        let path: PathBuf = self.folder.to_owned();
        match refusal {
            Refusal::Version(_) => OpenError::OtherVersion { path },
            Refusal::Store(found) => OpenError::OtherStore {
                path: self.log.to_owned(),
                found,
                store_id: self.store_id.to_owned(),
            },
            Refusal::Schema(differences) => OpenError::OtherSchema {
                path,
                differences: differences.into_iter().map(SchemaDifference::from).collect(),
            },
        }
    }
}

impl Opening {
    /// Adds what happened on the line; returns the leader's answer, once it is there.
    fn add(&mut self, event: LineEvent) -> Result<Option<Answer>, NoAnswer> {
        let frame = match event {
            LineEvent::Frame(frame) => frame,
            LineEvent::Closed { .. } => return Ok(Some(Answer::Gone)),
        };
        let Some(message) = self.assembler.add(&frame).map_err(|_| NoAnswer)? else {
            return Ok(None);
        };
        match FromLeader::decode(&message) {
            Some(FromLeader::Welcome(welcome)) => Ok(Some(Answer::Welcome(welcome))),
            Some(FromLeader::Refused(refusal)) => Ok(Some(Answer::Refused(refusal))),
            Some(FromLeader::Failed(reason)) => Ok(Some(Answer::Failed(reason))),
            Some(FromLeader::Snapshot(image)) => {
                self.image = Some(image);
                Ok(None)
            }
            Some(FromLeader::Events(mut events)) => {
                self.events.append(&mut events);
                Ok(None)
            }
            _ => Err(NoAnswer),
        }
    }
}

/// Puts what happens on a line, which has this number, into a mailbox.
pub(super) fn on_line(
    mailbox: &Arc<Mailbox<Input>>,
    connection: u64,
) -> impl FnOnce(Line) -> OnLine + use<> {
    let mailbox = Arc::clone(mailbox);
    move |_| Box::new(move |event| mailbox.put(Input { connection, event }))
}

pub(super) fn order(welcome: Welcome) -> LeaderOrder {
    let state = SyncState {
        pending: welcome.pending.into(),
        upstream_head: welcome.upstream_head,
        confirmed_head: welcome.confirmed_head,
        local_head: welcome.local_head,
    };
    let Welcome { syncs, history_id, surplus, .. } = welcome;
    LeaderOrder { state, syncs, history_id, surplus }
}

impl From<Difference> for SchemaDifference {
    fn from(difference: Difference) -> Self {
        let Difference { part, is_in_session, is_in_leader } = difference;
        Self { part, is_here: is_in_session, is_there: is_in_leader }
    }
}
