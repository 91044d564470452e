//! Joining: opening a store that another session has open.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

use super::seek::Input;
use super::{Follower, hello};
#[cfg(not(target_family = "wasm"))]
use crate::edge::LineEvent;
use crate::edge::{Line, Mailbox, OnLine, dial};
use crate::eventlog::SharedLog;
use crate::schema::SchemaDef;
use crate::session::{
    Assembler, Difference, FromLeader, FromSession, LeaderOrder, Mirror, Refusal, Welcome, frames,
};
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
}

/// Finds the leader of the store in `folder`. `None` if it does not listen yet, or has gone meanwhile.
pub(in crate::store) fn join(
    folder: &Path,
    log: &Path,
    store_id: &str,
    session_id: &Arc<str>,
    schema: &'static SchemaDef,
    schema_hash: i64,
) -> Result<Option<Joined>, OpenError> {
    let mailbox = Arc::new(Mailbox::new());
    let line = match dial(folder, on_line(&mailbox, 0)) {
        Ok(line) => line,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return Err(OpenError::Locked { path: folder.to_owned() });
        }
        Err(_) => return Ok(None),
    };
    let hello = FromSession::Hello(hello(store_id, session_id, schema, schema_hash)).encode();
    frames(&hello).for_each(|frame| line.send(frame));
    let mut assembler = Assembler::default();
    let Some(answer) = answer(&mailbox, &mut assembler, folder)? else { return Ok(None) };
    let welcome = match answer {
        FromLeader::Welcome(welcome) => welcome,
        FromLeader::Refused(refusal) => return Err(refused(refusal, folder, log, store_id)),
        _ => return Err(OpenError::Unresponsive { path: folder.to_owned() }),
    };
    let log = SharedLog::open(log)?;
    let (client_id, network) = (Arc::clone(&welcome.client_id), welcome.network.clone());
    let next_attempt = welcome.next_attempt;
    let order = order(welcome);
    log.set(order.state.confirmed_head, order.state.pending.iter().cloned());
    let mirror = Mirror::new(Arc::clone(session_id), order);
    let follower = Follower::new(mirror, log, line, network, next_attempt);
    Ok(Some(Joined { follower, client_id, mailbox, assembler }))
}

/// Puts what happens on a line, which has this number, into a mailbox.
pub(super) fn on_line(
    mailbox: &Arc<Mailbox<Input>>,
    connection: u64,
) -> impl FnOnce(Line) -> OnLine + use<> {
    let mailbox = Arc::clone(mailbox);
    move |_| Box::new(move |event| mailbox.put(Input { connection, event }))
}

/// Waits for the leader's answer; `None` if it has gone.
#[cfg(not(target_family = "wasm"))]
fn answer(
    mailbox: &Mailbox<Input>,
    assembler: &mut Assembler,
    folder: &Path,
) -> Result<Option<FromLeader>, OpenError> {
    use crate::edge::Mail;
    let unresponsive = || OpenError::Unresponsive { path: folder.to_owned() };
    let until = mailbox.now() + PATIENCE;
    loop {
        let frame = match mailbox.take(Some(until)) {
            Mail::Message(Input { event: LineEvent::Frame(frame), .. }) => frame,
            Mail::Message(Input { event: LineEvent::Closed { .. }, .. }) => return Ok(None),
            _ => return Err(unresponsive()),
        };
        if let Some(message) = assembler.add(&frame).map_err(|_| unresponsive())? {
            return FromLeader::decode(&message).map(Some).ok_or_else(unresponsive);
        }
    }
}

/// Nobody leads here.
#[cfg(target_family = "wasm")]
fn answer(
    _: &Mailbox<Input>,
    _: &mut Assembler,
    folder: &Path,
) -> Result<Option<FromLeader>, OpenError> {
    Err(OpenError::Unresponsive { path: folder.to_owned() })
}

pub(super) fn order(welcome: Welcome) -> LeaderOrder {
    let state = SyncState {
        pending: welcome.pending.into(),
        upstream_head: welcome.upstream_head,
        confirmed_head: welcome.confirmed_head,
        local_head: welcome.local_head,
    };
    LeaderOrder { state, syncs: welcome.syncs, history_id: welcome.history_id }
}

fn refused(refusal: Refusal, folder: &Path, log: &Path, store_id: &str) -> OpenError {
    let path: PathBuf = folder.to_owned();
    match refusal {
        Refusal::Version(_) => OpenError::OtherVersion { path },
        Refusal::Store(found) => {
            OpenError::OtherStore { path: log.to_owned(), found, store_id: store_id.to_owned() }
        }
        Refusal::Schema(differences) => OpenError::OtherSchema {
            path,
            differences: differences.into_iter().map(SchemaDifference::from).collect(),
        },
    }
}

impl From<Difference> for SchemaDifference {
    fn from(difference: Difference) -> Self {
        let Difference { part, is_in_session, is_in_leader } = difference;
        Self { part, is_here: is_in_session, is_there: is_in_leader }
    }
}
