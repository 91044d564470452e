//! A snapshot of the whole graph, for tools.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::graph::GraphNode;
use super::maintain::Tier;
use super::observers::Observers;
use crate::error::ErrorChain;
use crate::table::QueryError;

/// A snapshot of a store's live queries, and of the values that are computed from them.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # fn main() -> livestore::Result<()> {
/// use livestore::live::{Origin, Reactive, computed};
///
/// let store = Store::<App>::builder("todos").open()?;
/// let todos = store.live(Todo::all())?;
/// let count = computed(move |get| get.of(&todos).len());
/// let _guard = count.subscribe(|count| println!("{count}"));
///
/// let graph = store.inspect()?;
/// let (query, count) = (&graph.queries[0], &graph.values[0]);
/// assert!(query.label.starts_with(r#"SELECT "id", "text", "completed""#));
/// assert_eq!(count.subscribers, 1);
/// assert!(graph.edges.iter().any(|edge| edge.from == Origin::Table("todo") && edge.to == query.id));
/// assert!(graph.edges.iter().any(|edge| edge.from == Origin::Node(query.id) && edge.to == count.id));
/// println!("{graph}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// All live queries.
    pub queries: Vec<LiveReport>,
    /// The computeds that read them, and the signals and computeds that those read.
    pub values: Vec<ValueReport>,
    /// All pairs of a value and another one that reads it.
    pub edges: Vec<Edge>,
    /// The names of the tables that live queries read, whose changes are captured.
    pub watched: Vec<&'static str>,
}

/// The id of a live query, signal or computed. It is unique in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u64);

/// A dependency: `to` reads `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an edge has two ends")]
pub struct Edge {
    /// The table or value that is read.
    pub from: Origin,
    /// The value that reads it.
    pub to: NodeId,
}

/// The source of an [`Edge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The table with this name.
    Table(&'static str),
    /// A live query, signal or computed.
    Node(NodeId),
}

/// The statistics of a live query.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LiveReport {
    /// The node's id in the graph.
    pub id: NodeId,
    /// The query's SQL, followed by `--` and its parameters if it has any.
    pub label: String,
    /// The way in which it is kept up to date.
    pub tier: Tier,
    /// The reason for the tier, in a few English words.
    pub reason: &'static str,
    /// The number of times that the value was read or brought up to date: once to start, and then
    /// for each commit or rebase with a change that could matter to it.
    pub runs: u64,
    /// The number of times that the value changed.
    pub changes: u64,
    /// The number of callbacks, streams and readers of diffs.
    pub subscribers: usize,
    /// The time that all runs took together.
    pub took: Duration,
    /// The time that the last run took.
    pub last: Duration,
    /// The reason why the value is not up to date, while the query fails.
    pub error: Option<Arc<QueryError>>,
}

/// The statistics of a signal or a computed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueReport {
    /// The node's id in the graph.
    pub id: NodeId,
    /// Whether it is a computed or a signal.
    pub kind: ValueKind,
    /// The place in the app's source at which it was made.
    pub made_at: &'static Location<'static>,
    /// The number of times that its function ran; 0 for a signal.
    pub runs: u64,
    /// The number of times that the value changed.
    pub changes: u64,
    /// The number of callbacks and streams.
    pub subscribers: usize,
    /// The time that all runs took together, including the computeds that were computed for them.
    pub took: Duration,
    /// The time that the last run took.
    pub last: Duration,
}

/// The kind of a value that is not a live query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueKind {
    /// A [`Computed`](super::Computed).
    Computed,
    /// A [`Signal`](super::Signal).
    Signal,
}

/// The report of any node.
pub(crate) enum NodeReport {
    Query(LiveReport),
    Value(ValueReport),
}

/// The number of runs, and the time that they took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timing {
    pub(crate) runs: u64,
    pub(crate) took: Duration,
    pub(crate) last: Duration,
}

impl Timing {
    pub(crate) fn add(&mut self, took: Duration) {
        self.runs += 1;
        self.took += took;
        self.last = took;
    }
}

impl NodeId {
    pub(super) fn of(observers: &Observers) -> Self {
        Self(observers.id())
    }
}

impl ValueReport {
    pub(super) fn new(
        kind: ValueKind,
        observers: &Observers,
        made_at: &'static Location<'static>,
        timing: &Timing,
    ) -> Self {
        Self {
            id: NodeId::of(observers),
            kind,
            made_at,
            runs: timing.runs,
            changes: observers.version(),
            subscribers: observers.subscriber_count(),
            took: timing.took,
            last: timing.last,
        }
    }
}

/// A store's live queries, and the tables that they read.
///
/// The rest of the graph is walked after the store's lock is released: a node that is dropped here
/// may own the last handle to the store.
pub(crate) struct Roots {
    pub(super) queries: Vec<(Arc<dyn GraphNode>, Vec<&'static str>)>,
    pub(super) watched: Vec<&'static str>,
}

impl Roots {
    pub(crate) fn inspect(self) -> Inspection {
        let Self { queries, watched } = self;
        let mut graph = Inspection { watched, ..Inspection::default() };
        for (query, tables) in &queries {
            let to = NodeId::of(query.observers());
            let edges = tables.iter().map(|table| Edge { from: Origin::Table(table), to });
            graph.edges.extend(edges);
        }
        for node in reachable(queries.into_iter().map(|(query, _)| query).collect()).values() {
            let to = NodeId::of(node.observers());
            let inputs = node.inputs();
            let from = inputs.iter().map(|input| Origin::Node(NodeId::of(input.observers())));
            graph.edges.extend(from.map(|from| Edge { from, to }));
            match node.report() {
                NodeReport::Query(report) => graph.queries.push(report),
                NodeReport::Value(report) => graph.values.push(report),
            }
        }
        graph
    }
}

/// The nodes, all that depend on them, and all that those read.
fn reachable(mut next: Vec<Arc<dyn GraphNode>>) -> BTreeMap<u64, Arc<dyn GraphNode>> {
    let mut all = BTreeMap::new();
    while let Some(node) = next.pop() {
        if let Entry::Vacant(place) = all.entry(node.observers().id()) {
            next.extend(node.observers().dependents());
            next.extend(node.inputs());
            place.insert(node);
        }
    }
    all
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Writes one line for each node.
impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.queries.iter().try_for_each(|query| writeln!(f, "{query}"))?;
        for value in &self.values {
            write!(f, "{value}")?;
            let read = self.edges.iter().filter(|edge| edge.to == value.id);
            for edge in read {
                if let Origin::Node(from) = edge.from {
                    write!(f, ", reads {from}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for LiveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, label, tier, reason, runs, changes, subscribers, took, last, error } = self;
        write!(f, "{id} {label}: {tier:?} ({reason}), {runs} runs in {took:?} (last {last:?}), ")?;
        write!(f, "{changes} changes, {subscribers} subscribers")?;
        match error {
            Some(error) => write!(f, ", fails: {}", ErrorChain::new(&**error)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ValueReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, made_at, runs, changes, subscribers, took, last } = self;
        write!(f, "{id} {kind:?} at {made_at}: {runs} runs in {took:?} (last {last:?}), ")?;
        write!(f, "{changes} changes, {subscribers} subscribers")
    }
}
