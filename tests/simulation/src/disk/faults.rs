//! What can go wrong, and where.

use std::collections::BTreeMap;

use super::Dice;

/// What a process asks of the disk. Each is a point at which a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Opens a file that is there.
    Open,
    /// Makes a file, and opens it.
    Create,
    /// Asks whether a file is there, or how long it is.
    Stat,
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Cuts a file off.
    Truncate,
    /// Has a file or a folder made durable.
    Sync,
    /// Takes a file's name away.
    Delete,
    /// Gives a file another name.
    Rename,
    /// Takes a lock, of a file or of its shared memory.
    Lock,
}

/// What strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The operation fails, and has done nothing (EIO).
    Fail,
    /// There is no space left (ENOSPC).
    Full,
    /// Half is written, then the operation fails.
    Tear,
    /// Half is written, then the process ends.
    TearAndCrash,
    /// The sync reports success, and nothing is durable.
    SyncLies,
    /// The process, or its machine, ends before the operation.
    Crash(CrashKind),
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrashKind {
    /// By itself: the operating system keeps all that was written.
    Process,
    /// With its machine: of what was not synced, the seed decides what is left, by sectors.
    PowerLoss {
        /// Decides.
        seed: u64,
    },
}

impl Fault {
    /// Whether it can strike there.
    pub fn strikes(self, op: Op) -> bool {
        match self {
            Self::Fail | Self::Crash(_) => true,
            Self::Full => matches!(op, Op::Write | Op::Create),
            Self::Tear | Self::TearAndCrash => op == Op::Write,
            Self::SyncLies => op == Op::Sync,
        }
    }
}

/// What is to befall a process.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// One fault, at a point.
    pub at: Option<Strike>,
    /// Faults now and then.
    pub chance: Option<Chance>,
    /// Keeps what was asked for, in order, in [`Points::log`].
    pub log: bool,
}

/// A fault at a point.
#[derive(Debug, Clone, Copy)]
pub struct Strike {
    /// The point: the first is 0.
    pub point: u64,
    /// The fault.
    pub fault: Fault,
    /// It strikes at every later point, too, where it can.
    pub lasting: bool,
}

/// Faults now and then.
#[derive(Debug, Clone)]
pub struct Chance {
    /// Once in so many points.
    pub one_in: u64,
    /// The faults to choose from.
    pub faults: Vec<Fault>,
    /// What decides.
    pub dice: Dice,
}

/// What a process has asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Points {
    /// How many points there were.
    pub count: u64,
    /// By what was asked for.
    pub by_op: BTreeMap<Op, u64>,
    /// In order, if it is kept.
    pub log: Vec<Op>,
    /// How often each fault struck.
    pub struck: BTreeMap<Fault, u64>,
}

impl Faults {
    /// Counts a point, and tells what strikes there.
    pub(super) fn next(&mut self, op: Op, points: &mut Points) -> Option<Fault> {
        let fault = self.at(op, points.count).or_else(|| self.by_chance(op));
        points.count += 1;
        *points.by_op.entry(op).or_default() += 1;
        if self.log {
            points.log.push(op);
        }
        if let Some(fault) = fault {
            *points.struck.entry(fault).or_default() += 1;
        }
        fault
    }

    fn at(&self, op: Op, now: u64) -> Option<Fault> {
        let Strike { point, fault, lasting } = self.at?;
        let is_here = now == point || (lasting && now > point);
        (is_here && fault.strikes(op)).then_some(fault)
    }

    fn by_chance(&mut self, op: Op) -> Option<Fault> {
        let Chance { one_in, faults, dice } = self.chance.as_mut()?;
        if dice.below((*one_in).max(1)) != 0 {
            return None;
        }
        let chosen = dice.below(faults.len().max(1) as u64);
        faults.get(usize::try_from(chosen).ok()?).copied().filter(|fault| fault.strikes(op))
    }
}
