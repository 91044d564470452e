//! What befalls a world: drawn from its seed before it begins, so that a part of it can be left out.
#![expect(clippy::indexing_slicing, reason = "an index is drawn below the length")]

use std::time::Duration;

use livestore::prelude::Durability;
use livestore::sync::OnBackendReset;

use crate::app::Deed;
use crate::bookings::Request;
use crate::client::Habits;
use crate::disk::{CrashKind, Dice, Fault};
use crate::targets::Feeding;

/// A world before it begins.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed of all that is not in the plan: how long what takes, and what comes first.
    pub seed: u64,
    /// Who is there.
    pub setup: Setup,
    /// What befalls them, in order.
    pub actions: Vec<Action>,
}

/// Who is there.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The clients' habits.
    pub clients: Vec<Habits>,
    /// Each client has the stores `shared-0` and so on.
    pub shared: u64,
    /// And so many of its own.
    pub own: u64,
    /// The network's delay.
    pub delay: Duration,
    /// The server has a rule, and refuses for good what breaks it.
    pub has_rule: bool,
    /// The delay of what the processes of a client say to each other.
    pub line_delay: Duration,
    /// The server refuses a push before it tells of the events that came first.
    pub is_hasty: bool,
}

/// Something that befalls a world.
#[derive(Debug, Clone)]
pub enum Action {
    /// Time passes, and everybody does what they have to.
    Wait(Duration),
    /// A client commits.
    Commit(usize, usize, Deed),
    /// A client executes a command.
    Execute(usize, usize, Request),
    /// A client undoes its last step, or does again what it has undone.
    Undo(usize, usize, bool),
    /// A client executes the command of a conflict again, or drops it.
    Resolve(usize, usize, bool),
    /// A process of a client's brings the targets of a store up to date: the client, the store, the process.
    Feed(usize, usize, usize, Feeding),
    /// A client writes what it has buffered.
    Flush(usize, usize),
    /// A client makes its state anew.
    ResetState(usize, usize),
    /// A client goes offline, or online.
    Hold(usize, usize, bool),
    /// A client closes its stores properly, and opens them again.
    Reopen(usize),
    /// A client closes its stores, and opens them with the other version of the app.
    Upgrade(usize),
    /// A client's process or machine ends.
    Crash(usize, CrashKind),
    /// A client's machine starts again.
    Start(usize),
    /// A process of a client's ends.
    EndProcess(usize, usize),
    /// A process closes its stores properly, and ends.
    CloseProcess(usize, usize),
    /// A process starts, or starts again.
    StartProcess(usize, usize),
    /// A process does nothing.
    Stop(usize, usize),
    /// It goes on.
    GoOn(usize, usize),
    /// Lines between a client's processes are cut.
    CutLines(usize),
    /// A client's frames stay under way.
    Partition(usize),
    /// They arrive again.
    Heal(usize),
    /// Connections break: of one client, or of all.
    Cut(Option<usize>),
    /// The server's process or machine ends.
    CrashServer(CrashKind),
    /// The server stops properly.
    StopServer,
    /// The server starts.
    StartServer,
    /// Somebody's disk fails now and then: `None` is the server.
    Disk(Option<usize>, Fault, u64),
    /// It is repaired.
    Repair(Option<usize>),
    /// What somebody does in the background takes so long to begin.
    Slow(Option<usize>, Duration),
    /// All clocks on the wall are set, so many milliseconds forward or back.
    SetClock(i64),
    /// The server's events are copied.
    Backup,
    /// They are put in the place of what it has.
    Restore,
    /// It loses all it has.
    Wipe,
}

