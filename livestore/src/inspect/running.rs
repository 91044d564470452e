//! The app that has a store open, asked over the socket of its client's sessions.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::InspectError;
use crate::edge::{Line, LineEvent, Mail, Mailbox, dial};
use crate::session::{
    Assembler, FromLeader, FromSession, Inspect, Inspected, PROTOCOL, PresentState, frames,
};
use crate::state::{State, StateView};
use crate::store::tools::SessionInfo;
use crate::sync::SyncStatus;

/// How long an app may take to say how far it is, and to copy its state.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_FOR_STATE: Duration = Duration::from_secs(60);

/// What the app says that has a store open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Running {
    /// How far its store is, and its connection to the backend.
    pub status: SyncStatus,
    /// The sessions of the client, the one that leads first.
    pub sessions: Vec<SessionInfo>,
}

impl From<Inspected> for Running {
    fn from(inspected: Inspected) -> Self {
        let sessions = SessionInfo::all(&inspected.sessions);
        Self { status: inspected.status, sessions }
    }
}

/// The state that the app has sent.
pub(super) fn view(present: PresentState) -> Result<StateView, InspectError> {
    let PresentState { head, schema_hash, bytes } = present;
    let (length, schema) = (bytes.0.len(), crate::schema::SchemaDef::untyped());
    let state = State::of_bytes(schema, head, bytes.0.as_slice(), length)?;
    Ok(StateView::new(state, Some(schema_hash)))
}

/// The session that leads a store's client, if there is one.
pub(super) struct Leader {
    folder: PathBuf,
    store_id: String,
    /// The line on which it was asked last.
    line: Mutex<Option<Asked>>,
}

struct Asked {
    line: Line,
    mailbox: Arc<Mailbox<LineEvent>>,
    assembler: Assembler,
}

/// What came of a question.
enum Outcome {
    Answer(Box<Inspected>),
    /// It does not answer such questions.
    Refused,
    /// It could not.
    Failed(String),
    /// The line has ended.
    Gone,
}

impl Leader {
    pub(super) fn of(folder: &Path, store_id: &str) -> Self {
        let (folder, store_id) = (folder.to_owned(), store_id.to_owned());
        Self { folder, store_id, line: Mutex::default() }
    }

    /// Asks it how far it is, and for its state. `None` if there is none that answers.
    pub(super) fn ask(&self, wants_state: bool) -> Result<Option<Inspected>, InspectError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let is_known = line.is_some();
            let Some(mut asked) = line.take().or_else(|| Asked::dial(&self.folder)) else {
                return Ok(None);
            };
            match asked.ask(&self.store_id, wants_state) {
                Outcome::Answer(inspected) => {
                    *line = Some(asked);
                    return Ok(Some(*inspected));
                }
                // That app has ended since: another one may lead now.
                Outcome::Gone if is_known => {}
                Outcome::Gone | Outcome::Refused => return Ok(None),
                Outcome::Failed(reason) => {
                    return Err(InspectError::Running { path: self.folder.clone(), reason });
                }
            }
        }
    }
}

impl Asked {
    fn dial(folder: &Path) -> Option<Self> {
        let mailbox = Arc::new(Mailbox::new());
        let theirs = Arc::clone(&mailbox);
        let line = dial(folder, |_| Box::new(move |event| theirs.put(event))).ok()?;
        Some(Self { line, mailbox, assembler: Assembler::default() })
    }

    fn ask(&mut self, store_id: &str, wants_state: bool) -> Outcome {
        let inspect = Inspect { protocol: PROTOCOL, store_id: store_id.to_owned(), wants_state };
        self.line.send(frames(&FromSession::Inspect(inspect).encode()));
        let patience = if wants_state { PATIENCE_FOR_STATE } else { PATIENCE };
        let until = self.mailbox.now() + patience;
        loop {
            let frame = match self.mailbox.take(Some(until)) {
                Mail::Message(LineEvent::Frame(frame)) => frame,
                Mail::Message(LineEvent::Closed { .. }) | Mail::Closed => return Outcome::Gone,
                Mail::Deadline => {
                    let seconds = patience.as_secs();
                    return Outcome::Failed(format!("it has not answered for {seconds} seconds"));
                }
            };
            let message = match self.assembler.add(&frame) {
                Ok(None) => continue,
                Ok(Some(message)) => FromLeader::decode(&message),
                Err(_) => None,
            };
            return match message {
                Some(FromLeader::Inspected(inspected)) => Outcome::Answer(Box::new(inspected)),
                Some(FromLeader::Failed(reason)) => Outcome::Failed(reason),
                _ => Outcome::Refused,
            };
        }
    }
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").field("folder", &self.folder).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::{Listener, listen};
    use crate::event::SeqNum;
    use crate::session::{Bytes, Refusal};

    /// Somebody who listens for the sessions of a store, and answers everything like this, or hangs up.
    fn listener(folder: &Path, answer: Option<Vec<u8>>) -> Listener {
        let accept = move |line: Line| -> crate::edge::OnLine {
            let answer = answer.clone();
            Box::new(move |event| match (event, &answer) {
                (LineEvent::Frame(_), Some(answer)) => line.send(frames(answer)),
                (LineEvent::Frame(_), None) => line.close(),
                (LineEvent::Closed { .. }, _) => {}
            })
        };
        listen(folder, accept).unwrap()
    }

    #[test]
    fn who_does_not_answer_tools_is_nobody() {
        let refused = FromLeader::Refused(Refusal::Version(PROTOCOL + 1)).encode();
        for answer in [Some(refused), Some(b"\xff?".to_vec()), None] {
            let folder = tempfile::tempdir().unwrap();
            let leader = Leader::of(folder.path(), "todos");
            assert_eq!(leader.ask(true), Ok(None), "nobody listens");
            let _listener = listener(folder.path(), answer);
            assert_eq!(leader.ask(true), Ok(None));
        }
    }

    #[test]
    fn who_cannot_answer_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let failed = FromLeader::Failed("its state is too large to be sent".into()).encode();
        let _listener = listener(folder.path(), Some(failed));
        let error = Leader::of(folder.path(), "todos").ask(true).unwrap_err();
        assert!(error.to_string().ends_with("does not show it: its state is too large to be sent"));
    }

    #[test]
    fn a_state_that_is_none_is_an_error() {
        let bytes = Bytes(b"SQLite format 3\0, it says".to_vec());
        let present = PresentState { head: SeqNum::new(1), schema_hash: 0, bytes };
        // SQLite notices when it looks at it.
        let is_read = view(present).is_ok_and(|state| state.tables().is_ok());
        assert!(!is_read);
    }
}
