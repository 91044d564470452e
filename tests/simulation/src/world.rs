//! A world: clients, a network and a server on one disk, in one thread, by one seed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use livestore::simulation::{self, Due, elapsed, pass};
use livestore::sync::SyncEvent;
use xxhash_rust::xxh3::Xxh3;

use crate::client::{Habits, Version, open};
use crate::disk::{CrashKind, Dice, Disk, Image};
use crate::figures::Figures;
use crate::ledger::Ledger;
use crate::model::{self, Shared};
use crate::network::{Network, Ready};
use crate::plan::{Plan, Setup};
use crate::server::{SERVER, Server};
use crate::slot::{Client, Process, Slot};

/// So long everything may take to be settled once nothing is broken any more.
const PATIENCE: Duration = Duration::from_secs(600);

/// A world.
pub struct World {
    pub(crate) disk: Disk,
    pub(crate) dice: Dice,
    pub(crate) network: Network,
    pub(crate) server: Server,
    pub(crate) clients: Vec<Client>,
    pub(crate) ledgers: BTreeMap<String, Ledger>,
    pub(crate) figures: Figures,
    /// Until then, what an owner does in the background does not begin.
    pub(crate) slow: BTreeMap<u64, (Duration, Duration)>,
    pub(crate) backup: Option<(Image, BTreeMap<String, usize>)>,
    /// Whether the rules apply that only commands guarantee.
    commands_decide: bool,
    /// The number of processes that were started after others had ended.
    restarts: u64,
    trace: Xxh3,
}

/// Something that can happen next.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Job(Due),
    Network(Ready),
    ServerRead,
}

