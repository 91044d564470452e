//! What there is, for tools: the whole graph as a snapshot.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::maintain::Tier;
use super::reactive::{Hub, Node};

/// A picture of a store's live queries, and of all that is made of them.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
/// # fn main() -> livestore::Result<()> {
/// use livestore::live::{Origin, Reactive, computed};
///
/// let store = Store::<App>::builder("todos").open()?;
/// let todos = store.live(Todo::all())?;
/// let count = computed(move |get| get.of(&todos).len());
/// let _guard = count.subscribe(|count| println!("{count}"));
///
/// let picture = store.inspect()?;
/// let (query, count) = (&picture.queries[0], &picture.values[0]);
/// assert!(query.label.starts_with(r#"SELECT "id", "text", "completed""#));
/// assert_eq!(count.subscribers, 1);
/// assert!(picture.edges.iter().any(|edge| edge.from == Origin::Table("todo") && edge.to == query.id));
/// assert!(picture.edges.iter().any(|edge| edge.from == Origin::Node(query.id) && edge.to == count.id));
/// println!("{picture}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// Every live query.
    pub queries: Vec<LiveReport>,
    /// The computeds that read them, and what else those read.
    pub values: Vec<ValueReport>,
    /// Who reads whom.
    pub edges: Vec<Edge>,
    /// The tables whose changes are captured.
    pub watched: Vec<&'static str>,
}

/// Names a node of the graph; no other of this process ever has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u64);

/// `to` is made of `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an edge has two ends")]
pub struct Edge {
    /// What is read.
    pub from: Origin,
    /// Who reads it.
    pub to: NodeId,
}

/// Where an edge begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// At a table.
    Table(&'static str),
    /// At a live query, signal or computed.
    Node(NodeId),
}

/// How a live query is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveReport {
    /// Which one it is.
    pub id: NodeId,
    /// What it asks: its SQL, and behind `--` its parameters.
    pub label: String,
    /// How it is kept up to date.
    pub tier: Tier,
    /// Why not a better way.
    pub reason: &'static str,
    /// How often it ran: to start, and whenever a change could matter to it.
    pub runs: u64,
    /// How often its value changed.
    pub changes: u64,
    /// How many callbacks, streams and readers of diffs there are.
    pub subscribers: usize,
    /// How long all runs took.
    pub took: Duration,
    /// How long the last one took.
    pub last: Duration,
}

/// How a signal or a computed is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueReport {
    /// Which one it is.
    pub id: NodeId,
    /// What it is.
    pub kind: Derived,
    /// Where in the app's source it was made.
    pub made_at: &'static Location<'static>,
    /// How often its function ran; a signal has none.
    pub runs: u64,
    /// How often its value changed.
    pub changes: u64,
    /// How many callbacks and streams there are.
    pub subscribers: usize,
    /// How long all runs took, with what was made for them.
    pub took: Duration,
    /// How long the last one took.
    pub last: Duration,
}

/// A value that is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derived {
    /// A [`Computed`](super::Computed).
    Computed,
    /// A [`Signal`](super::Signal).
    Signal,
}

/// Any node's report.
pub(crate) enum NodeReport {
    Query(LiveReport),
    Value(ValueReport),
}

/// How often something ran, and for how long.
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
    pub(super) fn of(hub: &Hub) -> Self {
        Self(hub.id())
    }
}

impl ValueReport {
    pub(super) fn new(
        kind: Derived,
        hub: &Hub,
        made_at: &'static Location<'static>,
        timing: &Timing,
    ) -> Self {
        Self {
            id: NodeId::of(hub),
            kind,
            made_at,
            runs: timing.runs,
            changes: hub.version(),
            subscribers: hub.subscriber_count(),
            took: timing.took,
            last: timing.last,
        }
    }
}

/// A store's live queries, and the tables that they read. The graph is walked when the store's
/// lock is free again: a node may be the last to hold something, and be dropped with us.
pub(crate) struct Roots {
    pub(super) queries: Vec<(Arc<dyn Node>, Vec<&'static str>)>,
    pub(super) watched: Vec<&'static str>,
}

impl Roots {
    pub(crate) fn inspect(self) -> Inspection {
        let Self { queries, watched } = self;
        let mut picture = Inspection { watched, ..Inspection::default() };
        for (query, tables) in &queries {
            let to = NodeId::of(query.hub());
            let edges = tables.iter().map(|table| Edge { from: Origin::Table(table), to });
            picture.edges.extend(edges);
        }
        for node in all(queries.into_iter().map(|(query, _)| query).collect()).values() {
            let to = NodeId::of(node.hub());
            let inputs = node.inputs();
            let from = inputs.iter().map(|input| Origin::Node(NodeId::of(input.hub())));
            picture.edges.extend(from.map(|from| Edge { from, to }));
            match node.report() {
                NodeReport::Query(report) => picture.queries.push(report),
                NodeReport::Value(report) => picture.values.push(report),
            }
        }
        picture
    }
}

/// The nodes, what depends on them, and what that is made of.
fn all(mut next: Vec<Arc<dyn Node>>) -> BTreeMap<u64, Arc<dyn Node>> {
    let mut all = BTreeMap::new();
    while let Some(node) = next.pop() {
        if let Entry::Vacant(place) = all.entry(node.hub().id()) {
            next.extend(node.hub().dependents());
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

/// One line for each node.
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
        let Self { id, label, tier, reason, runs, changes, subscribers, took, last } = self;
        write!(f, "{id} {label}: {tier:?} ({reason}), {runs} runs in {took:?} (last {last:?}), ")?;
        write!(f, "{changes} changes, {subscribers} subscribers")
    }
}

impl fmt::Display for ValueReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, made_at, runs, changes, subscribers, took, last } = self;
        write!(f, "{id} {kind:?} at {made_at}: {runs} runs in {took:?} (last {last:?}), ")?;
        write!(f, "{changes} changes, {subscribers} subscribers")
    }
}