impl Action {
    /// Its kind, for the figures.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Wait(_) => "wait",
            Self::Commit(..) => "commit",
            Self::Execute(..) => "execute a command",
            Self::Undo(_, _, false) => "undo",
            Self::Undo(_, _, true) => "redo",
            Self::Resolve(..) => "resolve a conflict",
            Self::Feed(_, _, _, Feeding::Update) => "feed a target",
            Self::Feed(_, _, _, Feeding::Restart) => "feed a target anew",
            Self::Feed(_, _, _, Feeding::Fail) => "a target fails",
            Self::Flush(..) => "flush",
            Self::ResetState(..) => "reset the state",
            Self::Hold(..) => "hold or resume",
            Self::Reopen(_) => "reopen",
            Self::Upgrade(_) => "upgrade",
            Self::Crash(_, CrashKind::Process) => "crash of a client",
            Self::Crash(_, CrashKind::PowerLoss { .. }) => "power loss of a client",
            Self::Start(_) => "start a client",
            Self::EndProcess(..) => "end of a process",
            Self::CloseProcess(..) => "close a process",
            Self::StartProcess(..) => "start a process",
            Self::Stop(..) => "stop a process",
            Self::GoOn(..) => "let a process go on",
            Self::CutLines(_) => "cut the lines of sessions",
            Self::Partition(_) => "partition",
            Self::Heal(_) => "heal a partition",
            Self::Cut(_) => "connections break",
            Self::CrashServer(CrashKind::Process) => "crash of the server",
            Self::CrashServer(CrashKind::PowerLoss { .. }) => "power loss of the server",
            Self::StopServer => "stop the server",
            Self::StartServer => "start the server",
            Self::Disk(..) => "a disk begins to fail",
            Self::Repair(_) => "repair a disk",
            Self::Slow(..) => "slow disk",
            Self::SetClock(_) => "set the clocks",
            Self::Backup => "back the server up",
            Self::Restore => "restore an old backup",
            Self::Wipe => "another backend",
        }
    }
}

impl Plan {
    /// The plan of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        // A seed has few kinds of trouble, so that each meets the others in many combinations.
        let kinds: Vec<u64> = (0..KINDS).filter(|_| dice.below(3) == 0).collect();
        let loses_backend = dice.below(6) == 0;
        // By dice of its own: it changes nothing else of a plan.
        let mut own = Dice::new(!seed);
        let (has_rule, is_hasty) = (own.below(3) == 0, own.below(3) == 0);
        let mut setup = Setup { has_rule, is_hasty, ..Setup::draw(&mut dice) };
        let has_sessions = own.below(2) == 0;
        if has_sessions {
            setup.add_processes(&mut own);
        }
        let mut intents = Intents::draw(seed, has_sessions, &mut setup);
        let mut feedings = Feedings::draw(seed);
        let (mut marks, mut actions) = (0, Vec::new());
        let length = 30 + dice.below(120);
        let trouble = 3 + dice.below(12);
        // Somebody was away for long, in every other world.
        let flood = dice.below(2 * length);
        // Somebody worked offline while others did the same things, in every other world.
        let clash = dice.below(2 * length);
        for at in 0..length {
            let (client, slot) = (setup.client(&mut dice), setup.slot(&mut dice));
            if at == flood {
                let events = 500 + dice.below(2_000);
                let deed = Deed::flood(&mut dice, &mut marks, events);
                actions.push(Action::Commit(client, slot, deed));
            }
            if at == clash {
                actions.push(Action::Hold(client, slot, true));
                for _ in 0..5 + dice.below(25) {
                    let who = if dice.below(2) == 0 { client } else { setup.client(&mut dice) };
                    let deed = Deed::several(&mut dice, &mut marks);
                    actions.push(Action::Commit(who, slot, deed));
                    actions.extend(intents.next(who, slot));
                    actions.extend(feedings.next(&setup, who, slot));
                    actions.push(Action::Wait(Duration::from_millis(dice.below(40))));
                }
                actions.push(Action::Hold(client, slot, false));
            }
            match dice.below(trouble) {
                0 if !kinds.is_empty() => {
                    let kind = kinds[index(&mut dice, kinds.len() as u64)];
                    let about = About { client, slot, loses_backend };
                    actions.push(about.draw(kind, &mut dice, &mut marks));
                }
                1 => actions.push(Action::Wait(Duration::from_millis(dice.below(1_500)))),
                _ => actions.push(Action::Commit(client, slot, Deed::draw(&mut dice, &mut marks))),
            }
            actions.extend(intents.next(client, slot));
            actions.extend(feedings.next(&setup, client, slot));
            if dice.below(2) == 0 {
                actions.push(Action::Wait(Duration::from_millis(dice.below(40))));
            }
            if has_sessions && own.below(4) == 0 {
                actions.extend(setup.trouble_of_processes(&mut own));
            }
        }
        Self { seed, setup, actions }
    }
}

