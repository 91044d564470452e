//! Leading: other sessions of the client say hello, commit, and are notified of every change.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::outgoing::Outgoing;
use super::parts;
use super::step_down::StaysLeader;
use crate::edge::{Line, LineEvent, Listener, OnLine, listen};
use crate::error::ErrorChain;
use crate::event::{EncodedEvent, SeqNum, window_of};
use crate::eventlog::{Eventlog, EventlogError};
use crate::live::Reactive;
use crate::session::{
    Assembler, Command, Difference, FromLeader, FromSession, Garbage, Hello, PROTOCOL, Recover,
    Refusal, SchemaPart, Sessions, Welcome, frames,
};
use crate::state::ReplayError;
use crate::store::{ConflictError, Core, Inner};

/// The other sessions of a leader.
pub(in crate::store) struct Hub {
    listener: Mutex<Option<Listener>>,
    peers: Mutex<Vec<Peer>>,
    next_id: AtomicU64,
    /// The number of sessions that are notified of changes.
    joined: AtomicUsize,
    /// The number of the next list of sessions.
    next_list: AtomicU64,
    store: OnceLock<Weak<Inner>>,
    /// What came before the store was open; `None` once it is.
    early: Mutex<Option<Vec<(u64, LineEvent)>>>,
    outgoing: Outgoing,
}

/// The message that a frame ends, if it ends one.
type Added = Result<Option<Vec<u8>>, Garbage>;

struct Peer {
    id: u64,
    line: Line,
    assembler: Assembler,
    /// Set when it is notified of changes.
    session_id: Option<Arc<str>>,
    /// Whether its welcome was sent.
    is_welcomed: bool,
    /// Whether what it can undo is stored: of several sessions in one window, that is so for the last one.
    stores_undo: bool,
}

impl Hub {
    /// Waits for other sessions of the store in this folder. They are answered once the hub is
    /// [attached](Self::attach).
    pub(in crate::store) fn listen(folder: &Path) -> std::io::Result<Arc<Self>> {
        let hub = Arc::new_cyclic(|hub: &Weak<Self>| Self {
            listener: Mutex::default(),
            peers: Mutex::default(),
            next_id: AtomicU64::new(0),
            joined: AtomicUsize::new(0),
            next_list: AtomicU64::new(0),
            store: OnceLock::new(),
            early: Mutex::new(Some(Vec::new())),
            outgoing: Outgoing::new(Weak::clone(hub)),
        });
        let theirs = Arc::downgrade(&hub);
        *lock(&hub.listener) = Some(listen(folder, move |line| accept(&theirs, line))?);
        Ok(hub)
    }

    /// Answers the other sessions from now on, for this store.
    pub(in crate::store) fn attach(&self, store: Weak<Inner>) {
        let _ = self.store.set(store);
        loop {
            let mut early = lock(&self.early);
            let waiting = early.as_mut().map(std::mem::take).unwrap_or_default();
            if waiting.is_empty() {
                *early = None;
                return;
            }
            drop(early);
            waiting.into_iter().for_each(|(id, event)| self.handle(id, event));
        }
    }

    /// Ends all lines. The other sessions look for another leader then.
    pub(in crate::store) fn close(&self) {
        let listener = lock(&self.listener).take();
        drop(listener);
        self.disconnect();
    }

    /// Ends all lines; the sessions come back, and find out what they have missed.
    fn disconnect(&self) {
        let peers = std::mem::take(&mut *lock(&self.peers));
        self.joined.store(0, Ordering::Release);
        peers.into_iter().for_each(|peer| peer.line.close());
    }

    /// Whether there are sessions to notify.
    pub(in crate::store) fn has_sessions(&self) -> bool {
        self.joined.load(Ordering::Acquire) > 0
    }

    /// The number of sessions that follow.
    pub(in crate::store) fn session_count(&self) -> usize {
        self.joined.load(Ordering::Acquire)
    }

    /// Sends a message to every session, in the order of the calls.
    fn broadcast(&self, message: &[u8]) {
        self.send_to(|peer| peer.session_id.is_some(), message);
    }

