//! The server: its storage and its sessions, without its sockets.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use livestore::simulation::{due, elapsed, own, run};
use livestore::sync::{SyncError, SyncEvent};
use livestore_protocol::{Call, ClientMessage, Exit, Request, RequestId, ServerMessage, Transport};
use livestore_server::auth::Rights;
use livestore_server::internal::{Effect, Hub, Room, Session, Ticket};
use livestore_server::store::{
    Durability, EventStore, SqliteStore, StoreError, StoreId, StoreLimits, StoredEvent,
};

use crate::app::{is_refused, key};
use crate::client::text;
use crate::disk::Dice;
use crate::model::session;
use crate::network::{ConnId, Network, Packet};

/// Whose the server's jobs are.
pub const SERVER: u64 = 0;

/// A server, which may be down.
pub struct Server {
    directory: PathBuf,
    running: Option<Running>,
    network: Network,
    answers: Answers,
    /// How often it was started.
    lives: u64,
    dice: Dice,
    /// Events that were acknowledged since somebody asked.
    acknowledged: Vec<(StoreId, SyncEvent)>,
    /// How long reading from the disk takes, at most.
    pub read_delay: Duration,
    /// It refuses for good what its rule forbids.
    pub has_rule: bool,
    /// It refuses a push before it tells of the events that came first, as may happen over HTTP.
    pub is_hasty: bool,
}

struct Running {
    store: Arc<SqliteStore>,
    hub: Hub,
    peers: BTreeMap<ConnId, Peer>,
    reads: Vec<(Duration, ConnId, Question)>,
}

struct Peer {
    room: Arc<Room>,
    session: Session,
    /// The head that the client was told when its last push came too late.
    fenced: Option<u64>,
    /// The pushes that have no answer yet.
    asked: Vec<(RequestId, Vec<StoredEvent>)>,
    /// The pushes that were refused before their turn.
    answered: Vec<RequestId>,
}

enum Question {
    Compare { ticket: Ticket, batch: Arc<[StoredEvent]> },
    Read { ticket: Ticket, after: u64, max_bytes: usize },
}

/// What the storage answers, from its writer's turn.
type Answers = Arc<Mutex<VecDeque<(u64, ConnId, Answer)>>>;

enum Answer {
    Entered(Result<Arc<Room>, StoreError>),
    Appended(Push, Result<(), StoreError>),
}

/// A push that the storage was asked to append.
struct Push {
    ticket: Ticket,
    store: StoreId,
    batch: Arc<[StoredEvent]>,
}

