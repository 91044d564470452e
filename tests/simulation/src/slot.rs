//! A client: a machine with several stores of one app, each open in several processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use livestore::prelude::*;
use livestore::simulation::{elapsed, listener_of, own};
use livestore::sync::{NetworkStatus, OnBackendReset, SyncStatus};

use crate::app::{Key, is_client_only};
use crate::bookings::Request;
use crate::client::{Habits, Opened, Version};
use crate::disk::CrashKind;
use crate::server::SERVER;
use crate::targets::{Feeding, Targets};

/// What was sent on a line arrives within this time, if nothing befalls the line or the leader.
const CALM: Duration = Duration::from_secs(5);

/// An event that a client committed.
#[derive(Debug, Clone)]
pub struct Mine {
    /// What it is.
    pub key: Key,
    /// The session that committed it.
    pub session: String,
    /// It never leaves its client.
    pub is_client_only: bool,
    /// The backend refuses its commit for good.
    pub is_refused: bool,
    /// A command decides it, and may decide otherwise later.
    pub is_decided: bool,
    /// It may be gone, or never have been: a crash or a failing disk decides.
    pub maybe: bool,
    /// It is in the file, as the store has said.
    pub written: bool,
    /// Another session led when it was committed.
    pub followed: bool,
    /// Since then it is on its way to the leader, from a process that is gone.
    pub on_its_way: Option<Duration>,
    /// The number of the server's events of this client, or of this session if the client has several,
    /// when it was committed: it is none of them.
    pub behind: usize,
}

impl Mine {
    /// Whether it need not be in a log.
    pub fn may_be_missing(&self) -> bool {
        self.may_be_lost() || self.is_decided
    }

    /// Whether it may be gone, and not because a command has decided so.
    pub fn may_be_lost(&self) -> bool {
        self.maybe || self.on_its_way.is_some()
    }

    fn is_lost_with_its_session(&self) -> bool {
        self.followed && !self.written
    }
}

/// A command that a client has executed.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The command.
    pub request: Request,
    /// The app has resolved its conflict: by executing it again, or by dropping it.
    pub is_resolved: bool,
}

/// A store of a client.
pub struct Slot {
    /// Its id.
    pub store_id: String,
    /// Where it is.
    pub folder: PathBuf,
    /// What each of the client's processes has of it.
    pub sessions: Vec<Session>,
    /// The client's id in this store.
    pub client_id: Option<String>,
    /// What was committed, in order.
    pub mine: Vec<Mine>,
    /// The commands that were executed, in order.
    pub asked: Vec<Asked>,
    /// A process that opens it without the client's backend.
    pub tool: Option<usize>,
    /// The number of times that one without the backend made room for one that has it.
    pub step_downs: u64,
    /// Why its history may not be the server's any more.
    pub astray: Option<Astray>,
    /// The process that led when it was looked at last.
    pub leader: Option<u64>,
    /// The number of times that another process took its place.
    pub takeovers: u64,
    /// Since then nothing has befallen the leader and the lines to it.
    calm_since: Duration,
}

/// A store as a process has it, open or not.
pub struct Session {
    /// There while it is open.
    open: Option<Box<dyn Opened>>,
    /// Its id, if it was ever open.
    pub id: String,
    /// Its process.
    pub owner: u64,
    /// How it stood when it was looked at last, and was open.
    pub before: Option<SyncStatus>,
    /// Whether it led then.
    pub led: bool,
    /// Up to here, its confirmed events were compared with the server's.
    pub compared: u64,
    /// Why what it has may not be the server's any more.
    pub astray: Option<Astray>,
    /// The targets that its process feeds.
    pub targets: Targets,
}

/// What befell the server that a store knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// There is another one in its place, with an id of its own: it is always noticed.
    Replaced,
    /// It was put back to an old state. It is noticed until the server has as many events again.
    Restored,
}

impl Session {
    fn new(owner: u64) -> Self {
        let (open, before, astray) = (None, None, None);
        let (id, targets) = (String::new(), Targets::default());
        Self { open, id, owner, before, led: false, compared: 0, astray, targets }
    }

    /// The store, if it is open. What it does from now on, its process does.
    pub fn open(&self) -> Option<&dyn Opened> {
        own(self.owner);
        self.open.as_deref()
    }

    /// How it stands with the backend; `None` if it is not open, or has closed itself.
    pub fn status(&self) -> Option<SyncStatus> {
        self.open()?.status()
    }

    /// Brings its targets up to date, if it is open.
    pub fn feed(&self, how: Feeding) -> Result<(), String> {
        let open = self.open().filter(|open| open.status().is_some());
        open.map_or(Ok(()), |open| open.feed(how, &self.targets))
    }