/// What is asked for and undone, by dice of its own: it changes nothing else of a plan.
struct Intents {
    dice: Dice,
    marks: u64,
    has_commands: bool,
    has_undo: bool,
}

impl Intents {
    fn draw(seed: u64, has_sessions: bool, setup: &mut Setup) -> Self {
        let mut dice = Dice::new(seed.rotate_left(32) ^ 0x1d);
        let (has_commands, has_undo) = (dice.below(3) != 0, dice.below(2) == 0);
        if has_sessions && dice.below(3) == 0 {
            for client in setup.clients.iter_mut().filter(|it| it.syncs && it.processes > 1) {
                client.tool = Some(index(&mut dice, client.processes as u64));
            }
        }
        Self { dice, marks: 1 << 32, has_commands, has_undo }
    }

    fn next(&mut self, client: usize, slot: usize) -> Vec<Action> {
        let Self { dice, marks, has_commands, has_undo } = self;
        let mut actions = Vec::new();
        for _ in 0..dice.below(3) {
            let drawn = dice.below(6);
            actions.extend(match drawn {
                0 if *has_undo => Some(Action::Undo(client, slot, false)),
                1 if *has_undo => Some(Action::Undo(client, slot, dice.below(2) == 0)),
                2 if *has_commands => Some(Action::Resolve(client, slot, dice.below(2) == 0)),
                3.. if *has_commands => {
                    Some(Action::Execute(client, slot, Request::draw(dice, marks)))
                }
                _ => None,
            });
        }
        actions
    }
}

/// What brings targets up to date, by dice of its own: it changes nothing else of a plan.
struct Feedings {
    dice: Dice,
    has_targets: bool,
}

impl Feedings {
    fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed.rotate_left(16) ^ 0xfeed);
        let has_targets = dice.below(3) == 0;
        Self { dice, has_targets }
    }

    fn next(&mut self, setup: &Setup, client: usize, slot: usize) -> Option<Action> {
        let Self { dice, has_targets } = self;
        if !*has_targets || dice.below(3) != 0 {
            return None;
        }
        let processes = setup.clients.get(client)?.processes;
        let process = index(dice, processes as u64);
        let how = match dice.below(6) {
            0 => Feeding::Restart,
            1 => Feeding::Fail,
            _ => Feeding::Update,
        };
        Some(Action::Feed(client, slot, process, how))
    }
}

impl Setup {
    /// Whether commands decide whatever is confirmed: a session without the backend leads at times, and then what
    /// its client decides is for good, before the others know of it.
    pub fn commands_decide(&self) -> bool {
        self.clients.iter().all(|client| client.tool.is_none())
    }

    fn draw(dice: &mut Dice) -> Self {
        let clients = 1 + dice.below(5);
        let (shared, own) = (1 + dice.below(2), dice.below(2));
        let delay = Duration::from_millis([1, 20, 200][index(dice, 3)]);
        let clients = (0..clients).map(|_| habits(dice)).collect();
        let line_delay = Duration::ZERO;
        Self { clients, shared, own, delay, line_delay, has_rule: false, is_hasty: false }
    }

