//! Queries that stay up to date.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::diff::{DiffHub, Diffs};
use super::index::NodeId;
use super::interest::Interest;
use super::list::List;
use super::maintain::{DiffLink, Hit, Maintain, Plan, Tier};
use super::reactive::{Hub, Node};
use super::value::{NodeRef, Reactive, Reader, lock};
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
pub struct LiveQuery<V>(pub(super) Arc<LiveNode<V>>);

/// What all handles of a live query share.
pub(super) struct LiveNode<V> {
    hub: Hub,
    value: RwLock<Arc<V>>,
    keeper: Mutex<Keeper<V>>,
    diffs: Option<DiffLink<V>>,
    pub(super) tier: Tier,
    pub(super) reason: &'static str,
    runs: AtomicU64,
    id: NodeId,
    freed: Arc<Mutex<Vec<NodeId>>>,
}

struct Keeper<V> {
    maintain: Box<dyn Maintain<V>>,
    /// The last change could not be followed: start anew.
    failed: bool,
}

/// A live query, whatever its value is.
pub(super) trait AnyLive: Node {
    /// Follows the changes; says whether the value is another.
    fn apply(&self, hits: &[Hit<'_>], reader: &StateReader<'_>) -> bool;

    /// Starts anew: the state is another one.
    fn restart(&self, reader: &StateReader<'_>) -> bool;

    fn report(&self) -> LiveReport;

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;

    fn as_node(self: Arc<Self>) -> Arc<dyn Node>;
}

/// How a live query is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveReport {
    /// How it is kept up to date.
    pub tier: Tier,
    /// Why not a better way.
    pub reason: &'static str,
    /// How often a change was looked at.
    pub runs: u64,
    /// How often the value changed.
    pub changes: u64,
    /// How many callbacks there are.
    pub subscribers: usize,
}

impl<V: Send + Sync + 'static> LiveNode<V> {
    /// Starts the query; also says what it must hear of.
    pub(super) fn start(
        plan: Plan<V>,
        reader: &StateReader<'_>,
        id: NodeId,
        freed: &Arc<Mutex<Vec<NodeId>>>,
    ) -> Result<(Arc<Self>, Vec<Interest>), QueryError> {
        let Plan { tier, reason, interests, mut maintain, diffs } = plan;
        let value = maintain.start(reader)?;
        let node = Self {
            hub: Hub::default(),
            value: RwLock::new(Arc::new(value)),
            keeper: Mutex::new(Keeper { maintain, failed: false }),
            diffs,
            tier,
            reason,
            runs: AtomicU64::new(0),
            id,
            freed: Arc::clone(freed),
        };
        Ok((Arc::new(node), interests))
    }

    fn get(&self) -> Arc<V> {
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new value, if there is one. A failure keeps the old value, and is tried again with
    /// the next change.
    fn take(&self, keeper: &mut Keeper<V>, value: Result<Option<V>, QueryError>) -> bool {
        keeper.failed = value.is_err();
        match value {
            Ok(None) => false,
            Ok(Some(value)) => {
                if let Some(DiffLink { hub, reset, stepwise: false }) = &self.diffs {
                    reset(&**hub, &value);
                }
                let value = Arc::new(value);
                let mut slot = self.value.write().unwrap_or_else(PoisonError::into_inner);
                let old = std::mem::replace(&mut *slot, value);
                drop(slot);
                drop(old);
                self.hub.bump();
                true
            }
            Err(error) => {
                tracing::error!(%error, "a live query failed; it keeps its last value");
                false
            }
        }
    }
}

impl<V: Send + Sync + 'static> AnyLive for LiveNode<V> {
    fn apply(&self, hits: &[Hit<'_>], reader: &StateReader<'_>) -> bool {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut keeper = lock(&self.keeper);
        let value = if keeper.failed {
            keeper.maintain.start(reader).map(Some)
        } else {
            keeper.maintain.apply(hits, reader)
        };
        self.take(&mut keeper, value)
    }

    fn restart(&self, reader: &StateReader<'_>) -> bool {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut keeper = lock(&self.keeper);
        let value = keeper.maintain.start(reader).map(Some);
        self.take(&mut keeper, value)
    }

    fn report(&self) -> LiveReport {
        LiveReport {
            tier: self.tier,
            reason: self.reason,
            runs: self.runs.load(Ordering::Relaxed),
            changes: self.hub.version(),
            subscribers: self.hub.subscriber_count(),
        }
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn as_node(self: Arc<Self>) -> Arc<dyn Node> {
        self
    }
}

impl<V: Send + Sync + 'static> Node for LiveNode<V> {
    fn hub(&self) -> &Hub {
        &self.hub
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

    fn get(&self) -> Arc<V> {
        self.0.get()
    }

    fn node(&self) -> NodeRef {
        NodeRef(Arc::clone(&self.0) as Arc<dyn Node>)
    }

    fn reader(&self) -> Reader<V> {
        let weak = Arc::downgrade(&self.0);
        Box::new(move || weak.upgrade().map(|node| node.get()))
    }
}

impl<V: Send + Sync + 'static> LiveQuery<V> {
    /// How it is kept up to date, and how it is doing.
    pub fn report(&self) -> LiveReport {
        self.0.report()
    }
}

impl<T: Send + Sync + 'static> LiveQuery<List<T>> {
    /// The list as it is, and then every change of it, row by row.
    pub fn diffs(&self) -> Diffs<T> {
        // While we hold the keeper, no change comes between the list and what follows.
        let _still = lock(&self.0.keeper);
        let keep = Arc::clone(&self.0) as Arc<dyn Any + Send + Sync>;
        let list = (*self.0.get()).clone();
        match self.0.diffs.as_ref().map(|link| link.hub.downcast_ref::<DiffHub<T>>()) {
            Some(Some(hub)) => hub.open(list, keep),
            _ => DiffHub::default().open(list, keep),
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
        f.debug_tuple("LiveQuery").field(&self.0.get()).finish()
    }
}

impl<V> fmt::Debug for LivePlan<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LivePlan").field(&self.0.tier).finish()
    }
}
