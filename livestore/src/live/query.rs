//! Live queries: their handles and nodes.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::cell::{LiveValue, PublishedValue};
use super::dependency::Dependency;
use super::diff::Diffs;
use super::graph::{ComputeError, GraphNode, ValueNode};
use super::index::QueryId;
use super::inspect::{LiveReport, NodeId, NodeReport, Timing};
use super::list::List;
use super::maintain::{Label, Maintain, MustRerun, Plan, Refresh, TableChange, Tier};
use super::observers::Observers;
use super::reactive::{NodeRef, Reactive};
use super::row::SharedRow;
use super::subscription::TaskWaker;
use super::window::Window;
use crate::edge::Stopwatch;
use crate::edge::primitives::{Mutex, lock};
use crate::schema::SchemaDef;
use crate::table::{Query, QueryError, Reader};

/// A query that can be live.
pub trait Live: Query + Send + 'static {
    /// The type of the live query's value: a [`List`] of rows, one row, an `Option` of one, a client
    /// document.
    type Value: LiveValue;

    /// A hash of the whole query: equal queries share one node.
    #[doc(hidden)]
    fn key(&self, reader: &Reader<'_>) -> Result<u128, QueryError>;

    #[doc(hidden)]
    fn plan(
        self,
        reader: &Reader<'_>,
        schema: &'static SchemaDef,
    ) -> Result<LivePlan<Self::Value>, QueryError>;
}

/// The way to keep a query up to date.
#[doc(hidden)]
pub struct LivePlan<V>(pub(crate) Plan<V>);

/// A run that takes this long delays the next frame of a screen.
const SLOW_RUN: Duration = Duration::from_millis(16);

/// A query whose value is kept up to date with the store. [`Store::live`](crate::Store::live) makes
/// it.
///
/// This is a handle: it is cheap to clone, and can be read from any thread. When the last handle,
/// subscription and stream of a live query is dropped, the query is no longer kept up to date.
///
/// The type of the value depends on the query: several rows are a [`List`], one row is a
/// [`SharedRow`], one that may be missing is an `Option` of that.
///
/// If the query fails after a commit, because a sum overflows or a row cannot be decoded, it keeps its
/// last value, its subscribers are called, and [`error`](Reactive::error) says why. It is run again at
/// the next change that can matter to it.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # fn main() -> livestore::Result<()> {
/// # let store = Store::<App>::builder("todos").open()?;
/// let (all, milk) = (store.live(Todo::all())?, store.live(Todo::get("milk"))?);
/// let count = store.live(Todo::all().count())?;
/// store.commit(TodoEvent::Created { id: "milk".into(), text: "Milk".into(), created_at: now() })?;
/// assert_eq!(all.get()[0].text, "Milk");
/// assert!(!milk.get().unwrap().completed);
/// assert_eq!(**count.get(), 1);
/// # Ok(())
/// # }
/// ```
pub struct LiveQuery<V: LiveValue>(pub(super) Arc<QueryNode<V>>);

/// The node that all handles of a live query share.
pub(super) struct QueryNode<V: LiveValue> {
    published: PublishedValue<V>,
    state: Mutex<MaintainState<V>>,
    tier: Tier,
    reason: &'static str,
    label: Label,
    id: QueryId,
    dropped: Dropped,
}

/// The ids of live queries that were dropped, for the registry to remove. It does so with the next
/// commit: a drop takes no lock of the store's.
pub(super) type Dropped = Arc<Mutex<Vec<QueryId>>>;

struct MaintainState<V> {
    maintain: Box<dyn Maintain<V>>,
    /// The last change could not be applied: the query has to be run again.
    failed: bool,
    timing: Timing,
    /// Whether it was reported that a commit waited for a slow run.
    slow_reported: bool,
}

/// A live query with a value of any type.
pub(super) trait AnyQuery: GraphNode {
    /// Applies the changes. Returns whether the value has changed, or whether it fails.
    fn apply(
        &self,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
        watch: &mut Stopwatch,
    ) -> bool;

