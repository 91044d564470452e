//! Every point of a scenario, and every fault that can strike there.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use livestore::sync::SyncEvent;
use livestore::{Durability, simulation};
use livestore_simulation::disk::{CrashKind, Disk, Fault, Faults, Image, Op, Points, Strike};
use livestore_sync::InProcess;

use super::ledger::Ledger;
use super::machine::Machine;

/// Something that is done with files.
pub struct Scenario {
    pub name: &'static str,
    pub durability: Durability,
    /// What the store is held to: its durability's promise.
    pub claims: Durability,
    /// What is there before; nothing of it fails.
    pub prepare: fn(&mut Machine),
    /// What is done while the fault strikes.
    pub act: fn(&mut Machine),
    /// What must be there afterwards.
    pub check: fn(&mut Machine),
}

/// What is there before.
#[derive(Default)]
struct Before {
    files: Image,
    upstream: Vec<SyncEvent>,
}

/// What was tried.
pub struct Report {
    points: u64,
    struck: BTreeMap<&'static str, u64>,
    pub failures: Vec<String>,
}

/// Runs the scenarios and prints a table; panics if one of them does not hold.
pub fn run(scenarios: &[Scenario]) {
    let mut failures = Vec::new();
    println!(
        "{:32} {:>6} | {}",
        "scenario",
        "points",
        KINDS.map(|kind| format!("{kind:>11}")).join(" ")
    );
    for scenario in scenarios.iter().filter(|scenario| scenario.is_wanted()) {
        let report = scenario.enumerate();
        let struck = KINDS.map(|kind| format!("{:>11}", report.struck.get(kind).unwrap_or(&0)));
        println!("{:32} {:>6} | {}", scenario.name, report.points, struck.join(" "));
        assert!(report.points > 0 && !report.struck.is_empty(), "{} has no points", scenario.name);
        failures.extend(report.failures);
    }
    for failure in failures.iter().take(40) {
        eprintln!("{failure}");
    }
    assert!(failures.is_empty(), "{} faults do harm", failures.len());
}

impl Scenario {
    /// Strikes everywhere, and says what came of it.
    pub fn enumerate(&self) -> Report {
        self.enumerate_with(faults)
    }

    /// Cuts the power everywhere, so many times.
    #[cfg(mutants)]
    pub fn cut_power(&self, seeds: u64) -> Report {
        let cut = |seed| (Fault::Crash(CrashKind::PowerLoss { seed }), false);
        self.enumerate_with(|_| (0..seeds).map(cut).collect())
    }

    fn enumerate_with(&self, faults: impl Fn(Op) -> Vec<(Fault, bool)>) -> Report {
        let before = self.prepared();
        let (points, failure) = self.points(&before);
        let (struck, failures) = (BTreeMap::new(), Vec::from_iter(failure));
        let mut report = Report { points: points.count, struck, failures };
        for (point, op) in (0..).zip(&points.log).filter(|(point, _)| self.is_point_wanted(*point))
        {
            for (fault, lasting) in faults(*op) {
                let strike = Strike { point, fault, lasting };
                let tried = catch_unwind(AssertUnwindSafe(|| self.strike(&before, strike)));
                match tried {
                    Ok(()) => *report.struck.entry(kind(fault)).or_default() += 1,
                    Err(panic) => report.failures.push(format!(
                        "{}/{point} ({op:?}): {strike:?}: {}",
                        self.name,
                        text(&*panic)
                    )),
                }
            }
        }
        report
    }

    fn prepared(&self) -> Before {
        let mut machine = self.machine(&Before::default(), false);
        (self.prepare)(&mut machine);
        Before { files: machine.disk.backup(&machine.home()), upstream: machine.upstream }
    }

    /// The points of a run without a fault, and what is wrong with it.
    fn points(&self, before: &Before) -> (Points, Option<String>) {
        let mut machine = self.machine(before, false);
        machine.disk.set_faults(&machine.home(), Faults { log: true, ..Faults::default() });
        (self.act)(&mut machine);
        let points = machine.disk.points(&machine.home());
        let checked = catch_unwind(AssertUnwindSafe(|| (self.check)(&mut machine)));
        (points, checked.err().map(|panic| format!("{}: {}", self.name, text(&*panic))))
    }

    fn strike(&self, before: &Before, strike: Strike) {
        let lies = strike.fault == Fault::SyncLies;
        let mut machine = self.machine(before, true);
        machine.loses_power =
            lies || matches!(strike.fault, Fault::Crash(CrashKind::PowerLoss { .. }));
        let home = machine.home();
        machine.disk.set_faults(&home, Faults { at: Some(strike), ..Faults::default() });
        (self.act)(&mut machine);
        if lies {
            machine.disk.crash(&home, CrashKind::PowerLoss { seed: strike.point });
            machine.ledger.forgive();
            machine.lied = true;
        }
        (self.check)(&mut machine);
    }

    /// A world of its own, with these files; what was committed to them is promised.
    fn machine(&self, before: &Before, faulty: bool) -> Machine {
        simulation::seed(1);
        let disk = Disk::new(self.name);
        disk.install();
        let machine = Machine {
            disk,
            ledger: Ledger::default(),
            backend: InProcess::new(),
            upstream: before.upstream.clone(),
            is_done: false,
            durability: self.durability,
            claims: self.claims,
            loses_power: false,
            lied: false,
            faulty,
        };
        machine.disk.restore(&machine.home(), &before.files);
        machine
    }

    fn is_wanted(&self) -> bool {
        only().is_none_or(|only| only.split('/').next() == Some(self.name))
    }

    fn is_point_wanted(&self, point: u64) -> bool {
        only().is_none_or(|only| only == self.name || only == format!("{}/{point}", self.name))
    }
}

const KINDS: [&str; 7] =
    ["EIO", "ENOSPC", "torn", "torn+crash", "lying sync", "crash", "power loss"];

fn kind(fault: Fault) -> &'static str {
    match fault {
        Fault::Fail => "EIO",
        Fault::Full => "ENOSPC",
        Fault::Tear => "torn",
        Fault::TearAndCrash => "torn+crash",
        Fault::SyncLies => "lying sync",
        Fault::Crash(CrashKind::Process) => "crash",
        Fault::Crash(CrashKind::PowerLoss { .. }) => "power loss",
    }
}

/// The one scenario, or the one point of it, that is wanted.
fn only() -> Option<String> {
    std::env::var("CRASH_ONLY").ok()
}

/// The faults to be tried, once and from there on.
fn faults(op: Op) -> Vec<(Fault, bool)> {
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    let once = [
        Fault::Fail,
        Fault::Full,
        Fault::Tear,
        Fault::TearAndCrash,
        Fault::Crash(CrashKind::Process),
    ];
    let lasting = [Fault::Fail, Fault::Full, Fault::SyncLies];
    let power = (0..seeds).map(|seed| (Fault::Crash(CrashKind::PowerLoss { seed }), false));
    let once = once.map(|fault| (fault, false)).into_iter().chain(power);
    let all = once.chain(lasting.map(|fault| (fault, true)));
    all.filter(|(fault, _)| fault.strikes(op)).collect()
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