    fn send_to(&self, is_meant: impl Fn(&Peer) -> bool, message: &[u8]) {
        let lines: Vec<_> = lock(&self.peers)
            .iter()
            .filter(|peer| is_meant(peer))
            .map(|peer| peer.line.clone())
            .collect();
        for line in lines {
            send(&line, message);
        }
    }

    /// The sessions that are there now.
    pub(in crate::store) fn sessions(&self, leader: &Arc<str>) -> Sessions {
        let peers = lock(&self.peers);
        let followers = peers.iter().filter_map(|peer| peer.session_id.clone()).collect();
        let number = self.next_list.fetch_add(1, Ordering::Relaxed);
        Sessions { number, leader: Arc::clone(leader), followers }
    }

    /// Notifies the sessions that one has come or gone. This is not ordered with other messages, so only
    /// those that have their welcome can be notified.
    fn announce(&self) {
        if let Some(store) = self.store.get().and_then(Weak::upgrade) {
            let sessions = self.sessions(&store.session_id);
            self.send_to(|peer| peer.is_welcomed, &FromLeader::Sessions(sessions).encode());
        }
    }

    /// Sends what was gathered, once the log has it: a session counts what it receives as written.
    pub(super) fn send_outgoing(&self, log: &Eventlog) {
        let messages = self.outgoing.take();
        if messages.is_empty() {
            return;
        }
        match log.flush() {
            Ok(()) => messages.iter().for_each(|message| self.broadcast(message)),
            Err(error) => {
                let reason = ErrorChain::new(&error).to_string();
                tracing::error!(reason, "the other sessions are sent away");
                self.broadcast(&FromLeader::Failed(reason).encode());
                self.disconnect();
            }
        }
    }

    /// Sends what was gathered, of the store that this is the hub of.
    pub(super) fn send_gathered(&self) {
        let store = self.store.get().and_then(Weak::upgrade);
        if let Some(Ok(log)) = store.map(|store| store.log()) {
            self.send_outgoing(&log);
        }
    }

    fn receive(&self, id: u64, event: LineEvent) {
        let mut early = lock(&self.early);
        match &mut *early {
            // Nobody has to wait for that the store is open.
            Some(_) if is_question_whether_it_leads(&event) => {
                drop(early);
                self.send_to(|peer| peer.id == id, &FromLeader::Recovered.encode());
            }
            Some(waiting) => waiting.push((id, event)),
            None => {
                drop(early);
                self.handle(id, event);
            }
        }
    }

    fn handle(&self, id: u64, event: LineEvent) {
        match event {
            LineEvent::Closed { reason } => {
                tracing::debug!(reason, "a session has gone");
                self.remove(id);
            }
            LineEvent::Frame(frame) => {
                let Some((line, added)) = self.add(id, &frame) else { return };
                let is_fine = match added {
                    Ok(Some(message)) => self.message(id, &line, &message),
                    Ok(None) => true,
                    Err(_) => false,
                };
                if !is_fine {
                    tracing::warn!("another session has sent what is no message of a session");
                    self.remove(id);
                    line.close();
                }
            }
        }
    }

    /// Adds a frame to what the line has sent. `None` if the line is not listened to any more.
    fn add(&self, id: u64, frame: &[u8]) -> Option<(Line, Added)> {
        let mut peers = lock(&self.peers);
        let peer = peers.iter_mut().find(|peer| peer.id == id)?;
        Some((peer.line.clone(), peer.assembler.add(frame)))
    }

