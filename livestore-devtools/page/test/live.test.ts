import assert from "node:assert/strict";
import { test } from "node:test";
import { concernOf } from "../src/panels/live/judge.ts";
import { NODE_HEIGHT, NODE_WIDTH, layoutGraph } from "../src/panels/live/layout.ts";
import type { LiveKind, LiveNode } from "../src/protocol.ts";

const node = (id: string, kind: LiveKind, more: Partial<LiveNode> = {}): LiveNode => ({
  id,
  kind,
  label: id,
  tier: null,
  reason: null,
  runs: 0,
  changes: 0,
  subscribers: 0,
  micros: 0,
  lastMicros: 0,
  reached: false,
  error: null,
  ...more,
});
const edge = (from: string, to: string) => ({ from, to });

test("a node is drawn to the right of all that it reads", () => {
  const graph = {
    nodes: [
      node("late", "computed"),
      node("todo", "table"),
      node("all", "query"),
      node("filter", "signal"),
      node("shown", "computed"),
    ],
    edges: [
      edge("todo", "all"),
      edge("all", "shown"),
      edge("filter", "shown"),
      edge("shown", "late"),
      edge("todo", "late"),
    ],
  };
  const { edges, nodes } = layoutGraph(graph);
  assert.equal(nodes.length, 5);
  for (const { from, to } of edges) assert.ok(from.x + NODE_WIDTH < to.x, `${from.node.id} -> ${to.node.id}`);
});

test("no two nodes lie upon each other, and all are inside of the drawing", () => {
  const nodes = [node("t", "table"), ...Array.from({ length: 30 }, (_, index) => node(`q${index}`, "query"))];
  const layout = layoutGraph({ nodes, edges: nodes.slice(1).map(({ id }) => edge("t", id)) });
  const places = layout.nodes.map(({ x, y }) => ({ x, y })).toSorted((a, b) => a.x - b.x || a.y - b.y);
  places.forEach((place, index) => {
    const next = places[index + 1];
    if (next && next.x === place.x) assert.ok(next.y >= place.y + NODE_HEIGHT);
    assert.ok(
      place.x >= 0 && place.x + NODE_WIDTH <= layout.width && place.y >= 0 && place.y + NODE_HEIGHT <= layout.height,
    );
  });
});

test("a circle, an edge to nowhere and an empty graph do no harm", () => {
  const nodes = [node("a", "computed"), node("b", "computed")];
  const layout = layoutGraph({ nodes, edges: [edge("a", "b"), edge("b", "a"), edge("a", "a"), edge("gone", "a")] });
  assert.equal(layout.nodes.length, 2);
  assert.equal(layout.edges.length, 2);
  assert.equal(layoutGraph({ nodes: [], edges: [] }).nodes.length, 0);
});

test("a query that ran often for nothing stands out, one that ran often for something does not", () => {
  assert.match(concernOf(node("q", "query", { tier: "incremental", runs: 100, changes: 3 })) ?? "", /100 times/);
  assert.equal(concernOf(node("q", "query", { tier: "incremental", runs: 100, changes: 90 })), null);
  assert.equal(concernOf(node("q", "query", { tier: "incremental", runs: 3, changes: 0 })), null);
  assert.match(concernOf(node("q", "query", { tier: "rerun", reason: "a subquery" })) ?? "", /a subquery/);
  assert.equal(concernOf(node("q", "query", { error: "no such table" })), "no such table");
});