impl Server {
    /// A server in this directory, which is not started yet.
    pub fn new(directory: PathBuf, network: Network, seed: u64) -> Self {
        let (answers, dice) = (Answers::default(), Dice::new(seed));
        let read_delay = Duration::from_millis(2);
        let (running, acknowledged) = (None, Vec::new());
        let (lives, has_rule, is_hasty) = (0, false, false);
        Self {
            directory,
            running,
            network,
            answers,
            lives,
            dice,
            acknowledged,
            read_delay,
            has_rule,
            is_hasty,
        }
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Starts it, if its disk lets it.
    pub fn start(&mut self) -> Result<(), String> {
        own(SERVER);
        let opened = SqliteStore::open(&self.directory, Durability::Synced, StoreLimits::NONE);
        let store = Arc::new(opened.map_err(|error| text(&error))?);
        self.lives += 1;
        let hub = Hub::new(Arc::clone(&store) as Arc<dyn EventStore>);
        let (peers, reads) = (BTreeMap::new(), Vec::new());
        self.running = Some(Running { store, hub, peers, reads });
        Ok(())
    }

    /// Ends it, properly if its disk is alive.
    pub fn stop(&mut self) {
        // The writer ends what it was given, as well as it can; nobody hears of it any more.
        while let Some(due) = due().into_iter().find(|due| due.owner == SERVER) {
            run(due.job);
        }
        self.running = None;
        while take(&self.answers).is_some() {}
        self.network.cut(None);
    }

    /// The events of a store after one, as they are on the disk.
    pub fn read(&self, store: &str, after: u64) -> Result<Vec<StoredEvent>, String> {
        let Some(running) = &self.running else { return Ok(Vec::new()) };
        let mut events = Vec::new();
        let id = StoreId::new(store).map_err(|error| text(&error))?;
        let read = running.store.read(&id, after, &mut |event| {
            events.push(event);
            std::ops::ControlFlow::Continue(())
        });
        match read {
            Ok(()) => Ok(events),
            Err(StoreError::Unknown) => Ok(Vec::new()),
            Err(error) => Err(text(&error)),
        }
    }

    /// Whether it has a store, if it is up.
    pub fn knows(&self, store: &str) -> Result<bool, String> {
        let Some(running) = &self.running else { return Ok(false) };
        let stores = running.store.list().map_err(|error| text(&error))?;
        Ok(stores.iter().any(|(id, _)| id.as_str() == store))
    }

    /// The events that were acknowledged since this was asked last.
    pub fn acknowledged(&mut self) -> Vec<(StoreId, SyncEvent)> {
        std::mem::take(&mut self.acknowledged)
    }

    /// What clients are told of each store: its last event.
    pub fn told(&self) -> impl Iterator<Item = (&str, u64)> {
        let peers = self.running.iter().flat_map(|running| running.peers.values());
        peers.map(|peer| (peer.room.id().as_str(), peer.room.head()))
    }

    /// Takes what arrives on a connection.
    pub fn receive(&mut self, id: ConnId, packet: Packet) -> Result<(), String> {
        let Some(running) = &mut self.running else {
            self.network.send_down(id, Packet::End);
            return Ok(());
        };
        match packet {
            Packet::Open(store) => {
                let store = StoreId::new(&store).map_err(|error| text(&error))?;
                let (answers, life) = (Arc::clone(&self.answers), self.lives);
                let reply = move |room| put(&answers, life, id, Answer::Entered(room));
                running.hub.enter(&store, Box::new(reply));
            }
            Packet::Text(frame) => match running.peers.get_mut(&id) {
                Some(peer) => match self.has_rule.then(|| refusal(&frame)).flatten() {
                    Some(answer) => self.network.send_down(id, Packet::Text(answer)),
                    None => peer.receive(&frame),
                },
                None => self.network.send_down(id, Packet::End),
            },
            Packet::End => drop(running.peers.remove(&id)),
        }
        self.go_on()
    }

    /// When something is read from the disk.
    pub fn next(&self) -> Option<Duration> {
        self.running.iter().flat_map(|running| &running.reads).map(|(at, ..)| *at).min()
    }

    /// Does what is due on the disk.
    pub fn read_due(&mut self) -> Result<(), String> {
        let now = elapsed();
        let Some(running) = &mut self.running else { return Ok(()) };
        let due = running.reads.iter().position(|(at, ..)| *at <= now);
        if let Some(due) = due {
            let (_, id, question) = running.reads.swap_remove(due);
            if let Some(peer) = running.peers.get_mut(&id) {
                peer.ask(question);
            }
        }
        self.go_on()
    }

    /// Hands out the storage's answers, and does what the sessions want done.
    pub fn go_on(&mut self) -> Result<(), String> {
        while let Some((life, id, answer)) = take(&self.answers) {
            if life == self.lives {
                self.answer(id, answer)?;
            }
        }
        let ids: Vec<ConnId> =
            self.running.iter().flat_map(|running| running.peers.keys().copied()).collect();
        ids.into_iter().try_for_each(|id| self.carry_out(id))
    }

    fn answer(&mut self, id: ConnId, answer: Answer) -> Result<(), String> {
        let Some(running) = &mut self.running else { return Ok(()) };
        match answer {
            Answer::Entered(Ok(room)) => {
                let session = Session::new(Arc::clone(&room), Transport::WebSocket, Rights::ALL);
                let (asked, answered) = (Vec::new(), Vec::new());
                let peer = Peer { room, session, fenced: None, asked, answered };
                running.peers.insert(id, peer);
                self.network.send_down(id, Packet::Open(String::new()));
            }
            Answer::Entered(Err(_)) => self.network.send_down(id, Packet::End),
            Answer::Appended(push, appended) => {
                if appended.is_ok() {
                    let accepted =
                        |it: &StoredEvent| it.event().clone().accepted_at(it.created_at());
                    let events = push.batch.iter().map(|it| (push.store.clone(), accepted(it)));
                    self.acknowledged.extend(events);
                }
                if let Some(peer) = running.peers.get_mut(&id) {
                    let refusal = self.is_hasty.then(|| peer.refuse_at_once(&push, &appended));
                    if let Some(refusal) = refusal.flatten() {
                        self.network.send_down(id, Packet::Text(refusal));
                    }
                    peer.appended(&push, appended);
                }
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, id: ConnId) -> Result<(), String> {
        loop {
            let Some(running) = &mut self.running else { return Ok(()) };
            let Some(peer) = running.peers.get_mut(&id) else { return Ok(()) };
            let later = elapsed() + self.read_delay.mul_f64(self.dice.below(100) as f64 / 100.0);
            match peer.session.next_effect() {
                None => return Ok(()),
                Some(Effect::Send(frame)) => {
                    peer.check_answer(&frame)?;
                    if !peer.has_answered(&frame) {
                        self.network.send_down(id, Packet::Text(frame));
                    }
                }
                Some(Effect::Close(_)) => {
                    running.peers.remove(&id);
                    self.network.send_down(id, Packet::End);
                }
                Some(Effect::Append { ticket, batch }) => {
                    peer.check_fence(&batch)?;
                    check_whole(&batch)?;
                    let (answers, life) = (Arc::clone(&self.answers), self.lives);
                    let store = peer.room.id().clone();
                    let push = Push { ticket, store, batch: Arc::clone(&batch) };
                    let reply = move |done| put(&answers, life, id, Answer::Appended(push, done));
                    peer.room.append(batch, reply);
                }
                Some(Effect::Compare { ticket, batch }) => {
                    running.reads.push((later, id, Question::Compare { ticket, batch }));
                }
                Some(Effect::Read { ticket, after, max_bytes }) => {
                    running.reads.push((later, id, Question::Read { ticket, after, max_bytes }));
                }
            }
        }
    }
}

impl Peer {
    fn receive(&mut self, frame: &str) {
        if let Ok(ClientMessage::Request(Request { id, call: Call::Push(push) })) =
            ClientMessage::decode(frame)
        {
            let stored = |event| StoredEvent::new(event, livestore::now());
            self.asked.push((id, push.batch.into_iter().map(stored).collect()));
        }
        self.session.receive(frame, livestore::now());
    }

    /// What the server says it has taken, it has.
    fn check_answer(&mut self, frame: &str) -> Result<(), String> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let Some((request_id, exit)) = exit_of(frame) else { return Ok(()) };
        let asked = self.asked.iter().position(|(id, _)| *id == request_id);
        let batch = asked.map(|at| self.asked.swap_remove(at).1).unwrap_or_default();
        if exit == Exit::PushDone && self.room.has(&batch) == Ok(false) {
            return Err(format!("a push was acknowledged and is not there: {batch:?}"));
        }
        Ok(())
    }

    /// The refusal of a push that came too late, to be sent before its turn.
    fn refuse_at_once(&mut self, push: &Push, done: &Result<(), StoreError>) -> Option<String> {
        let Err(StoreError::Behind { head }) = *done else { return None };
        let parent = push.batch.first()?.event().parent;
        let is_it = |events: &[StoredEvent]| {
            events.iter().map(StoredEvent::event).eq(push.batch.iter().map(StoredEvent::event))
        };
        let (request_id, _) = self.asked.iter().find(|(_, events)| is_it(events))?;
        self.answered.push(request_id.clone());
        let exit = Exit::Failure(SyncError::ServerAhead { head, parent });
        Some(answer(request_id.clone(), exit))
    }

    /// Whether this is the answer to a push that has had it.
    fn has_answered(&mut self, frame: &str) -> bool {
        if self.answered.is_empty() {
            return false;
        }
        let Some((request_id, _)) = exit_of(frame) else { return false };
        let answered = self.answered.iter().position(|id| *id == request_id);
        answered.map(|at| self.answered.swap_remove(at)).is_some()
    }

    fn appended(&mut self, push: &Push, done: Result<(), StoreError>) {
        if let Err(StoreError::Behind { head }) = done {
            let is_new = push.batch.last().is_some_and(|last| last.event().seq > head);
            self.fenced = is_new.then_some(head);
        }
        self.session.pushed(push.ticket, done);
    }

    fn ask(&mut self, question: Question) {
        match question {
            Question::Compare { ticket, batch } => {
                self.session.compared(ticket, self.room.has(&batch));
            }
            Question::Read { ticket, after, max_bytes } => {
                self.session.read(ticket, self.room.read(after, max_bytes));
            }
        }
    }

    /// A push that came too late fences the next one until the client has pulled what came before.
    fn check_fence(&self, batch: &[StoredEvent]) -> Result<(), String> {
        match (self.fenced, batch.first()) {
            (Some(head), Some(first)) if first.event().parent < head => Err(format!(
                "a client was told that the head is e{head}, and pushes behind e{} again",
                first.event().parent
            )),
            _ => Ok(()),
        }
    }
}

/// The answer to a push that the rule forbids: it comes before any other check.
fn refusal(frame: &str) -> Option<String> {
    let Ok(ClientMessage::Request(Request { id, call: Call::Push(push) })) =
        ClientMessage::decode(frame)
    else {
        return None;
    };
    let is_forbidden = |event: &SyncEvent| is_refused(&key(&event.name, &event.args));
    if !push.batch.iter().any(is_forbidden) {
        return None;
    }
    Some(answer(id, Exit::Failure(SyncError::Invalid("a rule forbids it".to_owned()))))
}

fn answer(request_id: RequestId, exit: Exit) -> String {
    let mut frame = String::new();
    ServerMessage::Exit { request_id, exit }.encode(&mut frame);
    frame
}

fn exit_of(frame: &str) -> Option<(RequestId, Exit)> {
    if !frame.contains(r#""Exit""#) {
        return None;
    }
    match ServerMessage::decode(frame) {
        Ok(ServerMessage::Exit { request_id, exit }) => Some((request_id, exit)),
        _ => None,
    }
}

/// A push is one decision: it has whole commits.
fn check_whole(batch: &[StoredEvent]) -> Result<(), String> {
    match batch.first().map(StoredEvent::event) {
        Some(first) if session(first).1 => Err(format!("a push begins inside a commit: {first:?}")),
        _ => Ok(()),
    }
}

fn put(answers: &Answers, life: u64, id: ConnId, answer: Answer) {
    answers.lock().unwrap_or_else(PoisonError::into_inner).push_back((life, id, answer));
}

fn take(answers: &Answers) -> Option<(u64, ConnId, Answer)> {
    answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
