//! A live query beside a fresh one.

use std::any::Any;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::cells::{Cells, Flat};
use super::world::World;
use crate::edge::primitives::lock;
use crate::live::{
    Diffs, List, Live, LiveQuery, Reactive, Registry, SharedRange, Subscription, Tier, Window,
    enqueue,
};
use crate::table::{QueryError, Reader, SelectAst};

/// A live query of any type.
pub(super) trait Watcher {
    /// After a step: it has the value of a fresh query, or fails as that does, its diffs lead there,
    /// and its subscriber was called as it should be.
    fn check(&mut self, reader: &Reader<'_>) -> Result<(), String>;

    /// In the middle of a batch: it has the value of a fresh query, or fails as that does.
    fn compare(&mut self, reader: &Reader<'_>) -> Result<(), String>;

    /// Starts the same query once more.
    fn again(&self, world: &mut World) -> Result<Option<Box<dyn Watcher>>, String>;

    /// Subscribes, or ends the subscription.
    fn toggle_subscription(&mut self);

    /// Reads diffs from now on, or no more.
    fn toggle_diffs(&mut self);

    /// Shows other rows, if it is a window.
    fn scroll(&mut self, range: Range<usize>, registry: &Registry, reader: &Reader<'_>);

    /// Equal queries have the same.
    fn node(&self) -> usize;

    fn tier(&self) -> Tier;

    /// Whether it failed at the last check.
    fn failed(&self) -> bool;
}

pub(super) struct Watch<Q: Live> {
    query: Q,
    /// The SELECT that it is, if it is one, with no more rows than the query reads.
    ast: Option<SelectAst>,
    /// Whether SQL says in which order the rows come.
    ordered: bool,
    live: LiveQuery<Q::Value>,
    /// Of a window.
    wanted: Option<SharedRange>,
    received: Arc<Mutex<Vec<Vec<Cells>>>>,
    guard: Option<Subscription>,
    diffs: Option<(Diffs<Cells>, Vec<Cells>)>,
    last: Last,
}

/// The rows after the last step.
#[derive(Default)]
struct Last {
    rows: Vec<Cells>,
    version: u64,
    error: Option<Arc<QueryError>>,
    /// In the middle of a batch, there were other rows, or it failed, or worked, as it does not now: its
    /// subscriber is called at the end, also when all is as before.
    passing: bool,
}

impl<Q> Watch<Q>
where
    Q: Live + Clone + Debug,
    Q::Value: Flat,
    Q::Output: Flat,
{
    /// Starts it, if a fresh query does not fail either.
    pub(super) fn start(
        query: Q,
        ast: Option<SelectAst>,
        world: &mut World,
    ) -> Result<Option<Box<dyn Watcher>>, String> {
        Self::start_window(query, ast, None, world)
    }

    pub(super) fn start_window(
        query: Q,
        ast: Option<SelectAst>,
        wanted: Option<SharedRange>,
        world: &mut World,
    ) -> Result<Option<Box<dyn Watcher>>, String> {
        world.trace(|| format!("start {}", described(&query, ast.as_ref())));
        let reader = world.history.reader();
        let fresh = query.run(&reader);
        let live = match (world.registry.start(query.clone(), None, &reader), &fresh) {
            (Ok(live), _) => live,
            (Err(_), Err(_)) => return Ok(None),
            (Err(error), Ok(_)) => return Err(format!("only the live query fails: {error}")),
        };
        let ordered = ast.as_ref().is_none_or(|ast| {
            !ast.order_by.is_empty() || ast.limit.is_some() || ast.offset.is_some()
        });
        let (received, version) = (Arc::default(), live.version());
        let last = Last { rows: live.get().flat(), version, ..Last::default() };
        let mut watch =
            Self { query, ast, ordered, live, wanted, received, guard: None, diffs: None, last };
        watch.compare(&reader)?;
        Ok(Some(Box::new(watch)))
    }

    fn says(&self, what: &str, now: &[Cells], fresh: &dyn Debug) -> String {
        let (tier, last) = (self.tier(), &self.last.rows);
        let query = described(&self.query, self.ast.as_ref());
        format!("{what}\n{tier:?} {query}\nlast  {last:?}\nnow   {now:?}\nfresh {fresh:?}")
    }

    fn check_calls(&self, now: &[Cells]) -> Result<(), String> {
        let received = std::mem::take(&mut *lock(&self.received));
        let says = |what| Err(self.says(what, now, &received));
        let changed = self.last.rows != now || self.last.error != self.live.error();
        let moved = self.live.version() != self.last.version;
        if changed && !moved {
            return says("it changed without a version");
        }
        if self.guard.is_some() && received.len() != usize::from(moved) {
            return says("its subscriber was not called once");
        }
        if received.last().is_some_and(|received| received != now) {
            return says("its subscriber got a different value");
        }
        if moved && !changed && !self.last.passing {
            return says("its subscriber was called without a change");
        }
        Ok(())
    }

    fn check_diffs(&mut self) -> Result<(), String> {
        let now = &*self.live.get().listed();
        let moved = self.live.version() != self.last.version;
        let Some((diffs, shown)) = &mut self.diffs else { return Ok(()) };
        let before = shown.clone();
        let mut all = Vec::new();
        while let Some(steps) = diffs.try_next() {
            steps.iter().for_each(|step| step.apply(shown, Clone::clone));
            all.push(steps);
        }
        if shown != now {
            let what = format!("diffs lead elsewhere: {before:?} {all:?}");
            return Err(self.says(&what, now, &self.diffs.as_ref().map(|(_, shown)| shown)));
        }
        if !moved && !all.is_empty() {
            return Err(self.says("diffs without a change", now, &all));
        }
        Ok(())
    }
}

impl<Q> Watcher for Watch<Q>
where
    Q: Live + Clone + Debug,
    Q::Value: Flat,
    Q::Output: Flat,
{
    fn check(&mut self, reader: &Reader<'_>) -> Result<(), String> {
        let passing = self.last.passing;
        self.compare(reader)?;
        self.last.passing = passing;
        let now = self.live.get().flat();
        self.check_calls(&now)?;
        self.check_diffs()?;
        let (version, error) = (self.live.version(), self.live.error());
        self.last = Last { rows: now, version, error, passing: false };
        Ok(())
    }

    fn compare(&mut self, reader: &Reader<'_>) -> Result<(), String> {
        let (now, error) = (self.live.get().flat(), self.live.error());
        self.last.passing |= self.last.error != error;
        let fresh = match (self.query.run(reader), error) {
            (Ok(fresh), None) => fresh,
            (Err(_), Some(_)) => {
                let kept = self.last.passing || now == self.last.rows;
                return if kept { Ok(()) } else { Err(self.says("it lost its value", &now, &())) };
            }
            (Ok(_), Some(error)) => return Err(self.says("only live fails", &now, &error)),
            (Err(error), None) => return Err(self.says("only fresh fails", &now, &error)),
        };
        let fresh = fresh.flat();
        let same = if self.ordered { now == fresh } else { same_rows(&now, &fresh) };
        if !same {
            return Err(self.says("live is not fresh", &now, &fresh));
        }
        self.last.passing |= now != self.last.rows;
        Ok(())
    }

    fn again(&self, world: &mut World) -> Result<Option<Box<dyn Watcher>>, String> {
        let wanted = self.wanted.clone();
        let other = Self::start_window(self.query.clone(), self.ast.clone(), wanted, world)?;
        if other.as_ref().is_some_and(|other| other.node() != self.node()) {
            let query = described(&self.query, self.ast.as_ref());
            return Err(format!("equal queries do not share a node: {query}"));
        }
        Ok(other)
    }

    fn toggle_subscription(&mut self) {
        let received = Arc::clone(&self.received);
        self.guard = match self.guard.take() {
            Some(_) => None,
            None => Some(self.live.subscribe(move |value| lock(&received).push(value.flat()))),
        };
    }

    fn toggle_diffs(&mut self) {
        let live = &self.live as &dyn Any;
        let list = live.downcast_ref::<LiveQuery<List<Cells>>>().map(LiveQuery::diffs);
        let window = live.downcast_ref::<LiveQuery<Window<Cells>>>().map(LiveQuery::row_diffs);
        self.diffs = match (self.diffs.take(), list.or(window)) {
            (None, Some(mut diffs)) => {
                let mut shown = Vec::new();
                let first = diffs.try_next().unwrap_or_default();
                first.iter().for_each(|step| step.apply(&mut shown, Clone::clone));
                Some((diffs, shown))
            }
            _ => None,
        };
    }

    fn scroll(&mut self, range: Range<usize>, registry: &Registry, reader: &Reader<'_>) {
        if let Some(wanted) = &self.wanted {
            *lock(wanted) = range;
            enqueue(registry.adjust(&self.live, reader));
        }
    }

    fn node(&self) -> usize {
        Arc::as_ptr(&self.live.0).addr()
    }

    fn tier(&self) -> Tier {
        self.live.report().tier
    }

    fn failed(&self) -> bool {
        self.last.error.is_some()
    }
}

fn described(query: &impl Debug, ast: Option<&SelectAst>) -> String {
    match ast.map(|ast| ast.to_sql(None)) {
        Some(Ok((sql, binds))) => format!("{sql} {binds:?}"),
        _ => format!("{query:?}"),
    }
}

/// Whether they are the same, in any order.
fn same_rows(left: &[Cells], right: &[Cells]) -> bool {
    let mut rest: Vec<_> = right.iter().collect();
    let all = left.iter().all(|row| {
        let at = rest.iter().position(|other| *other == row);
        at.map(|at| rest.swap_remove(at)).is_some()
    });
    all && rest.is_empty()
}