    /// Handles a message; returns whether it is one.
    fn message(&self, id: u64, line: &Line, message: &[u8]) -> bool {
        let Some(store) = self.store.get().and_then(Weak::upgrade) else {
            line.close();
            return true;
        };
        if let Some(version) = Hello::version(message).filter(|version| *version != PROTOCOL) {
            tracing::debug!(version, "a session of another version is refused");
            send(line, &FromLeader::Refused(Refusal::Version(PROTOCOL)).encode());
            return true;
        }
        match FromSession::decode(message) {
            Some(FromSession::Hello(hello)) => store.welcome(self, id, line, hello),
            Some(FromSession::Commit(events)) => store.commit_of(self, id, line, events),
            // Its window has been opened again since.
            Some(FromSession::Command(Command::Undo(_))) if !self.stores_undo(id) => {}
            Some(FromSession::Command(command)) => store.carry_out(command),
            Some(FromSession::Read(head)) => store.send_history(line, head),
            Some(FromSession::Recover(recover)) if recover.protocol == PROTOCOL => {
                store.recover_on(line, recover);
            }
            Some(FromSession::Recover(_)) => {
                send(line, &FromLeader::Refused(Refusal::Version(PROTOCOL)).encode());
            }
            Some(FromSession::Inspect(inspect)) if inspect.protocol == PROTOCOL => {
                store.show(self, line, &inspect);
            }
            Some(FromSession::Inspect(_)) => {
                send(line, &FromLeader::Refused(Refusal::Version(PROTOCOL)).encode());
            }
            None => return false,
        }
        true
    }

    /// Whether the line is still there.
    pub(super) fn has_peer(&self, id: u64) -> bool {
        lock(&self.peers).iter().any(|peer| peer.id == id)
    }

    fn session_of(&self, id: u64) -> Option<Arc<str>> {
        let peers = lock(&self.peers);
        peers.iter().find(|peer| peer.id == id)?.session_id.clone()
    }

    /// Whether what this session can undo is stored.
    fn stores_undo(&self, id: u64) -> bool {
        lock(&self.peers).iter().any(|peer| peer.id == id && peer.stores_undo)
    }

    /// From now on, the session is notified of changes. What it has sent on an earlier line, and has not
    /// arrived, never arrives.
    fn join(&self, id: u64, session_id: &Arc<str>, stores_undo: bool) {
        let mut peers = lock(&self.peers);
        peers.retain(|peer| peer.session_id.as_ref() != Some(session_id) || peer.id == id);
        // An earlier one of its window may have gone, and this one be the same window, opened again.
        peers.iter_mut().filter(|peer| peer.is_in_window_of(session_id)).for_each(|peer| {
            peer.stores_undo = false;
        });
        if let Some(peer) = peers.iter_mut().find(|peer| peer.id == id) {
            peer.session_id = Some(Arc::clone(session_id));
            peer.stores_undo = stores_undo;
        }
        self.count(&peers);
    }

    fn welcomed(&self, id: u64) {
        if let Some(peer) = lock(&self.peers).iter_mut().find(|peer| peer.id == id) {
            peer.is_welcomed = true;
        }
        self.announce();
    }

    fn remove(&self, id: u64) {
        let mut peers = lock(&self.peers);
        let gone = peers.iter().position(|peer| peer.id == id).map(|index| peers.remove(index));
        self.count(&peers);
        let Some(Peer { session_id: Some(session_id), stores_undo, .. }) = gone else { return };
        let heir = peers
            .iter_mut()
            .rev()
            .find(|peer| stores_undo && peer.is_welcomed && peer.is_in_window_of(&session_id));
        let heir = heir.map(|peer| {
            peer.stores_undo = true;
            peer.line.clone()
        });
        drop(peers);
        if let Some(line) = heir {
            send(&line, &FromLeader::StoresUndo.encode());
        }
        self.announce();
    }

    fn count(&self, peers: &[Peer]) {
        let joined = peers.iter().filter(|peer| peer.session_id.is_some()).count();
        self.joined.store(joined, Ordering::Release);
    }
}

impl Peer {
    fn is_in_window_of(&self, session_id: &str) -> bool {
        self.session_id.as_ref().is_some_and(|own| window_of(own) == window_of(session_id))
    }
}

/// Whether a session only wants to know that there is a leader: it has nothing to recover.
fn is_question_whether_it_leads(event: &LineEvent) -> bool {
    let LineEvent::Frame(frame) = event else { return false };
    let Ok(Some(message)) = Assembler::default().add(frame) else { return false };
    matches!(
        FromSession::decode(&message),
        Some(FromSession::Recover(Recover { protocol: PROTOCOL, commits, .. })) if commits.is_empty()
    )
}