    /// Clients have several processes, and some of them no backend.
    fn add_processes(&mut self, dice: &mut Dice) {
        self.line_delay = Duration::from_micros([50, 2_000, 50_000][index(dice, 3)]);
        for client in &mut self.clients {
            client.processes = 1 + index(dice, 4);
            client.syncs = dice.below(6) != 0;
        }
    }

    /// What befalls a process of a client that has several.
    fn trouble_of_processes(&self, dice: &mut Dice) -> Option<Action> {
        let client = self.client(dice);
        let processes = self.clients[client].processes;
        let process = index(dice, processes as u64);
        let action = match dice.below(12) {
            0 | 1 => Action::EndProcess(client, process),
            2 => Action::CloseProcess(client, process),
            3..=6 => Action::StartProcess(client, process),
            7 => Action::Stop(client, process),
            8 | 9 => Action::GoOn(client, process),
            _ => Action::CutLines(client),
        };
        (processes > 1).then_some(action)
    }

    fn client(&self, dice: &mut Dice) -> usize {
        index(dice, self.clients.len() as u64)
    }

    fn slot(&self, dice: &mut Dice) -> usize {
        index(dice, self.shared + self.own)
    }
}

fn habits(dice: &mut Dice) -> Habits {
    let durability =
        [Durability::Synced, Durability::Written, Durability::Buffered][index(dice, 3)];
    let policies = [OnBackendReset::KeepAndStop, OnBackendReset::Reset, OnBackendReset::Ignore];
    Habits { durability, on_reset: policies[index(dice, 3)], processes: 1, syncs: true, tool: None }
}

const KINDS: u64 = 16;

/// Whom a trouble is about.
struct About {
    client: usize,
    slot: usize,
    loses_backend: bool,
}

impl About {
    fn draw(&self, kind: u64, dice: &mut Dice, marks: &mut u64) -> Action {
        let &Self { client, slot, loses_backend } = self;
        let owner = (dice.below(2) == 0).then_some(client);
        match kind {
            0 => Action::Crash(client, crash(dice)),
            1 => Action::Start(client),
            2 => either(dice, Action::Partition(client), Action::Heal(client)),
            3 => Action::Cut(owner),
            4 => Action::CrashServer(crash(dice)),
            5 => either(dice, Action::StopServer, Action::StartServer),
            6 => Action::StartServer,
            7 => {
                let faults = [Fault::Fail, Fault::Full, Fault::Tear, Fault::TearAndCrash];
                let fault = match dice.below(5) {
                    4 => Fault::Crash(crash(dice)),
                    other => faults[other as usize % 4],
                };
                Action::Disk(owner, fault, 2 + dice.below(100))
            }
            8 => Action::Repair(owner),
            9 => Action::Slow(owner, Duration::from_millis(dice.below(3_000))),
            10 => Action::SetClock(dice.below(1 << 40).cast_signed() - (1 << 39)),
            11 => Action::Upgrade(client),
            12 => Action::Reopen(client),
            13 => match dice.below(4) {
                0 => Action::Hold(client, slot, true),
                1 => Action::Hold(client, slot, false),
                2 => Action::ResetState(client, slot),
                _ => Action::Flush(client, slot),
            },
            14 => {
                let events = 20 + dice.below(200);
                Action::Commit(client, slot, Deed::flood(dice, marks, events))
            }
            _ if loses_backend => match dice.below(4) {
                0 | 1 => Action::Backup,
                2 => Action::Restore,
                _ => Action::Wipe,
            },
            _ => Action::Cut(None),
        }
    }
}

fn either(dice: &mut Dice, one: Action, other: Action) -> Action {
    if dice.below(2) == 0 { one } else { other }
}

fn crash(dice: &mut Dice) -> CrashKind {
    match dice.below(2) {
        0 => CrashKind::Process,
        _ => CrashKind::PowerLoss { seed: dice.roll() },
    }
}

fn index(dice: &mut Dice, length: u64) -> usize {
    usize::try_from(dice.below(length.max(1))).unwrap_or_default()
}