    /// Runs the query again, over a different state. Returns as `apply` does.
    fn rerun(&self, reader: &Reader<'_>, watch: &mut Stopwatch) -> bool;

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<V: LiveValue> QueryNode<V> {
    /// Runs the query for the first time. Also returns its dependencies. If it fails, and there is a
    /// value to `begin_with`, that is its value until it works.
    pub(super) fn start(
        plan: Plan<V>,
        reader: &Reader<'_>,
        begin_with: Option<Arc<V>>,
        id: QueryId,
        dropped: &Dropped,
    ) -> Result<(Arc<Self>, Vec<Dependency>), QueryError> {
        let Plan { tier, reason, label, dependencies, mut maintain } = plan;
        let (mut watch, mut timing) = (Stopwatch::start(), Timing::default());
        let (value, error) = match (maintain.start(reader), begin_with) {
            (Ok(value), _) => (Arc::new(value), None),
            (Err(error), Some(value)) => (value, Some(error)),
            (Err(error), None) => return Err(error),
        };
        timing.add(watch.lap());
        let node = Self {
            state: Mutex::new(MaintainState {
                maintain,
                failed: error.is_some(),
                timing,
                slow_reported: false,
            }),
            published: PublishedValue::new(value, error),
            tier,
            reason,
            label,
            id,
            dropped: Arc::clone(dropped),
        };
        Ok((Arc::new(node), dependencies))
    }

    pub(super) fn report(&self) -> LiveReport {
        let (timing, observers) = (lock(&self.state).timing, self.observers());
        LiveReport {
            id: NodeId::of(observers),
            label: (self.label)(),
            tier: self.tier,
            reason: self.reason,
            runs: timing.runs,
            changes: observers.version(),
            subscribers: observers.subscriber_count(),
            took: timing.took,
            last: timing.last,
            error: self.published.error(),
        }
    }

    /// Adjusts the value to a query that has changed by itself, as a window does that is scrolled.
    /// Returns whether the value has changed.
    pub(super) fn adjust(&self, reader: &Reader<'_>) -> bool {
        self.apply(&[], reader, &mut Stopwatch::start())
    }

    /// Warns once if a commit waited long for the query to run again.
    fn report_slow(&self, state: &mut MaintainState<V>, took: Duration) {
        if took >= SLOW_RUN && self.tier == Tier::Rerun && !state.slow_reported {
            state.slow_reported = true;
            tracing::warn!(
                query = (self.label)(),
                reason = self.reason,
                ?took,
                "a commit waited for a live query to be run again; filter it, or join its parts in a \
                 computed"
            );
        }
    }

    /// Publishes the outcome of a change; returns whether there is any news. After a failure, the old
    /// value stays, and the query is run again at the next change.
    fn publish(
        &self,
        state: &mut MaintainState<V>,
        outcome: Result<Refresh<V>, QueryError>,
    ) -> bool {
        let failed = std::mem::replace(&mut state.failed, outcome.is_err());
        let has_changed = match outcome {
            Ok(Refresh::Unchanged) => false,
            Ok(Refresh::Replace(value)) => {
                self.published.replace(value);
                true
            }
            Ok(Refresh::Patch) => true,
            Err(error) => return self.published.fail(error),
        };
        if failed { self.published.recover(has_changed) } else { has_changed }
    }
}

impl<V: LiveValue> AnyQuery for QueryNode<V> {
    fn apply(
        &self,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
        watch: &mut Stopwatch,
    ) -> bool {
        let mut state = lock(&self.state);
        let applied = match state.failed {
            true => Err(MustRerun),
            false => state.maintain.apply(&self.published, changes, reader),
        };
        let outcome = match applied {
            Ok(refresh) => Ok(refresh),
            Err(MustRerun) => state.maintain.rerun(&self.published.cell.get().1, reader),
        };
        let has_changed = self.publish(&mut state, outcome);
        let took = watch.lap();
        state.timing.add(took);
        self.report_slow(&mut state, took);
        has_changed
    }

    fn rerun(&self, reader: &Reader<'_>, watch: &mut Stopwatch) -> bool {
        let mut state = lock(&self.state);
        let outcome = state.maintain.rerun(&self.published.cell.get().1, reader);
        let has_changed = self.publish(&mut state, outcome);
        state.timing.add(watch.lap());
        has_changed
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<V: LiveValue> GraphNode for QueryNode<V> {
    fn observers(&self) -> &Observers {
        &self.published.cell.observers
    }

    fn error(&self) -> Option<Arc<QueryError>> {
        self.published.error()
    }

    fn report(&self) -> NodeReport {
        NodeReport::Query(self.report())
    }
}

impl<V: LiveValue> ValueNode<V> for QueryNode<V> {
    fn read(&self) -> Result<(u64, Arc<V>), ComputeError> {
        Ok(self.published.cell.get())
    }
}

impl<V: LiveValue> Drop for QueryNode<V> {
    fn drop(&mut self) {
        lock(&self.dropped).push(self.id);
    }
}

impl<V: LiveValue> Reactive for LiveQuery<V> {
    type Value = V;

    fn node(&self) -> NodeRef<V> {
        NodeRef(Arc::clone(&self.0) as _)
    }
}

impl<V: LiveValue> LiveQuery<V> {
    /// Returns how the query is kept up to date, and its statistics. See
    /// [`explain_live`](crate::Store::explain_live).
    pub fn report(&self) -> LiveReport {
        self.0.report()
    }
}

impl<T: Send + Sync + 'static> LiveQuery<Option<SharedRow<T>>> {
    /// Returns the row as it is now, if there is one. It is shared, not copied.
    pub fn get(&self) -> Option<SharedRow<T>> {
        Option::clone(&Reactive::get(self))
    }
}

impl<T: Send + Sync + 'static> LiveQuery<List<T>> {
    /// Returns the list as it is now, and then every change of it, row by row.
    ///
    /// With the diffs, a screen changes only what has changed in the list.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let mut diffs = store.live(Todo::all().order_by(Todo::TEXT.asc()).select(Todo::TEXT))?.diffs();
    /// let mut shown: Vec<String> = Vec::new();
    /// for text in ["Milk", "Bread"] {
    ///     store.commit(TodoEvent::Created { id: new_id(), text: text.into(), created_at: now() })?;
    ///     while let Some(steps) = diffs.try_next() {
    ///         steps.iter().for_each(|step| step.apply(&mut shown, Clone::clone));
    ///     }
    /// }
    /// assert_eq!(shown, ["Bread", "Milk"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn diffs(&self) -> Diffs<T> {
        let waker = Arc::new(TaskWaker::default());
        let guard = self.subscribe(waker.callback());
        // While the state is locked, no change comes between the list and the diffs that follow it.
        let _state = lock(&self.0.state);
        let (_, list) = self.0.published.cell.get();
        self.0.published.diffs.open(&list, waker, guard)
    }
}

impl<T: Send + Sync + 'static> LiveQuery<Window<T>> {
    /// The same for the rows of a window.
    pub(in crate::live) fn row_diffs(&self) -> Diffs<T> {
        let waker = Arc::new(TaskWaker::default());
        let guard = self.subscribe(waker.callback());
        let _state = lock(&self.0.state);
        let (_, window) = self.0.published.cell.get();
        self.0.published.diffs.open(&window.rows, waker, guard)
    }
}

impl<V: LiveValue> Clone for LiveQuery<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: LiveValue + fmt::Debug> fmt::Debug for LiveQuery<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveQuery").field(&self.0.published.cell.get().1).finish()
    }
}

impl<V> fmt::Debug for LivePlan<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LivePlan").field(&self.0.tier).finish()
    }
}