fn accept(hub: &Weak<Hub>, line: Line) -> OnLine {
    let id = hub.upgrade().map(|hub| {
        let id = hub.next_id.fetch_add(1, Ordering::Relaxed);
        let assembler = Assembler::default();
        let peer =
            Peer { id, line, assembler, session_id: None, is_welcomed: false, stores_undo: false };
        lock(&hub.peers).push(peer);
        id
    });
    let hub = Weak::clone(hub);
    Box::new(move |event| {
        if let (Some(hub), Some(id)) = (hub.upgrade(), id) {
            hub.receive(id, event);
        }
    })
}

pub(super) fn send(line: &Line, message: &[u8]) {
    line.send(frames(message));
}

/// Ends the line of a session that cannot be served, and says why.
pub(super) fn send_away(line: &Line, error: &(dyn std::error::Error + 'static)) {
    let reason = ErrorChain::new(error).to_string();
    tracing::warn!(reason, "a session is sent away");
    send(line, &FromLeader::Failed(reason).encode());
    line.close();
}

/// Sends what a session waits for, however much that is.
pub(super) fn answer(line: &Line, message: &FromLeader) {
    line.send_answer(frames(&message.encode()));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// Whether other sessions are notified of changes.
    pub(in crate::store) fn has_sessions(&self) -> bool {
        self.hub.as_ref().is_some_and(|hub| hub.has_sessions())
    }

    /// Sends a message to the other sessions, if there are any.
    pub(in crate::store) fn broadcast(&self, message: impl FnOnce() -> FromLeader) {
        let Some(hub) = self.hub.as_ref().filter(|hub| hub.has_sessions()) else { return };
        hub.outgoing.add(message().encode());
        if !Outgoing::GATHERS {
            hub.send_outgoing(&self.log);
        }
    }
}

impl Inner {
    pub(super) fn welcome(self: &Arc<Self>, hub: &Hub, id: u64, line: &Line, hello: Hello) {
        if let Some(refusal) = self.refusal(&hello) {
            send(line, &FromLeader::Refused(refusal).encode());
            return;
        }
        if hello.has_backend {
            match self.step_down() {
                // It finds the lock free.
                Ok(()) => return,
                Err(StaysLeader::NotNeeded) => {}
                Err(error) => tracing::warn!(%error, "this session goes on leading"),
            }
        }
        let Ok(slot) = self.core() else { return line.close() };
        let welcome = slot.as_ref().map(|core| {
            // A session that joins is not notified of what its welcome contains.
            hub.send_outgoing(&core.log);
            let welcome = core.welcome(&self.client_id, &hello.session_id)?;
            Ok::<_, EventlogError>((core.opening(&hello.reads, self.schema)?, welcome))
        });
        match welcome {
            Some(Err(EventlogError::NotReceived { .. })) => {
                drop(slot);
                self.load_and_welcome(id, line, hello);
            }
            Some(Ok((opening, welcome))) => {
                opening.iter().for_each(|message| answer(line, message));
                hub.join(id, &hello.session_id, welcome.undo.is_some());
                answer(line, &FromLeader::Welcome(welcome));
                hub.welcomed(id);
            }
            Some(Err(error)) => send_away(line, &error),
            None => line.close(),
        }
    }

    fn refusal(&self, hello: &Hello) -> Option<Refusal> {
        if hello.store_id != self.store_id {
            return Some(Refusal::Store(self.store_id.clone()));
        }
        (hello.schema_hash != self.schema_hash)
            .then(|| Refusal::Schema(differences(&hello.schema, &parts(self.schema))))
    }

    /// Adds a session's commit.
    fn commit_of(&self, hub: &Hub, id: u64, line: &Line, events: Vec<EncodedEvent>) {
        // The session may have come back on another line meanwhile, without this commit.
        let Some(session_id) = hub.session_of(id) else { return line.close() };
        match self.add_commit_of(&session_id, events) {
            Ok(()) => {}
            Err(AddError::Closed) => line.close(),
            Err(AddError::Refused(error)) => {
                let reason = ErrorChain::new(&error).to_string();
                tracing::error!(reason, "a commit of another session could not be written");
                send(line, &FromLeader::Failed(reason).encode());
                hub.remove(id);
                line.close();
            }
            // This store is closed by now, and its lines with it.
            Err(AddError::Lost(_)) => {}
        }
    }

    fn recover_on(&self, line: &Line, recover: Recover) {
        if recover.store_id != self.store_id {
            return send(
                line,
                &FromLeader::Refused(Refusal::Store(self.store_id.clone())).encode(),
            );
        }
        let answer = match self.recover(recover) {
            Ok(()) => FromLeader::Recovered,
            Err(error) => FromLeader::Failed(ErrorChain::new(&error).to_string()),
        };
        send(line, &answer.encode());
    }

    pub(super) fn carry_out(self: &Arc<Self>, command: Command) {
        match command {
            Command::Pause => self.pause_sync(),
            Command::Resume => self.resume_sync(),
            Command::Reconnect => self.reconnect_now(),
            Command::Payload(json) => {
                if let Err(error) = self.set_sync_payload(json) {
                    tracing::error!(%error, "another session's payload is not used");
                }
            }
            Command::Resolve(id) => match self.resolve(&id) {
                Ok(()) | Err(ConflictError::NoSuchConflict { .. }) => {}
                Err(error) => {
                    tracing::error!(error = %ErrorChain::new(&error), "a conflict is not resolved");
                }
            },
            Command::Undo(notes) if notes.window_id == self.window_id => {
                // It was on its way to the last leader; this one has stored all of it.
            }
            Command::Undo(notes) => {
                let noted = self.log().and_then(|log| log.note_undo(&notes));
                if let Err(error) = noted {
                    tracing::warn!(%error, "what a session can undo is not in the log");
                }
            }
            Command::Reset => self.carry_out_reset(),
        }
    }
}

/// Why a session's commit was not added.
pub(super) enum AddError {
    /// The store is closed.
    Closed,
    /// It is not in the log.
    Refused(EventlogError),
    /// The state cannot follow the log.
    Lost(ReplayError),
}

impl Core {
    fn welcome(&self, client_id: &Arc<str>, session_id: &str) -> Result<Welcome, EventlogError> {
        self.log.flush()?;
        let history_id = self.history_id()?;
        let window_id = window_of(session_id);
        let status = self.sync_status();
        let head = self.state.head;
        let (upstream_head, confirmed_head, pending) = match self.order.state() {
            Some(state) => {
                let pending = state.pending.iter().cloned().collect();
                (state.upstream_head, state.confirmed_head, pending)
            }
            None => (head, head, Vec::new()),
        };
        Ok(Welcome {
            client_id: Arc::clone(client_id),
            syncs: self.order.syncs(),
            history_id,
            upstream_head,
            confirmed_head,
            local_head: head,
            pending,
            network: status.network,
            next_attempt: status.next_attempt,
            no_image: status.no_image,
            surplus: self.log.surplus(session_id)?,
            conflicts: (*self.conflicts.get()).clone(),
            undo: (*window_id != *self.window_id)
                .then(|| self.log.undo_steps(window_id))
                .transpose()?,
        })
    }

    /// The id of the log's history.
    pub(super) fn history_id(&self) -> Result<String, EventlogError> {
        let fingerprint = self.log.fingerprint(SeqNum::ROOT)?;
        Ok(fingerprint.map(|found| found.history_id).unwrap_or_default())
    }
}

fn differences(session: &[SchemaPart], leader: &[SchemaPart]) -> Vec<Difference> {
    let missing = |part: &&SchemaPart, other: &[SchemaPart]| !other.contains(part);
    let names =
        |parts: &[SchemaPart], part: &SchemaPart| parts.iter().any(|other| other.name == part.name);
    let ours = session.iter().filter(|part| missing(part, leader)).map(|part| Difference {
        part: part.name.clone(),
        is_in_session: true,
        is_in_leader: names(leader, part),
    });
    let theirs = leader.iter().filter(|part| !names(session, part)).map(|part| Difference {
        part: part.name.clone(),
        is_in_session: false,
        is_in_leader: true,
    });
    ours.chain(theirs).collect()
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("joined", &self.joined).finish_non_exhaustive()
    }
}
