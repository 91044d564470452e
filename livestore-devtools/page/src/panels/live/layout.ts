import type { LiveGraph, LiveNode } from "../../protocol.ts";

/** Where the nodes of the graph are drawn: in layers from left to right, each reading from those before it. */

export interface PlacedNode {
  node: LiveNode;
  x: number;
  y: number;
}

export interface PlacedEdge {
  from: PlacedNode;
  to: PlacedNode;
}

export interface GraphLayout {
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  width: number;
  height: number;
}

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 46;
const GAP_X = 84;
const GAP_Y = 16;
const MARGIN = 16;
/** The times that the order within the layers is improved. */
const SWEEPS = 6;

export function layoutGraph({ nodes, edges }: LiveGraph): GraphLayout {
  const known = new Set(nodes.map(({ id }) => id));
  const real = edges.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to);
  const layers = order(toLayers(nodes, real), real);
  const placed = place(layers);
  return {
    nodes: [...placed.values()],
    edges: real.flatMap(({ from, to }) => {
      const ends = { from: placed.get(from), to: placed.get(to) };
      return ends.from && ends.to ? [{ from: ends.from, to: ends.to }] : [];
    }),
    width: MARGIN * 2 + layers.length * NODE_WIDTH + Math.max(0, layers.length - 1) * GAP_X,
    height: MARGIN * 2 + Math.max(0, ...layers.map(heightOf)),
  };
}

type Edges = LiveGraph["edges"];

/** A node is one layer behind the last of those that it reads. */
function toLayers(nodes: LiveNode[], edges: Edges): LiveNode[][] {
  const depth = new Map<string, number>(nodes.map((node) => [node.id, node.kind === "query" ? 1 : 0]));
  // As many rounds as there are nodes, so that a circle, which should not be there, does not last forever.
  for (let round = 0; round < nodes.length; round += 1) {
    let isDone = true;
    for (const { from, to } of edges) {
      const least = (depth.get(from) ?? 0) + 1;
      if ((depth.get(to) ?? 0) >= least || least > nodes.length) continue;
      depth.set(to, least);
      isDone = false;
    }
    if (isDone) break;
  }
  // A signal is drawn next to what reads it first, so that its edge does not run behind other nodes.
  for (const { id, kind } of nodes) {
    const readers = edges.filter(({ from }) => from === id).map(({ to }) => depth.get(to) ?? 0);
    if (kind === "signal" && readers.length > 0) depth.set(id, Math.max(0, Math.min(...readers) - 1));
  }
  const layers: LiveNode[][] = [];
  for (const node of nodes) (layers[depth.get(node.id) ?? 0] ??= []).push(node);
  return layers.filter((layer) => layer !== undefined);
}

/** Puts each node near the middle of its neighbours, back and forth, so that few edges cross. */
function order(layers: LiveNode[][], edges: Edges): LiveNode[][] {
  let current = layers;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const rank = new Map(
      current.flatMap((layer) => layer.map((node, index) => [node.id, index / Math.max(1, layer.length - 1)] as const)),
    );
    const middle = ({ id }: LiveNode) => {
      const near = edges
        .flatMap(({ from, to }) => (to === id ? [from] : from === id ? [to] : []))
        .map((other) => rank.get(other) ?? 0);
      return near.length === 0 ? (rank.get(id) ?? 0) : near.reduce((sum, each) => sum + each, 0) / near.length;
    };
    current = current.map((layer) => layer.toSorted((a, b) => middle(a) - middle(b)));
  }
  return current;
}

function place(layers: LiveNode[][]): Map<string, PlacedNode> {
  const tallest = Math.max(0, ...layers.map(heightOf));
  const placed = new Map<string, PlacedNode>();
  layers.forEach((layer, column) => {
    const top = MARGIN + (tallest - heightOf(layer)) / 2;
    layer.forEach((node, row) => {
      placed.set(node.id, { node, x: MARGIN + column * (NODE_WIDTH + GAP_X), y: top + row * (NODE_HEIGHT + GAP_Y) });
    });
  });
  return placed;
}

function heightOf(layer: LiveNode[]): number {
  return layer.length * NODE_HEIGHT + Math.max(0, layer.length - 1) * GAP_Y;
}