impl World {
    /// The world of a plan, before its first action.
    pub fn new(plan: &Plan) -> Result<Self, String> {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        simulation::seed(plan.seed);
        simulation::set_wall_clock(1_790_000_000_000);
        let name = format!("world-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
        let disk = Disk::new(&name);
        disk.install();
        let network = Network::new(plan.seed ^ 1, plan.setup.delay);
        let server = Server::new(disk.root().join("server"), network.clone(), plan.seed ^ 2);
        let clients = clients(&plan.setup, &disk);
        simulation::set_line_delay(plan.setup.line_delay);
        let ids = clients.iter().flat_map(|client| &client.slots).map(|slot| slot.store_id.clone());
        let mut world = Self {
            ledgers: ids.map(|id| (id, Ledger::default())).collect(),
            dice: Dice::new(plan.seed ^ 3),
            figures: Figures::default(),
            slow: BTreeMap::new(),
            backup: None,
            commands_decide: plan.setup.commands_decide(),
            restarts: 0,
            trace: Xxh3::new(),
            disk,
            network,
            server,
            clients,
        };
        world.server.has_rule = plan.setup.has_rule;
        world.server.is_hasty = plan.setup.is_hasty;
        world.server.start()?;
        for client in 0..world.clients.len() {
            world.open_all(client)?;
        }
        Ok(world)
    }

    /// Lets time pass, and everybody do what they have to.
    pub fn work(&mut self, time: Duration) -> Result<(), String> {
        let until = elapsed() + time;
        while elapsed() < until {
            if !self.step()? {
                let next = self.next().unwrap_or(until).min(until);
                pass(next.saturating_sub(elapsed()).max(MOMENT));
            }
        }
        Ok(())
    }

    /// Does one thing that can be done now; false if there is none.
    pub fn step(&mut self) -> Result<bool, String> {
        let choices = self.choices();
        let Some(&choice) = choices.get(self.draw(choices.len())) else { return Ok(false) };
        self.figures.steps += 1;
        self.note(format_args!("{choice:?}"));
        match choice {
            Choice::Job(due) => {
                simulation::run(due.job);
                self.after_job(due)?;
            }
            Choice::Network(Ready::Up(id)) => {
                if let Some(packet) = self.network.at_server(id) {
                    self.figures.frames += 1;
                    self.note(format_args!("{packet:?}"));
                    self.server.receive(id, packet)?;
                    self.write_ledgers()?;
                }
            }
            Choice::Network(Ready::Down(id)) => {
                if let Some(packet) = self.network.at_client(id) {
                    self.figures.frames += 1;
                    self.note(format_args!("{packet:?}"));
                }
            }
            Choice::Network(Ready::Timer(id)) => self.network.timer(id),
            Choice::ServerRead => self.server.read_due()?,
        }
        pass(MOMENT);
        self.bury()?;
        Ok(true)
    }

    fn choices(&self) -> Vec<Choice> {
        let now = elapsed();
        let is_slow = |due: &Due| {
            let until = self.slow.get(&machine_of(due.owner));
            let is_slow = until.is_some_and(|(_, until)| *until > now);
            is_slow
                && !matches!(due.name, "livestore-sync" | "livestore-session" | "livestore-line")
        };
        let jobs = simulation::due().into_iter().filter(|due| !is_slow(due)).map(Choice::Job);
        let network = self.network.ready().into_iter().map(Choice::Network);
        let read = self.server.next().filter(|at| *at <= now).map(|_| Choice::ServerRead);
        jobs.chain(network).chain(read).collect()
    }

    fn next(&self) -> Option<Duration> {
        let now = elapsed();
        let slow = self.slow.values().map(|(_, until)| *until).filter(|until| *until > now).min();
        let times = [simulation::next_deadline(), self.network.next(), self.server.next(), slow];
        times.into_iter().flatten().min()
    }

    fn after_job(&mut self, due: Due) -> Result<(), String> {
        let machine = machine_of(due.owner);
        if let Some((delay, until)) = self.slow.get_mut(&machine) {
            *until = elapsed() + *delay;
        }
        if machine == SERVER {
            self.server.go_on()?;
            return self.write_ledgers();
        }
        self.look_at(usize::try_from(machine - 1).unwrap_or_default())
    }

    /// Writes down what the server has acknowledged; nothing else may be told.
    pub(crate) fn write_ledgers(&mut self) -> Result<(), String> {
        for (store, event) in self.server.acknowledged() {
            self.figures.events += 1;
            if let Some(ledger) = self.ledgers.get_mut(store.as_str()) {
                ledger.extend([event])?;
            }
        }
        let ahead = self.server.told().find(|(store, head)| {
            self.ledgers.get(*store).is_some_and(|ledger| *head > ledger.head())
        });
        match ahead {
            Some((store, head)) => {
                Err(format!("clients are told of e{head} of {store}, which is not stored"))
            }
            None => Ok(()),
        }
    }

    /// What must be true of a client after each step that it took.
    pub(crate) fn look_at(&mut self, client: usize) -> Result<(), String> {
        let thorough = self.dice.below(6) == 0;
        let Self { clients, ledgers, disk, .. } = self;
        let Some(client) = clients.get_mut(client) else { return Ok(()) };
        if disk.is_down(&disk.root().join(folder_of(client.index))) {
            return Ok(());
        }
        let syncs = client.habits.syncs;
        for slot in &mut client.slots {
            let Some(ledger) = ledgers.get(&slot.store_id) else { continue };
            let seen = slot.observe(ledger, syncs);
            // A disk that fails tells nothing.
            seen.or_else(|what| if is_disk(&what) { Ok(()) } else { Err(what) })
                .map_err(|what| format!("client {}, {}: {what}", client.index, slot.store_id))?;
            if thorough {
                let alive = slot.open_sessions().filter(|(_, open)| open.status().is_some());
                let mut alive = alive.map(|(_, open)| open.check_live());
                alive.try_for_each(|checked| checked)?;
            }
        }
        simulation::own(SERVER);
        Ok(())
    }

    /// Buries whom a fault of their disk has ended.
    fn bury(&mut self) -> Result<(), String> {
        if self.server.is_up() && self.disk.is_down(self.server.directory()) {
            self.server.stop();
        }
        for client in 0..self.clients.len() {
            let is_dead = self.disk.is_down(&self.directory(client));
            if is_dead && !self.clients.get(client).is_some_and(|client| client.is_down) {
                // What the seed of a power loss has left is no more than a crash would have.
                self.end_client(client, CrashKind::PowerLoss { seed: 0 });
            }
        }
        Ok(())
    }

    pub(crate) fn directory(&self, client: usize) -> PathBuf {
        self.disk.root().join(folder_of(client))
    }

    /// Ends a client whose disk is dead already.
    pub(crate) fn end_client(&mut self, index: usize, kind: CrashKind) {
        let Some(client) = self.clients.get_mut(index) else { return };
        client.is_down = true;
        for process in &client.processes {
            simulation::end(process.owner);
        }
        for slot in &mut client.slots {
            slot.all_ended(client.habits.durability, kind);
        }
        self.network.leave(index);
        for process in 0..self.clients.get(index).map_or(0, |client| client.processes.len()) {
            self.renew(index, process);
        }
    }

    /// The next life of a process.
    pub(crate) fn renew(&mut self, client: usize, process: usize) {
        self.restarts += 1;
        if let Some(client) = self.clients.get_mut(client) {
            client.renew(process, owner(client.index, self.restarts));
        }
    }

    /// Opens what is not open; what cannot be is tried again later.
    pub(crate) fn open_all(&mut self, index: usize) -> Result<(), String> {
        let processes = self.clients.get(index).map_or(0, |client| client.processes.len());
        for process in 0..processes {
            self.open_in(index, process)?;
        }
        simulation::own(SERVER);
        self.bury()
    }

    /// Opens in a process what is not open there.
    fn open_in(&mut self, index: usize, process: usize) -> Result<(), String> {
        let directory = self.directory(index);
        let Some(client) = self.clients.get_mut(index).filter(|client| !client.is_down) else {
            return Ok(());
        };
        // It would wait for a leader that hangs.
        let must_wait = client.processes.iter().any(|process| process.hangs);
        let Some(owner) = client.processes.get(process).filter(|it| it.is_up).map(|it| it.owner)
        else {
            return Ok(());
        };
        for slot in &mut client.slots {
            slot.bury_closed(process);
            let is_open = slot.sessions.get(process).is_some_and(|it| it.open().is_some());
            if is_open || must_wait {
                continue;
            }
            let wire = self.network.backend(index);
            simulation::own(owner);
            let habits = (client.habits, process);
            match open(&directory, &slot.store_id, client.version, habits, wire) {
                Ok(open) => {
                    slot.opened(process, open);
                    let found = slot.reopened();
                    found.map_err(|what| format!("client {index}, {}: {what}", slot.store_id))?;
                }
                Err(what) if is_disk(&what) => {}
                // It could not say whether the file is there.
                Err(what) if client.has_bad_disk && what.contains("was deleted, moved") => {}
                // The leader has just gone.
                Err(what) if slot.is_shared() && what.contains("is in use") => {}
                Err(what) => return Err(format!("client {index} cannot open a store: {what}")),
            }
        }
        Ok(())
    }

    /// Everything is repaired; then it must come to rest, and all must agree.
    pub fn settle(&mut self) -> Result<(), String> {
        self.repair_all()?;
        let until = elapsed() + PATIENCE;
        let mut before = None;
        while elapsed() < until {
            let heads = self.heads_at_rest();
            if heads.is_some() && heads == before {
                break;
            }
            // A connection that broke before may only be missed now, and whoever was away may push.
            self.work(Duration::from_millis(if heads.is_some() { 2_000 } else { 200 }))?;
            self.start_all()?;
            before = heads;
        }
        self.check_all()
    }

    /// The server's heads, once every client is at rest.
    fn heads_at_rest(&self) -> Option<Vec<u64>> {
        let is_at_rest =
            |client: &Client| client.slots.iter().all(|slot| slot.is_at_rest(&client.habits));
        let are_at_rest = self.clients.iter().all(is_at_rest);
        simulation::own(SERVER);
        are_at_rest.then(|| self.ledgers.values().map(Ledger::head).collect())
    }

    fn check_all(&mut self) -> Result<(), String> {
        self.compare_ledgers()?;
        for client in 0..self.clients.len() {
            self.look_at(client)?;
        }
        let has_rule = self.server.has_rule;
        for client in &mut self.clients {
            let habits = client.habits;
            for slot in &mut client.slots {
                let ledger = self.ledgers.get(&slot.store_id);
                let checked =
                    ledger.map_or(Ok(()), |ledger| check_at_rest(slot, &habits, has_rule, ledger));
                checked.map_err(|what| {
                    format!("client {}, {}: {what}", client.index, slot.store_id)
                })?;
            }
        }
        let replaced = self.ledgers.iter().filter(|(_, ledger)| ledger.is_replaced);
        let replaced: Vec<_> = replaced.map(|(store, _)| store.clone()).collect();
        if self.commands_decide {
            self.check_bookings(&replaced)?;
        }
        for ledger in self.ledgers.values() {
            let state = Shared::of(&ledger.events, true);
            let whole = model::commits(&ledger.events).filter(|commit| commit.len() > 1);
            let is_in = |event: &SyncEvent| state.quarantined.contains(&event.seq);
            self.figures.quarantined += whole.filter(|it| it.iter().all(is_in)).count() as u64;
        }
        for client in &self.clients {
            for slot in &client.slots {
                for (_, open) in slot.open_sessions() {
                    self.trace.update(&open.hash()?.to_le_bytes());
                }
                self.figures.takeovers += slot.takeovers;
                self.figures.step_downs += slot.step_downs;
                let conflicts = slot.open_sessions().next().map(|(_, open)| open.conflicts());
                self.figures.conflicts +=
                    conflicts.transpose()?.map_or(0, |conflicts| conflicts.len() as u64);
                self.figures.followed +=
                    slot.mine.iter().filter(|mine| mine.followed).count() as u64;
                let first = slot.open_sessions().next().map(|(_, open)| open.refused());
                self.figures.refused +=
                    first.transpose()?.map_or(0, |refused| refused.len() as u64);
            }
        }
        simulation::own(SERVER);
        Ok(())
    }

    /// The rules that commands keep: in every server's order, and in every state.
    fn check_bookings(&self, replaced: &[String]) -> Result<(), String> {
        for (store, ledger) in self.ledgers.iter().filter(|(store, _)| !replaced.contains(store)) {
            Shared::check_bookings(&ledger.events).map_err(|what| format!("{store}: {what}"))?;
        }
        for client in &self.clients {
            for slot in client.slots.iter().filter(|slot| !replaced.contains(&slot.store_id)) {
                for (_, open) in slot.open_sessions() {
                    let checked = open.shared()?.bookings.check();
                    checked.map_err(|what| {
                        format!("client {}, {}: {what}", client.index, slot.store_id)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// All that has happened, as a number.
    pub fn trace(&self) -> u64 {
        self.trace.digest()
    }

    /// Writes something down in the trace.
    pub(crate) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        let text = format!("{} {what}\n", elapsed().as_micros());
        if std::env::var_os("SIMULATION_TRACE").is_some() {
            eprint!("{text}");
        }
        self.trace.update(text.as_bytes());
    }

    pub(crate) fn draw(&mut self, sides: usize) -> usize {
        usize::try_from(self.dice.below(sides.max(1) as u64)).unwrap_or_default()
    }
}

/// How long a step takes.
const MOMENT: Duration = Duration::from_micros(10);

fn check_at_rest(
    slot: &mut Slot,
    habits: &Habits,
    has_rule: bool,
    ledger: &Ledger,
) -> Result<(), String> {
    slot.check_own(true)?;
    slot.check_converged()?;
    slot.check_commands()?;
    let is_shared = slot.is_shared();
    for session in &slot.sessions {
        let open = session.open().ok_or("it is not open")?;
        open.status().ok_or("it has closed itself")?;
        let checked = open
            .check_live()
            .and_then(|()| open.check_state())
            .and_then(|()| session.feed_used())
            .and_then(|()| session.check_whole());
        checked.map_err(|what| session.context(is_shared, what))?;
    }
    if !habits.syncs {
        return Ok(());
    }
    if let Some(astray) = slot.astray {
        return slot.check_astray(astray, habits, ledger);
    }
    for session in &slot.sessions {
        let status = session.status().ok_or("it has closed itself")?;
        if !status.is_synced() || status.upstream_head.global != ledger.head() {
            return Err(format!(
                "it does not come to rest: {status:?}, the server has e{}",
                ledger.head()
            ));
        }
        let checked = session.check_refused(has_rule).and_then(|()| session.check_shared(ledger));
        checked.map_err(|what| session.context(is_shared, what))?;
    }
    slot.check_server(ledger)
}

impl Slot {
    /// What is there after a restart.
    fn reopened(&mut self) -> Result<(), String> {
        match self.check_own(false) {
            Err(what) if is_disk(&what) => Ok(()),
            checked => checked,
        }
    }
}

/// Whether the disk is to blame. A lock that the disk fails to give looks like one that others have.
pub(crate) fn is_disk(what: &str) -> bool {
    [
        "disk",
        "I/O",
        "crashed",
        "database or disk is full",
        "storage space",
        "unable to open",
        "locked",
    ]
    .iter()
    .any(|sign| what.contains(sign))
}

/// The folder of a client's machine.
fn folder_of(client: usize) -> String {
    format!("client-{client}")
}

/// A process as the owner of jobs and files: the number of its life, and its machine in the lowest bits.
fn owner(client: usize, life: u64) -> u64 {
    (life << MACHINE_BITS) | (client as u64 + 1)
}

const MACHINE_BITS: u32 = 16;

/// The machine of an owner: the server's, or a client's number and one.
fn machine_of(owner: u64) -> u64 {
    owner & ((1 << MACHINE_BITS) - 1)
}

fn clients(setup: &Setup, disk: &Disk) -> Vec<Client> {
    let client = |(index, habits): (usize, &Habits)| {
        // The lives of those that are started later have lower numbers.
        let owners =
            (0..habits.processes as u64).map(|n| owner(index, if n == 0 { 0 } else { FIRST + n }));
        let owners: Vec<u64> = owners.collect();
        let shared = (0..setup.shared).map(|n| format!("shared-{n}"));
        let own = (0..setup.own).map(|n| format!("own-{index}-{n}"));
        let machine = disk.root().join(folder_of(index));
        let slots =
            shared.chain(own).map(|id| Slot::new(id, &machine, &owners, habits.tool)).collect();
        let process = |owner: &u64| Process { owner: *owner, is_up: true, hangs: false };
        let processes = owners.iter().map(process).collect();
        let (version, is_down, has_bad_disk) = (Version::One, false, false);
        Client { index, version, habits: *habits, processes, slots, is_down, has_bad_disk }
    };
    setup.clients.iter().enumerate().map(client).collect()
}

const FIRST: u64 = 1 << 40;
