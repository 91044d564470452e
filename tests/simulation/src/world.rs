//! A world: clients, a network and a server on one disk, in one thread, by one seed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use livestore::prelude::*;
use livestore::simulation::{self, Due, elapsed, pass};
use livestore::sync::{OnBackendReset, SyncEvent};
use xxhash_rust::xxh3::Xxh3;

use crate::app::is_client_only;
use crate::client::{Client, Mine, Slot, Version, open};
use crate::disk::{CrashKind, Dice, Disk, Image};
use crate::figures::Figures;
use crate::ledger::Ledger;
use crate::model::{self, Shared};
use crate::network::{Network, Ready};
use crate::plan::{Plan, Setup};
use crate::server::{SERVER, Server};

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
        let clients = clients(&plan.setup);
        let ids = clients.iter().flat_map(|client| &client.slots).map(|slot| slot.store_id.clone());
        let mut world = Self {
            ledgers: ids.map(|id| (id, Ledger::default())).collect(),
            dice: Dice::new(plan.seed ^ 3),
            figures: Figures::default(),
            slow: BTreeMap::new(),
            backup: None,
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
            let until = self.slow.get(&due.owner).map_or(Duration::ZERO, |(_, until)| *until);
            due.name != "livestore-sync" && until > now
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
        if let Some((delay, until)) = self.slow.get_mut(&due.owner) {
            *until = elapsed() + *delay;
        }
        if due.owner == SERVER {
            self.server.go_on()?;
            return self.write_ledgers();
        }
        self.look_at(usize::try_from(due.owner - 1).unwrap_or_default())
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
        if disk.is_down(&disk.root().join(machine(client.index))) {
            return Ok(());
        }
        for slot in &mut client.slots {
            let Some(ledger) = ledgers.get(&slot.store_id) else { continue };
            let seen = slot.observe(ledger);
            // A disk that fails tells nothing.
            seen.or_else(|what| if is_disk(&what) { Ok(()) } else { Err(what) })
                .map_err(|what| format!("client {}, {}: {what}", client.index, slot.store_id))?;
            if let Some(open) =
                slot.open.as_ref().filter(|open| thorough && open.status().is_some())
            {
                open.check_live()?;
            }
        }
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
        self.disk.root().join(machine(client))
    }

    /// Ends a client whose disk is dead already.
    pub(crate) fn end_client(&mut self, index: usize, kind: CrashKind) {
        let Some(client) = self.clients.get_mut(index) else { return };
        client.is_down = true;
        for slot in &mut client.slots {
            (slot.open, slot.before, slot.compared) = (None, None, 0);
            for mine in &mut slot.mine {
                mine.maybe |= match (client.habits.durability, kind) {
                    (Durability::Synced, _) => false,
                    (Durability::Written, CrashKind::Process) => false,
                    (Durability::Buffered, CrashKind::Process) => !mine.written,
                    (_, CrashKind::PowerLoss { .. }) => true,
                };
            }
        }
        self.network.leave(index);
    }

    /// Opens what is not open; what cannot be is tried again later.
    pub(crate) fn open_all(&mut self, index: usize) -> Result<(), String> {
        let directory = self.directory(index);
        let Some(client) = self.clients.get_mut(index).filter(|client| !client.is_down) else {
            return Ok(());
        };
        simulation::own(index as u64 + 1);
        for slot in &mut client.slots {
            if slot.open.as_ref().is_some_and(|open| open.status().is_some()) {
                continue;
            }
            if slot.open.take().is_some() {
                // It has closed itself.
                slot.before = None;
            }
            let wire = self.network.backend(index);
            let opened = open(&directory, &slot.store_id, client.version, client.habits, wire);
            match opened {
                Ok(open) => {
                    slot.client_id = Some(open.client_id().to_owned());
                    slot.open = Some(open);
                    let found = slot.reopened();
                    found.map_err(|what| format!("client {index}, {}: {what}", slot.store_id))?;
                }
                Err(what) if is_disk(&what) => {}
                Err(what) => return Err(format!("client {index} cannot open a store: {what}")),
            }
        }
        self.bury()
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
        let is_at_rest = |client: &Client| {
            client.slots.iter().all(|slot| slot.is_at_rest(client.habits.on_reset))
        };
        let heads = || self.ledgers.values().map(Ledger::head).collect();
        self.clients.iter().all(is_at_rest).then(heads)
    }

    fn check_all(&mut self) -> Result<(), String> {
        self.compare_ledgers()?;
        for client in 0..self.clients.len() {
            self.look_at(client)?;
        }
        let has_rule = self.server.has_rule;
        for client in &mut self.clients {
            let on_reset = client.habits.on_reset;
            for slot in &mut client.slots {
                let ledger = self.ledgers.get(&slot.store_id);
                let checked =
                    ledger.map_or(Ok(()), |ledger| check_at_rest(slot, on_reset, has_rule, ledger));
                checked.map_err(|what| {
                    format!("client {}, {}: {what}", client.index, slot.store_id)
                })?;
            }
        }
        for ledger in self.ledgers.values() {
            let state = Shared::of(&ledger.events, true);
            let whole = model::commits(&ledger.events).filter(|commit| commit.len() > 1);
            let is_in = |event: &SyncEvent| state.quarantined.contains(&event.seq);
            self.figures.quarantined += whole.filter(|it| it.iter().all(is_in)).count() as u64;
        }
        for client in &self.clients {
            for open in client.slots.iter().filter_map(|slot| slot.open.as_ref()) {
                self.trace.update(&open.hash()?.to_le_bytes());
                self.figures.refused += open.refused()?.len() as u64;
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
    on_reset: OnBackendReset,
    has_rule: bool,
    ledger: &Ledger,
) -> Result<(), String> {
    let open = slot.open.as_ref().ok_or("it is not open")?;
    let status = open.status().ok_or("it has closed itself")?;
    slot.check_own()?;
    open.check_live()?;
    open.check_state()?;
    slot.check_whole()?;
    if let Some(astray) = slot.astray {
        return slot.check_astray(astray, on_reset, ledger);
    }
    if !status.is_synced() || status.upstream_head.global != ledger.head() {
        return Err(format!(
            "it does not come to rest: {status:?}, the server has e{}",
            ledger.head()
        ));
    }
    slot.check_refused(has_rule)?;
    slot.check_server(ledger)?;
    slot.check_shared(ledger)
}

impl Slot {
    /// What is there after a restart.
    fn reopened(&mut self) -> Result<(), String> {
        match self.check_own() {
            Err(what) if is_disk(&what) => Ok(()),
            checked => checked,
        }
    }

    /// Writes down what was committed.
    pub(crate) fn commit(
        &mut self,
        keys: Vec<crate::app::Key>,
        is_refused: bool,
        behind: usize,
        maybe: bool,
        written: bool,
    ) {
        let is_astray = self.astray.is_some();
        self.mine.extend(keys.into_iter().map(|key| {
            let is_client_only = is_client_only(&key.0);
            // A reset takes with it what the server does not have.
            let maybe = maybe || is_astray && (is_client_only || is_refused);
            Mine { is_client_only, is_refused, key, maybe, written, behind }
        }));
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
fn machine(client: usize) -> String {
    format!("client-{client}")
}

fn clients(setup: &Setup) -> Vec<Client> {
    let client = |(index, habits): (usize, &crate::client::Habits)| {
        let shared = (0..setup.shared).map(|n| format!("shared-{n}"));
        let own = (0..setup.own).map(|n| format!("own-{index}-{n}"));
        let slots = shared.chain(own).map(Slot::new).collect();
        Client { index, version: Version::One, habits: *habits, slots, is_down: false }
    };
    setup.clients.iter().enumerate().map(client).collect()
}
