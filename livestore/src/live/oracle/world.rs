//! A state with its live queries, and random steps that it takes.
//!
//! Whatever a step does to the [`history`](super::history), it is propagated as one; then
//! [`World::check`].

use super::dice::Dice;
use super::history::{Commit, History};
use super::queries::{self, random_range};
use super::tables::{self, RandomTable};
use super::watch::Watcher;
use super::writes::Write;
use crate::live::{Registry, Tier, batch, deliver, enqueue};
use crate::sqlite::Change;
use crate::table::{Query, raw};

/// Live queries a case has at the same time, at most.
const MAX_WATCHED: usize = 12;

pub(super) struct World {
    pub(super) tables: Vec<RandomTable>,
    pub(super) history: History,
    pub(super) registry: Registry,
    watchers: Vec<Box<dyn Watcher>>,
    is_traced: bool,
    pub(super) tally: Tally,
}

/// Counts of everything that happened, to check that enough did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    pub(super) steps: u64,
    pub(super) commits: u64,
    /// Commits that failed.
    pub(super) refused: u64,
    pub(super) rebases: u64,
    pub(super) lost_savepoints: u64,
    pub(super) checks: u64,
    pub(super) points: u64,
    pub(super) rows: u64,
    pub(super) groups: u64,
    pub(super) reruns: u64,
    /// Comparisons of an index of texts with a new one.
    pub(super) indexes: u64,
    /// Checks of a live query that fails, as a fresh one does.
    pub(super) failures: u64,
    /// Live queries that work again.
    pub(super) recoveries: u64,
}

/// Numbers that choose a schema, and numbers that choose each step.
pub(super) type Case = (Vec<u16>, Vec<Vec<u16>>);

impl World {
    /// Takes every step. Returns a description of the first one that went wrong.
    pub(super) fn run((first, steps): &Case, is_traced: bool) -> Result<Tally, String> {
        let mut world = Self::new(&mut Dice::new(first), is_traced);
        for rolls in steps {
            world.tally.steps += 1;
            world.step(&mut Dice::new(rolls))?;
        }
        world.end()
    }

    pub(super) fn new(dice: &mut Dice<'_>, is_traced: bool) -> Self {
        let (schema, tables) = tables::schema(dice);
        let mut world = Self {
            tables,
            history: History::new(schema),
            registry: Registry::new(schema),
            watchers: Vec::new(),
            is_traced,
            tally: Tally { cases: 1, ..Tally::default() },
        };
        world.trace(|| schema.ddl().unwrap().to_owned());
        for _ in 0..dice.below(16) {
            world.commit(dice);
        }
        world
    }

    pub(super) fn trace(&self, what: impl FnOnce() -> String) {
        if self.is_traced {
            eprintln!("{}", what());
        }
    }

    fn step(&mut self, dice: &mut Dice<'_>) -> Result<(), String> {
        match dice.below(33) {
            0..10 => self.commit(dice),
            10..12 => self.batch(dice)?,
            12..18 => self.start(dice)?,
            18 => self.drop_one(dice),
            19 | 20 => self.toggle(dice, |watcher| watcher.toggle_subscription()),
            21 => self.toggle(dice, |watcher| watcher.toggle_diffs()),
            22 => self.share(dice)?,
            23 => self.reset(),
            24..29 => self.rebase(dice),
            29..32 => self.scroll(dice),
            _ => self.confirm_pending(dice),
        }
        self.check()
    }

    /// Commits some writes, all or none.
    fn commit(&mut self, dice: &mut Dice<'_>) {
        let commit = self.random_commit(dice);
        self.apply(commit);
    }

    pub(super) fn apply(&mut self, commit: Commit) {
        self.trace(|| format!("commit {commit:?}"));
        let (kept, changes) = self.history.commit(commit);
        self.tally.commits += 1;
        self.tally.refused += u64::from(!kept);
        self.notify(&changes);
    }

    fn random_commit(&self, dice: &mut Dice<'_>) -> Commit {
        let count = dice.pick(&[1, 1, 1, 2, 3, 0]);
        let writes = (0..count).map(|_| Write::random(dice, &self.tables)).collect();
        Commit { writes, fails: dice.percent(5) }
    }

    /// Confirms all pending commits. From now on, commits are pending, or not.
    fn confirm_pending(&mut self, dice: &mut Dice<'_>) {
        let (upstream, syncs) = (self.upstream(dice), dice.percent(50));
        self.trace(|| format!("confirm; from now on pending: {syncs}; {upstream:?}"));
        let changes = self.history.confirm_pending(upstream, syncs);
        self.notify(&changes);
    }

    /// Commits of others come before the pending ones.
    fn rebase(&mut self, dice: &mut Dice<'_>) {
        let upstream = self.upstream(dice);
        self.trace(|| format!("rebase {upstream:?}"));
        let changes = self.history.rebase(upstream, || dice.percent(10));
        self.tally.rebases += 1;
        self.notify(&changes);
    }