    /// Brings its targets up to date, if they were ever written: they have what the store has.
    pub fn feed_used(&self) -> Result<(), String> {
        if self.targets.are_used() { self.feed(Feeding::Update) } else { Ok(()) }
    }

    /// Ends it without closing it.
    pub fn end(&mut self) {
        own(self.owner);
        (self.open, self.before, self.compared) = (None, None, 0);
        own(SERVER);
    }

    /// Closes it properly; says whether everything could be written.
    fn close(&mut self) -> Option<bool> {
        own(self.owner);
        self.open.take().map(Opened::close)
    }
}

impl Slot {
    /// A store that is not open yet, of a client with these processes.
    pub fn new(store_id: String, machine: &Path, owners: &[u64], tool: Option<usize>) -> Self {
        Self {
            folder: machine.join(&store_id),
            store_id,
            sessions: owners.iter().copied().map(Session::new).collect(),
            client_id: None,
            mine: Vec::new(),
            asked: Vec::new(),
            tool,
            step_downs: 0,
            astray: None,
            leader: None,
            takeovers: 0,
            calm_since: Duration::ZERO,
        }
    }

    /// Whether several processes may have it open.
    pub fn is_shared(&self) -> bool {
        self.sessions.len() > 1
    }

    /// The sessions that are open.
    pub fn open_sessions(&self) -> impl Iterator<Item = (&Session, &dyn Opened)> {
        self.sessions.iter().filter_map(|session| Some((session, session.open()?)))
    }

    /// Whether a session is open, and has not closed itself.
    pub fn is_alive(&self, session_id: &str) -> bool {
        self.sessions.iter().any(|it| it.id == session_id && it.status().is_some())
    }

    /// A process has opened it.
    pub fn opened(&mut self, process: usize, open: Box<dyn Opened>) {
        self.client_id = Some(open.client_id().to_owned());
        let astray = self.astray;
        if let Some(session) = self.sessions.get_mut(process) {
            session.id = open.session_id().to_owned();
            (session.open, session.astray) = (Some(open), astray);
            (session.before, session.compared) = (None, 0);
        }
        self.note_leader();
    }

    /// Looks who leads.
    pub fn note_leader(&mut self) {
        let leader = listener_of(&self.folder);
        if leader != self.leader {
            let had_opened = |owner: &u64| {
                self.sessions.iter().any(|it| it.owner == *owner && it.before.is_some())
            };
            self.takeovers += u64::from(leader.as_ref().is_some_and(had_opened));
            let tool = self.tool.and_then(|process| self.sessions.get(process));
            let has_stepped_down =
                tool.is_some_and(|tool| self.leader == Some(tool.owner) && tool.open().is_some());
            self.step_downs += u64::from(has_stepped_down);
            self.leader = leader;
            self.disturb();
        }
    }

    /// Something befalls the leader, or the lines to it: what is on its way may not arrive.
    pub fn disturb(&mut self) {
        let now = elapsed();
        self.calm_since = now;
        for mine in &mut self.mine {
            if let Some(since) = mine.on_its_way.take() {
                mine.maybe |= now < since + CALM;
            }
        }
    }

    /// A process closes it properly.
    pub fn close(&mut self, process: usize) {
        self.note_leader();
        let Some(session) = self.sessions.get_mut(process) else { return };
        let Some(is_written) = session.close() else { return };
        if !is_written {
            session.before = None;
        }
        let (id, is_shared) = (session.id.clone(), self.is_shared());
        for mine in self.mine.iter_mut().filter(|it| !is_shared || it.session == id) {
            match is_written {
                true => mine.written = true,
                false => mine.maybe |= !mine.written,
            }
        }
        self.note_leader();
    }

    /// A process that is gone had it open. `is_disk_fine` says that the leader can write.
    pub fn ended(&mut self, process: usize, durability: Durability, is_disk_fine: bool) {
        let Some(session) = self.sessions.get_mut(process) else { return };
        let (id, led, now) = (session.id.clone(), self.leader == Some(session.owner), elapsed());
        session.end();
        let arrives =
            is_disk_fine && !led && self.leader.is_some() && now >= self.calm_since + CALM;
        for mine in self.mine.iter_mut().filter(|mine| mine.session == id && !mine.written) {
            let is_buffered = durability == Durability::Buffered && !mine.followed;
            if durability == Durability::Synced || !(mine.followed || is_buffered) {
                continue;
            }
            match mine.followed && arrives {
                true => mine.on_its_way = Some(now),
                false => mine.maybe = true,
            }
        }
        self.note_leader();
    }

