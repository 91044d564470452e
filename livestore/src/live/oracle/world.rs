//! A state with its live queries, and random steps that it takes.
//!
//! It commits as `Store` does, one floor below: no events, no log on disk. A step that rewinds
//! pending commits and applies others (a rebase) goes beside [`World::batch`]: one wave, and
//! then [`World::check`].

use super::dice::Dice;
use super::queries;
use super::tables::{self, RandomTable};
use super::watch::{Announced, Watcher};
use super::writes::Write;
use crate::live::{Registry, Tier, batch, deliver, enqueue};
use crate::schema::SchemaDef;
use crate::state::State;
use crate::table::Writer;

const SESSION: &str = "session";

/// Live queries a case has at the same time, at most.
const MOST_WATCHED: usize = 12;

pub(super) struct World {
    schema: &'static SchemaDef,
    pub(super) tables: Vec<RandomTable>,
    pub(super) state: State,
    pub(super) registry: Registry,
    /// The commits so far.
    log: Vec<Vec<Write>>,
    watchers: Vec<Box<dyn Watcher>>,
    is_traced: bool,
    pub(super) tally: Tally,
}

/// What happened, to see that enough does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    pub(super) steps: u64,
    pub(super) commits: u64,
    pub(super) failed: u64,
    pub(super) checks: u64,
    pub(super) points: u64,
    pub(super) rows: u64,
    pub(super) groups: u64,
    pub(super) reruns: u64,
}

/// Numbers that choose a schema, and numbers that choose each step.
pub(super) type Case = (Vec<u16>, Vec<Vec<u16>>);

impl World {
    /// Takes every step; says which went wrong.
    pub(super) fn run((first, steps): &Case, is_traced: bool) -> Result<Tally, String> {
        let mut world = Self::new(&mut Dice::new(first), is_traced);
        for rolls in steps {
            world.tally.steps += 1;
            world.step(&mut Dice::new(rolls))?;
        }
        world.end()
    }

    fn new(dice: &mut Dice<'_>, is_traced: bool) -> Self {
        let (schema, tables) = tables::schema(dice);
        let mut world = Self {
            schema,
            tables,
            state: State::empty(schema).unwrap(),
            registry: Registry::new(schema),
            log: Vec::new(),
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
        match dice.below(24) {
            0..10 => {
                self.commit(dice);
            }
            10..12 => return self.batch(dice),
            12..18 => self.start(dice)?,
            18 => self.drop_one(dice),
            19 | 20 => {
                if let Some(watcher) = self.any(dice) {
                    watcher.toggle_subscription();
                }
            }
            21 => {
                if let Some(watcher) = self.any(dice) {
                    watcher.toggle_diffs();
                }
            }
            22 => return self.share(dice),
            _ => {
                self.reset();
                return self.check(Announced::Anew);
            }
        }
        self.check(Announced::Changes)
    }

    /// Commits some writes, all or none.
    fn commit(&mut self, dice: &mut Dice<'_>) {
        let mut writes = vec![];
        let count = dice.pick(&[1, 1, 1, 2, 3, 0]);
        for _ in 0..count {
            writes.push(Write::random(dice, &self.tables));
        }
        let fails = dice.percent(5);
        self.state.begin().unwrap();
        let done = self.materialize(&writes) && !fails;
        self.trace(|| format!("commit ({}) {writes:?}", if done { "kept" } else { "undone" }));
        if done {
            self.state.keep().unwrap();
            self.log.push(writes);
            self.follow();
        } else {
            self.state.undo().unwrap();
            self.tally.failed += 1;
        }
        self.tally.commits += 1;
        deliver();
    }

    fn materialize(&self, writes: &[Write]) -> bool {
        let db = self.state.reader(SESSION).db();
        let mut writer = Writer::new(db, SESSION);
        writes.iter().all(|write| write.run(&mut writer).is_ok() && db.is_in_savepoint())
    }

    fn follow(&mut self) {
        let changes = self.state.take_changes();
        if !changes.is_empty() {
            enqueue(self.registry.apply(&changes, &self.state.reader(SESSION)));
        }
    }

    /// Several commits that are announced as one.
    fn batch(&mut self, dice: &mut Dice<'_>) -> Result<(), String> {
        self.trace(|| "batch".to_owned());
        batch(|| {
            for _ in 0..2 + dice.below(3) {
                self.commit(dice);
                let reader = self.state.reader(SESSION);
                self.watchers.iter_mut().try_for_each(|watcher| watcher.look(&reader))?;
            }
            Ok::<_, String>(())
        })?;
        self.check(Announced::Changes)
    }

    fn start(&mut self, dice: &mut Dice<'_>) -> Result<(), String> {
        if self.watchers.len() < MOST_WATCHED
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

    fn any(&mut self, dice: &mut Dice<'_>) -> Option<&mut Box<dyn Watcher>> {
        let count = self.watchers.len().max(1);
        self.watchers.get_mut(dice.below(count))
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
        if !self.watchers.is_empty() && self.watchers.len() < MOST_WATCHED {
            let of = self.watchers.swap_remove(dice.below(self.watchers.len()));
            let again = of.again(self)?;
            self.watchers.push(of);
            self.watchers.extend(again);
        }
        self.check_nodes()
    }

    fn check_nodes(&mut self) -> Result<(), String> {
        let mut nodes: Vec<_> = self.watchers.iter().map(|watcher| watcher.node()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let there = self.registry.roots(&self.state.reader(SESSION)).unwrap().queries.len();
        if there == nodes.len() {
            Ok(())
        } else {
            Err(format!("there are {there} nodes for {} queries", nodes.len()))
        }
    }

    /// The state is made anew, as `Store::reset_state` does.
    fn reset(&mut self) {
        self.trace(|| "reset".to_owned());
        self.state = State::empty(self.schema).unwrap();
        for writes in &self.log {
            self.state.begin().unwrap();
            assert!(self.materialize(writes), "what could be done can be done again");
            self.state.keep().unwrap();
        }
        enqueue(self.registry.restart(&self.state.reader(SESSION)).unwrap());
        deliver();
    }

    fn check(&mut self, announced: Announced) -> Result<(), String> {
        let reader = self.state.reader(SESSION);
        for watcher in &mut self.watchers {
            watcher.check(&reader, announced)?;
            self.tally.checks += 1;
            *match watcher.tier() {
                Tier::Point => &mut self.tally.points,
                Tier::Rows => &mut self.tally.rows,
                Tier::Groups => &mut self.tally.groups,
                Tier::Rerun => &mut self.tally.reruns,
            } += 1;
        }
        Ok(())
    }

    /// When nobody holds a live query any more, nothing is left of them.
    fn end(mut self) -> Result<Tally, String> {
        self.watchers.clear();
        let left = self.registry.roots(&self.state.reader(SESSION)).unwrap();
        if left.queries.is_empty() && left.watched.is_empty() {
            Ok(self.tally)
        } else {
            Err(format!("what is left: {} queries, {:?}", left.queries.len(), left.watched))
        }
    }
}
