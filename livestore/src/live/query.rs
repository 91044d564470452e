//! Queries that stay up to date.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, PoisonError};

use super::diff::{DiffHub, Diffs};
use super::index::NodeId as Id;
use super::inspect::{LiveReport, NodeId, NodeReport, Timing};
use super::interest::Interest;
use super::list::List;
use super::maintain::{DiffLink, Failed, Hit, Label, Maintain, News, Plan, Tier};
use super::primitives::{Mutex, RwLock, lock};
use super::reactive::{Failure, Hub, Node, Source};
use super::value::{NodeRef, Reactive, Wake};
use crate::edge::Stopwatch;
use crate::schema::SchemaDef;
use crate::table::{Query, QueryError, Reader as StateReader};

/// A query that can be live.
pub trait Live: Query + Send + 'static {
    /// What the live query's value is: a [`List`] of rows, a [`Row`](super::Row), a number.
    type Value: Send + Sync + 'static;

    /// What names the query: equal queries share one node.
    #[doc(hidden)]
    fn key(&self, reader: &StateReader<'_>) -> Result<u128, QueryError>;

    /// How to keep it.
    #[doc(hidden)]
    fn plan(
        self,
        reader: &StateReader<'_>,
        schema: &'static SchemaDef,
    ) -> Result<LivePlan<Self::Value>, QueryError>;
}

/// How a query is kept.
#[doc(hidden)]
pub struct LivePlan<V>(pub(crate) Plan<V>);

/// A query whose value follows the store. [`Store::live`](crate::Store::live) makes it.
///
/// It is a handle: clone it freely, read it from any thread. When the last handle, subscription and
/// stream of it is gone, so is everything behind it.
///
/// What the value is follows the query: several rows are a [`List`], one is a [`Row`](super::Row),
/// one that may be missing an `Option` of that.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
/// # fn main() -> livestore::Result<()> {
/// # let store = Store::<App>::builder("todos").open()?;
/// let (all, milk) = (store.live(Todo::all())?, store.live(Todo::get("milk"))?);
/// let count = store.live(Todo::all().count())?;
/// store.commit(TodoEvent::Created { id: "milk".into(), text: "Milk".into(), created_at: now() })?;
/// assert_eq!(all.get()[0].text, "Milk");
/// assert!(milk.get().as_ref().as_ref().is_some_and(|todo| !todo.completed));
/// assert_eq!(**count.get(), 1);
/// # Ok(())
/// # }
/// ```
pub struct LiveQuery<V>(pub(super) Arc<LiveNode<V>>);

/// What all handles of a live query share.
pub(super) struct LiveNode<V> {
    hub: Hub,
    value: RwLock<Arc<V>>,
    keeper: Mutex<Keeper<V>>,
    diffs: Option<DiffLink<V>>,
    tier: Tier,
    reason: &'static str,
    label: Label,
    id: Id,
    freed: Freed,
}

/// Where a live query that nobody holds any more leaves its id.
pub(super) type Freed = Arc<Mutex<Vec<Id>>>;

struct Keeper<V> {
    maintain: Box<dyn Maintain<V>>,
    /// The last change could not be followed: start anew.
    failed: bool,
    timing: Timing,
}