    /// Forgets a session that has closed itself.
    pub fn bury_closed(&mut self, process: usize) {
        let Some(session) = self.sessions.get_mut(process) else { return };
        if session.open().is_none() || session.status().is_some() {
            return;
        }
        let id = session.id.clone();
        session.end();
        let lost = self.mine.iter_mut().filter(|mine| mine.session == id);
        lost.for_each(|mine| mine.maybe |= mine.is_lost_with_its_session());
    }

    /// All its processes are gone, at the same time.
    pub fn all_ended(&mut self, durability: Durability, kind: CrashKind) {
        self.sessions.iter_mut().for_each(Session::end);
        if let CrashKind::PowerLoss { seed } = kind {
            self.sessions.iter().for_each(|session| session.targets.lose_power(seed));
        }
        self.disturb();
        for mine in &mut self.mine {
            mine.maybe |= match (durability, kind) {
                (Durability::Synced, _) => false,
                (Durability::Written, CrashKind::Process) => mine.is_lost_with_its_session(),
                (Durability::Buffered, CrashKind::Process) => !mine.written,
                (_, CrashKind::PowerLoss { .. }) => true,
            };
        }
    }

    /// Writes down what a process has committed.
    pub fn commit(&mut self, process: usize, keys: Vec<Key>, how: &Committed) {
        let is_astray = self.astray.is_some();
        let Some(session) = self.sessions.get(process) else { return };
        let (id, followed) = (session.id.clone(), self.leader != Some(session.owner));
        self.mine.extend(keys.into_iter().map(|key| {
            let is_client_only = is_client_only(&key.0);
            Mine {
                is_client_only,
                is_refused: how.is_refused,
                is_decided: how.is_decided,
                key,
                session: id.clone(),
                // A reset takes with it what the server does not have.
                maybe: how.maybe || is_astray && (is_client_only || how.is_refused),
                written: how.written && !followed,
                followed,
                on_its_way: None,
                behind: how.behind,
            }
        }));
    }

    /// Whether nothing is left to do between it and the server, and between its sessions.
    pub fn is_at_rest(&self, habits: &Habits) -> bool {
        let statuses: Option<Vec<_>> = self.sessions.iter().map(Session::status).collect();
        let Some(statuses) = statuses else { return false };
        let is_at_rest = |status: &SyncStatus| {
            !habits.syncs
                || status.is_synced() && status.network != NetworkStatus::None
                || match self.astray {
                    None => false,
                    Some(Astray::Replaced) => is_given_up(status, habits.on_reset),
                    Some(Astray::Restored) => true,
                }
        };
        let heads = |status: &SyncStatus| (status.local_head, status.upstream_head, status.pending);
        statuses.iter().all(is_at_rest)
            && statuses.windows(2).all(|pair| matches!(pair, [a, b] if heads(a) == heads(b)))
            && self.open_sessions().all(|(_, open)| !self.is_shared() || open.flush())
    }
}

/// A commit, apart from its events.
pub struct Committed {
    /// The backend refuses it for good.
    pub is_refused: bool,
    /// [`Mine::behind`].
    pub behind: usize,
    /// Nobody knows whether it is there.
    pub maybe: bool,
    /// A command has decided it.
    pub is_decided: bool,
    /// It is in the file, if the session that committed leads.
    pub written: bool,
}

/// Whether a store has noticed that another backend is there, and follows its policy for that.
pub fn is_given_up(status: &SyncStatus, on_reset: OnBackendReset) -> bool {
    matches!(
        (on_reset, &status.network),
        (OnBackendReset::KeepAndStop, NetworkStatus::Stopped(_))
            | (OnBackendReset::Ignore, NetworkStatus::Offline { .. })
    )
}

/// A process of a client.
pub struct Process {
    /// Whose its jobs and files are: each time that it is started, another owner's.
    pub owner: u64,
    /// It is there, or is to be there as soon as its machine is.
    pub is_up: bool,
    /// It is stopped, and does nothing.
    pub hangs: bool,
}

/// A client.
pub struct Client {
    /// Its number.
    pub index: usize,
    /// Which release it runs.
    pub version: Version,
    /// How it opens its stores.
    pub habits: Habits,
    /// Its processes.
    pub processes: Vec<Process>,
    /// Its stores.
    pub slots: Vec<Slot>,
    /// Its machine is down.
    pub is_down: bool,
    /// Its disk fails now and then.
    pub has_bad_disk: bool,
}

impl Client {
    /// Gives a process another owner.
    pub fn renew(&mut self, process: usize, owner: u64) {
        if let Some(process) = self.processes.get_mut(process) {
            (process.owner, process.hangs) = (owner, false);
        }
        for slot in &mut self.slots {
            if let Some(session) = slot.sessions.get_mut(process) {
                session.owner = owner;
            }
        }
    }
}
