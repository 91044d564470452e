import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { counted, micros } from "../../lib/format.ts";
import type { LiveGraph, LiveNode } from "../../protocol.ts";
import { concernOf, shortLabel } from "./judge.ts";
import { NODE_HEIGHT, NODE_WIDTH, type PlacedEdge, type PlacedNode, layoutGraph } from "./layout.ts";

/** More than this cannot be read as a drawing; the list has all of them. */
const MOST_DRAWN = 150;
const LABEL_CHARACTERS = 27;

export function Graph({ graph, selected }: { graph: LiveGraph; selected: Signal<string | null> }) {
  const drawn = graph.nodes.length > MOST_DRAWN ? busiest(graph) : graph;
  // The places follow from the shape alone, so that nothing moves when numbers change.
  const shape = JSON.stringify([drawn.nodes.map(({ id }) => id), drawn.edges]);
  const layout = useMemo(() => layoutGraph(drawn), [shape]);
  const fresh = new Map(drawn.nodes.map((node) => [node.id, node]));
  const near = neighbours(drawn, selected.value);
  return (
    <div class="graph" tabIndex={0} role="region" aria-label="The graph of what is read by what">
      {drawn !== graph && (
        <p class="panel-note">
          Of {counted(graph.nodes.length, "node")}, the {MOST_DRAWN} that ran most are drawn.
        </p>
      )}
      <svg
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="group"
        aria-label="Tables, queries, computeds and signals"
      >
        {layout.edges.map((edge) => (
          <Edge
            key={`${edge.from.node.id} ${edge.to.node.id}`}
            edge={edge}
            isReached={isReached(fresh, edge)}
            isFaint={near !== null && !(near.has(edge.from.node.id) && near.has(edge.to.node.id))}
          />
        ))}
        {layout.nodes.map((place) => (
          <Node
            key={place.node.id}
            place={place}
            node={fresh.get(place.node.id) ?? place.node}
            isSelected={selected.value === place.node.id}
            isFaint={near !== null && !near.has(place.node.id)}
            onPick={() => {
              selected.value = selected.value === place.node.id ? null : place.node.id;
            }}
          />
        ))}
      </svg>
    </div>
  );
}

function Edge({ edge: { from, to }, isReached, isFaint }: { edge: PlacedEdge; isReached: boolean; isFaint: boolean }) {
  const start = { x: from.x + NODE_WIDTH, y: from.y + NODE_HEIGHT / 2 };
  const end = { x: to.x, y: to.y + NODE_HEIGHT / 2 };
  const bend = Math.max(30, (end.x - start.x) / 2);
  const path = `M${start.x} ${start.y} C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`;
  return <path class={`edge ${isReached ? "reached" : ""} ${isFaint ? "faint" : ""}`} d={path} />;
}

interface NodeProps {
  place: PlacedNode;
  node: LiveNode;
  isSelected: boolean;
  isFaint: boolean;
  onPick(): void;
}

function Node({ place, node, isSelected, isFaint, onPick }: NodeProps) {
  const concern = concernOf(node);
  const classes = [
    "node",
    node.kind,
    node.reached && "reached",
    concern && "concern",
    isSelected && "selected",
    isFaint && "faint",
  ];
  const label = shortLabel(node);
  return (
    <g
      class={classes.filter(Boolean).join(" ")}
      transform={`translate(${place.x} ${place.y})`}
      role="button"
      tabIndex={0}
      aria-description={[node.reached && "reached by the last commit", concern].filter(Boolean).join(", ")}
      aria-pressed={isSelected}
      onClick={onPick}
      onKeyDown={(event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), onPick())}
    >
      <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx={7}>
        <title>{concern ? `${node.label}\n\n${concern}` : node.label}</title>
      </rect>
      <text class="node-label" x={12} y={19}>
        {label.length > LABEL_CHARACTERS
          ? `${node.kind === "query" ? label.slice(0, LABEL_CHARACTERS - 1) : ""}…${node.kind === "query" ? "" : label.slice(1 - LABEL_CHARACTERS)}`
          : label}
      </text>
      <text class="node-note" x={12} y={35}>
        {note(node)}
      </text>
    </g>
  );
}

function note(node: LiveNode): string {
  switch (node.kind) {
    case "table":
      return "table";
    case "signal":
      return `signal · ${counted(node.changes, "change")}`;
    case "computed":
      return `computed · ${counted(node.runs, "run")}`;
    case "query":
      return `${node.tier?.toLowerCase() ?? "query"} · ${counted(node.runs, "run")} · ${micros(node.lastMicros)}`;
  }
}

function isReached(nodes: Map<string, LiveNode>, { from, to }: PlacedEdge): boolean {
  return (nodes.get(from.node.id)?.reached ?? false) && (nodes.get(to.node.id)?.reached ?? false);
}

/** All that a node reads and all that reads it, near and far. */
function neighbours({ edges }: LiveGraph, id: string | null): Set<string> | null {
  if (id === null) return null;
  const near = new Set([id]);
  for (const [start, end] of [
    ["from", "to"],
    ["to", "from"],
  ] as const) {
    const open = [id];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const edge of edges) {
        if (edge[start] !== next || near.has(edge[end])) continue;
        near.add(edge[end]);
        open.push(edge[end]);
      }
    }
  }
  return near;
}

function busiest({ nodes, edges }: LiveGraph): LiveGraph {
  const kept = nodes.toSorted((a, b) => b.runs + b.changes - (a.runs + a.changes)).slice(0, MOST_DRAWN);
  const ids = new Set(kept.map(({ id }) => id));
  return {
    nodes: nodes.filter(({ id }) => ids.has(id)),
    edges: edges.filter(({ from, to }) => ids.has(from) && ids.has(to)),
  };
}