/// A live query, whatever its value is.
pub(super) trait AnyLive: Node {
    /// Follows the changes; says whether the value is another.
    fn apply(&self, hits: &[Hit<'_>], reader: &StateReader<'_>, watch: &mut Stopwatch) -> bool;

    /// Starts anew: the state is another one.
    fn restart(&self, reader: &StateReader<'_>, watch: &mut Stopwatch) -> bool;

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<V: Send + Sync + 'static> LiveNode<V> {
    /// Starts the query; also says what it must hear of.
    pub(super) fn start(
        plan: Plan<V>,
        reader: &StateReader<'_>,
        id: Id,
        freed: &Freed,
    ) -> Result<(Arc<Self>, Vec<Interest>), QueryError> {
        let Plan { tier, reason, label, interests, mut maintain, diffs } = plan;
        let (mut watch, mut timing) = (Stopwatch::start(), Timing::default());
        let value = maintain.start(reader)?;
        timing.add(watch.lap());
        let node = Self {
            hub: Hub::default(),
            value: RwLock::new(Arc::new(value)),
            keeper: Mutex::new(Keeper { maintain, failed: false, timing }),
            diffs,
            tier,
            reason,
            label,
            id,
            freed: Arc::clone(freed),
        };
        Ok((Arc::new(node), interests))
    }

    fn current(&self) -> (u64, Arc<V>) {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        (self.hub.version(), Arc::clone(&value))
    }

    pub(super) fn report(&self) -> LiveReport {
        let timing = lock(&self.keeper).timing;
        LiveReport {
            id: NodeId::of(&self.hub),
            label: (self.label)(),
            tier: self.tier,
            reason: self.reason,
            runs: timing.runs,
            changes: self.hub.version(),
            subscribers: self.hub.subscriber_count(),
            took: timing.took,
            last: timing.last,
        }
    }

    /// Takes a new value, if there is one. A failure keeps the old value, and is tried again with
    /// the next change.
    fn take(&self, keeper: &mut Keeper<V>, news: Result<News<V>, QueryError>) -> bool {
        keeper.failed = news.is_err();
        match news {
            Ok(News::Same) => false,
            Ok(News::Another(value)) => {
                if let Some(DiffLink { hub, reset, .. }) = &self.diffs {
                    reset(&**hub, &value);
                }
                self.replace(Arc::new(value));
                true
            }
            Ok(News::Edit) => self.edit(keeper),
            Err(error) => {
                tracing::error!(error = %crate::error::ErrorChain::new(&error), "a live query failed; it keeps its last value");
                false
            }
        }
    }

    /// Changes the value where it is; readers wait meanwhile.
    fn edit(&self, keeper: &mut Keeper<V>) -> bool {
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = keeper.maintain.edit(&mut value);
        if is_new {
            if let Some(DiffLink { hub, reset, stepwise: false }) = &self.diffs {
                reset(&**hub, &value);
            }
            self.hub.change();
        }
        is_new
    }

    fn replace(&self, value: Arc<V>) {
        let mut slot = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *slot, value);
        self.hub.change();
        drop(slot);
        // Readers need not wait for a long list to be freed.
        drop(old);
    }
}

impl<V: Send + Sync + 'static> AnyLive for LiveNode<V> {
    fn apply(&self, hits: &[Hit<'_>], reader: &StateReader<'_>, watch: &mut Stopwatch) -> bool {
        let mut keeper = lock(&self.keeper);
        let followed = match keeper.failed {
            true => Err(Failed::Lost),
            false => keeper.maintain.apply(hits, reader),
        };
        let news = match followed {
            Ok(news) => Ok(news),
            Err(Failed::Lost) => keeper.maintain.again(&self.current().1, reader),
            Err(Failed::Query(error)) => Err(error),
        };
        let is_new = self.take(&mut keeper, news);
        keeper.timing.add(watch.lap());
        is_new
    }

    fn restart(&self, reader: &StateReader<'_>, watch: &mut Stopwatch) -> bool {
        let mut keeper = lock(&self.keeper);
        let news = keeper.maintain.again(&self.current().1, reader);
        let is_new = self.take(&mut keeper, news);
        keeper.timing.add(watch.lap());
        is_new
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<V: Send + Sync + 'static> Node for LiveNode<V> {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    fn report(&self) -> NodeReport {
        NodeReport::Query(self.report())
    }
}

impl<V: Send + Sync + 'static> Source<V> for LiveNode<V> {
    fn read(&self) -> Result<(u64, Arc<V>), Failure> {
        Ok(self.current())
    }
}

/// The store forgets the query with the next commit: a drop takes no lock of the store's.
impl<V> Drop for LiveNode<V> {
    fn drop(&mut self) {
        lock(&self.freed).push(self.id);
    }
}

impl<V: Send + Sync + 'static> Reactive for LiveQuery<V> {
    type Value = V;

    fn node(&self) -> NodeRef<V> {
        NodeRef(Arc::clone(&self.0) as _)
    }
}

impl<V: Send + Sync + 'static> LiveQuery<V> {
    /// How it is kept up to date, and how it is doing. See
    /// [`explain_live`](crate::Store::explain_live).
    pub fn report(&self) -> LiveReport {
        self.0.report()
    }
}

impl<T: Send + Sync + 'static> LiveQuery<List<T>> {
    /// The list as it is, and then every change of it, row by row.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
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
        let wake = Arc::new(Wake::default());
        let guard = self.subscribe(wake.on_call());
        // While we hold the keeper, no change comes between the list and what follows.
        let _still = lock(&self.0.keeper);
        let (_, list) = self.0.current();
        match self.0.diffs.as_ref().and_then(|link| link.hub.downcast_ref::<DiffHub<T>>()) {
            Some(hub) => hub.open(&list, wake, guard),
            None => DiffHub::default().open(&list, wake, guard),
        }
    }
}

impl<V> Clone for LiveQuery<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: fmt::Debug + Send + Sync + 'static> fmt::Debug for LiveQuery<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveQuery").field(&self.0.current().1).finish()
    }
}

impl<V> fmt::Debug for LivePlan<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LivePlan").field(&self.0.tier).finish()
    }
}
