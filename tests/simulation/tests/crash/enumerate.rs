//! Every point of a scenario, and every fault that can strike there.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use livestore::{Durability, simulation};
use livestore_simulation::disk::{CrashKind, Disk, Fault, Faults, Image, Op, Points, Strike};

use super::ledger::Ledger;
use super::machine::Machine;

/// Something that is done with files.
pub struct Scenario {
    pub name: &'static str,
    pub durability: Durability,
    /// What is there before; nothing of it fails.
    pub prepare: fn(&mut Machine),
    /// What is done while the fault strikes.
    pub act: fn(&mut Machine),
    /// What must be there afterwards.
    pub check: fn(&mut Machine),
}

/// What was tried.
struct Report {
    points: u64,
    struck: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
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
    for scenario in scenarios {
        let report = scenario.enumerate();
        let struck = KINDS.map(|kind| format!("{:>11}", report.struck.get(kind).unwrap_or(&0)));
        println!("{:32} {:>6} | {}", scenario.name, report.points, struck.join(" "));
        assert!(report.points > 0 && !report.struck.is_empty(), "{} has no points", scenario.name);
        failures.extend(report.failures);
    }
    for failure in failures.iter().take(20) {
        eprintln!("{failure}");
    }
    assert!(failures.is_empty(), "{} faults do harm", failures.len());
}

impl Scenario {
    fn enumerate(&self) -> Report {
        let before = self.prepared();
        let points = self.points(&before);
        let mut report =
            Report { points: points.count, struck: BTreeMap::new(), failures: Vec::new() };
        for (point, op) in (0..).zip(&points.log).filter(|(point, _)| self.is_wanted(*point)) {
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

    fn prepared(&self) -> Image {
        let mut machine = self.machine(&Image::default(), false);
        (self.prepare)(&mut machine);
        machine.disk.backup(&machine.home())
    }

    /// The points of a run without a fault.
    fn points(&self, before: &Image) -> Points {
        let mut machine = self.machine(before, false);
        machine.disk.set_faults(&machine.home(), Faults { log: true, ..Faults::default() });
        (self.act)(&mut machine);
        let points = machine.disk.points(&machine.home());
        (self.check)(&mut machine);
        points
    }

    fn strike(&self, before: &Image, strike: Strike) {
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
        }
        (self.check)(&mut machine);
    }

    /// A world of its own, with these files; what was committed to them is promised.
    fn machine(&self, before: &Image, faulty: bool) -> Machine {
        simulation::seed(1);
        let disk = Disk::new(self.name);
        disk.install();
        let (durability, ledger) = (self.durability, Ledger::default());
        let machine = Machine { disk, ledger, durability, loses_power: false, faulty };
        machine.disk.restore(&machine.home(), before);
        machine
    }

    fn is_wanted(&self, point: u64) -> bool {
        let only = std::env::var("CRASH_ONLY").ok();
        only.is_none_or(|only| only == self.name || only == format!("{}/{point}", self.name))
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

/// The faults to be tried, once and from there on.
fn faults(op: Op) -> Vec<(Fault, bool)> {
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2);
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
