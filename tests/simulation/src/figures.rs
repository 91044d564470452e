//! What was run.

use std::collections::BTreeMap;
use std::fmt;

use crate::disk::Fault;

/// What was run, in one world or in many.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Worlds.
    pub worlds: u64,
    /// Things that happened one after the other.
    pub steps: u64,
    /// Frames that arrived.
    pub frames: u64,
    /// Events that clients committed.
    pub committed: u64,
    /// Events that the server took.
    pub events: u64,
    /// Commits of several synced events that were quarantined as a whole.
    pub quarantined: u64,
    /// Events that a server refused for good.
    pub refused: u64,
    /// Commits that were refused because no backend would take them.
    pub too_large: u64,
    /// Commands that clients executed.
    pub executed: u64,
    /// Commands that failed when they were executed again, and were in conflict at the end.
    pub conflicts: u64,
    /// Conflicts that were to be resolved.
    pub resolved: u64,
    /// Steps that were undone, or done again.
    pub undone: u64,
    /// Times that targets were written.
    pub fed: u64,
    /// Sessions without a backend that made room for one that has it.
    pub step_downs: u64,
    /// Events that clients committed in a process that followed another.
    pub followed: u64,
    /// Times that a process took the place of the one that led.
    pub takeovers: u64,
    /// Lines between processes of a client that were cut.
    pub lines: u64,
    /// What befell the worlds, by its kind.
    pub actions: BTreeMap<&'static str, u64>,
    /// Faults of the disk that struck, by their kind.
    pub faults: BTreeMap<String, u64>,
}

impl Figures {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.steps += other.steps;
        self.frames += other.frames;
        self.committed += other.committed;
        self.events += other.events;
        self.quarantined += other.quarantined;
        self.refused += other.refused;
        self.too_large += other.too_large;
        self.executed += other.executed;
        self.conflicts += other.conflicts;
        self.resolved += other.resolved;
        self.undone += other.undone;
        self.fed += other.fed;
        self.step_downs += other.step_downs;
        self.followed += other.followed;
        self.takeovers += other.takeovers;
        self.lines += other.lines;
        for (kind, count) in &other.actions {
            *self.actions.entry(kind).or_default() += count;
        }
        for (kind, count) in &other.faults {
            *self.faults.entry(kind.clone()).or_default() += count;
        }
    }

    /// Counts a fault that struck.
    pub fn struck(&mut self, fault: Fault, count: u64) {
        let name = match fault {
            Fault::Crash(_) => "Crash".to_owned(),
            fault => format!("{fault:?}"),
        };
        *self.faults.entry(name).or_default() += count;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worlds, steps, frames, committed, events, quarantined, .. } = self;
        let Self { refused, too_large, followed, takeovers, lines, .. } = self;
        let Self { executed, conflicts, resolved, undone, fed, step_downs, .. } = self;
        writeln!(
            f,
            "{worlds} seeds, {steps} steps, {frames} frames, {committed} events committed, \
             {events} taken by servers"
        )?;
        writeln!(f, "  {quarantined:>9} commits of several events quarantined as a whole")?;
        writeln!(f, "  {refused:>9} events refused for good")?;
        writeln!(f, "  {too_large:>9} commits refused as too large")?;
        writeln!(f, "  {executed:>9} commands executed")?;
        writeln!(f, "  {conflicts:>9} commands in conflict at the end")?;
        writeln!(f, "  {resolved:>9} conflicts to be resolved")?;
        writeln!(f, "  {undone:>9} steps undone, or done again")?;
        writeln!(f, "  {fed:>9} times that targets were written")?;
        writeln!(f, "  {step_downs:>9} sessions that stepped down")?;
        writeln!(f, "  {followed:>9} events committed while another process led")?;
        writeln!(f, "  {takeovers:>9} processes that took over")?;
        writeln!(f, "  {lines:>9} lines between sessions cut")?;
        for (kind, count) in &self.actions {
            writeln!(f, "  {count:>9} {kind}")?;
        }
        for (kind, count) in &self.faults {
            writeln!(f, "  {count:>9} faults of a disk: {kind}")?;
        }
        Ok(())
    }
}
