//! The graph of live queries, computeds and signals.

use std::collections::{BTreeSet, HashMap};

use livestore::live::{Edge, Inspection, LiveReport, NodeId, Origin, ValueKind, ValueReport};
use livestore::{ErrorChain, SeqNum};

use super::{Host, Refused, lock};
use crate::protocol::{LiveEdge, LiveGraph, LiveKind, LiveNode};

/// The number of times that each node had run at the last looks, to see which ones a commit has reached.
#[derive(Default)]
pub(super) struct LiveMemory {
    head: SeqNum,
    before: HashMap<NodeId, u64>,
    now: HashMap<NodeId, u64>,
}

impl LiveMemory {
    fn look(&mut self, head: SeqNum, graph: &Inspection) {
        let queries = graph.queries.iter().map(|query| (query.id, query.runs));
        let values = graph.values.iter().map(|value| (value.id, value.runs));
        let now = queries.chain(values).collect();
        let last = std::mem::replace(&mut self.now, now);
        if head != self.head {
            (self.head, self.before) = (head, last);
        }
    }

    fn is_reached(&self, node: NodeId) -> bool {
        let before = self.before.get(&node);
        before.is_some_and(|before| self.now.get(&node).is_some_and(|now| now > before))
    }
}

impl Host {
    pub(super) fn live(&self) -> Result<LiveGraph, Refused> {
        let (head, graph) = (self.target.head()?, self.target.inspect()?);
        let mut memory = lock(&self.live);
        memory.look(head, &graph);
        let origin = |origin: &Origin| match origin {
            Origin::Table(table) => Some(table_id(table)),
            Origin::Node(node) => Some(node.to_string()),
            _ => None,
        };
        let edges: Vec<_> = graph
            .edges
            .iter()
            .filter_map(|edge| {
                Some(LiveEdge { from: origin(&edge.from)?, to: edge.to.to_string() })
            })
            .collect();
        let tables: BTreeSet<_> = graph
            .edges
            .iter()
            .filter_map(|edge| match edge.from {
                Origin::Table(table) => Some(table),
                _ => None,
            })
            .collect();
        // A table whose rows a commit changed is known by the queries that ran for it.
        let is_reached = |name: &str| {
            let reads = |edge: &&Edge| matches!(edge.from, Origin::Table(table) if table == name);
            graph.edges.iter().filter(reads).any(|edge| memory.is_reached(edge.to))
        };
        let tables = tables.into_iter().map(|name| table(name, is_reached(name)));
        let queries =
            graph.queries.iter().map(|report| query(report, memory.is_reached(report.id)));
        let values = graph.values.iter().map(|report| value(report, memory.is_reached(report.id)));
        Ok(LiveGraph { nodes: tables.chain(queries).chain(values).collect(), edges })
    }
}

fn table_id(table: &str) -> String {
    format!("table:{table}")
}

fn table(name: &str, reached: bool) -> LiveNode {
    LiveNode {
        id: table_id(name),
        kind: LiveKind::Table,
        label: name.to_owned(),
        tier: None,
        reason: None,
        runs: 0,
        changes: 0,
        subscribers: 0,
        micros: 0.0,
        last_micros: 0.0,
        reached,
        error: None,
    }
}

fn query(report: &LiveReport, reached: bool) -> LiveNode {
    LiveNode {
        id: report.id.to_string(),
        kind: LiveKind::Query,
        label: report.label.clone(),
        tier: Some(format!("{:?}", report.tier)),
        reason: Some(report.reason.to_owned()),
        runs: report.runs,
        changes: report.changes,
        subscribers: report.subscribers as u64,
        micros: micros(report.took),
        last_micros: micros(report.last),
        reached,
        error: report.error.as_ref().map(|error| ErrorChain::new(&**error).to_string()),
    }
}

fn value(report: &ValueReport, reached: bool) -> LiveNode {
    let kind = match report.kind {
        ValueKind::Signal => LiveKind::Signal,
        _ => LiveKind::Computed,
    };
    LiveNode {
        id: report.id.to_string(),
        kind,
        label: report.made_at.to_string(),
        tier: None,
        reason: None,
        runs: report.runs,
        changes: report.changes,
        subscribers: report.subscribers as u64,
        micros: micros(report.took),
        last_micros: micros(report.last),
        reached,
        error: None,
    }
}

fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