    fn upstream(&self, dice: &mut Dice<'_>) -> Vec<Commit> {
        dice.some(4, |dice| self.random_commit(dice))
    }

    /// Notifies the live queries, once.
    fn notify(&mut self, changes: &[Change]) {
        if !changes.is_empty() {
            enqueue(self.registry.apply(changes, &self.history.reader()));
        }
        // As a store does, of which this is all that it still has.
        self.history.recycle(changes.to_vec());
        deliver();
    }

    /// Several commits that are announced as one.
    fn batch(&mut self, dice: &mut Dice<'_>) -> Result<(), String> {
        self.trace(|| "batch".to_owned());
        batch(|| {
            for _ in 0..2 + dice.below(3) {
                if dice.percent(20) {
                    self.rebase(dice)
                } else {
                    self.commit(dice)
                }
                let reader = self.history.reader();
                self.watchers.iter_mut().try_for_each(|watcher| watcher.compare(&reader))?;
            }
            Ok(())
        })
    }

    fn start(&mut self, dice: &mut Dice<'_>) -> Result<(), String> {
        if self.watchers.len() < MAX_WATCHED
            && let Some(mut watcher) = queries::start(dice, self)?
        {
            if dice.percent(80) {
                watcher.toggle_subscription();
            }
            if dice.percent(60) {
                watcher.toggle_diffs();
            }
            self.watchers.push(watcher);
        }
        Ok(())
    }

    fn toggle(&mut self, dice: &mut Dice<'_>, what: fn(&mut dyn Watcher)) {
        let count = self.watchers.len().max(1);
        if let Some(watcher) = self.watchers.get_mut(dice.below(count)) {
            what(&mut **watcher);
        }
    }

    /// If it is a window, a query shows other rows.
    fn scroll(&mut self, dice: &mut Dice<'_>) {
        let (at, range) = (dice.below(self.watchers.len().max(1)), random_range(dice));
        self.trace(|| format!("scroll {at} to {range:?}"));
        if let Some(watcher) = self.watchers.get_mut(at) {
            watcher.scroll(range, &self.registry, &self.history.reader());
        }
        deliver();
    }

    fn drop_one(&mut self, dice: &mut Dice<'_>) {
        if !self.watchers.is_empty() {
            let at = dice.below(self.watchers.len());
            self.trace(|| format!("drop {at}"));
            self.watchers.swap_remove(at);
        }
    }

    /// An equal query is the same one.
    fn share(&mut self, dice: &mut Dice<'_>) -> Result<(), String> {
        if !self.watchers.is_empty() && self.watchers.len() < MAX_WATCHED {
            let of = self.watchers.swap_remove(dice.below(self.watchers.len()));
            let again = of.again(self)?;
            self.watchers.push(of);
            self.watchers.extend(again);
        }
        self.check_nodes()?;
        Ok(())
    }

    /// There are nodes and triggers of the queries that have handles, and no others.
    fn check_nodes(&mut self) -> Result<(), String> {
        let mut nodes: Vec<_> = self.watchers.iter().map(|watcher| watcher.node()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let reader = self.history.reader();
        let roots = self.registry.roots(&reader).unwrap();
        // Those that give rows an order stay, and those of searches.
        let of_triggers = "SELECT count(*) FROM temp.sqlite_schema
            WHERE type = 'trigger' AND name NOT GLOB '__livestore_order*' AND name NOT GLOB '__livestore_search*'";
        let (triggers,) = raw::<(i64,)>(of_triggers, ()).one().run(&reader).unwrap();
        let there = (roots.queries.len(), triggers);
        if there == (nodes.len(), 3 * roots.watched.len() as i64) {
            Ok(())
        } else {
            Err(format!("{there:?} nodes and triggers of {} queries", nodes.len()))
        }
    }

    /// The state is rebuilt, as `Store::reset_state` does.
    fn reset(&mut self) {
        self.trace(|| "reset".to_owned());
        self.history.reset();
        enqueue(self.registry.restart(&self.history.reader()).unwrap());
        deliver();
    }

    fn check(&mut self) -> Result<(), String> {
        let reader = self.history.reader();
        for watcher in &mut self.watchers {
            let failed = watcher.failed();
            watcher.check(&reader)?;
            self.tally.checks += 1;
            self.tally.failures += u64::from(watcher.failed());
            self.tally.recoveries += u64::from(failed && !watcher.failed());
            *match watcher.tier() {
                Tier::Point => &mut self.tally.points,
                Tier::Rows => &mut self.tally.rows,
                Tier::Groups => &mut self.tally.groups,
                Tier::Rerun => &mut self.tally.reruns,
            } += 1;
        }
        // A new index takes as long as all the rest.
        if self.tally.steps.is_multiple_of(12) {
            self.tally.indexes += reader.db().check_searches()?;
        }
        Ok(())
    }

    /// When all handles are dropped, nothing of the live queries is left.
    fn end(mut self) -> Result<Tally, String> {
        self.watchers.clear();
        self.check_nodes()?;
        Ok(Tally { lost_savepoints: self.history.lost_savepoints, ..self.tally })
    }
}
