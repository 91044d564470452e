import type { LiveNode } from "../../protocol.ts";

/** From this number of runs on, one can say that a query runs too often. */
const ENOUGH_RUNS = 20;
/** The share of runs that led to another value, below which most runs were for nothing. */
const USEFUL_SHARE = 0.25;

/** What stands out about a node; `null`: nothing. */
export function concernOf(node: LiveNode): string | null {
  if (node.error !== null) return node.error;
  if (node.kind === "query" && node.runs >= ENOUGH_RUNS && node.changes < node.runs * USEFUL_SHARE) {
    return `ran ${node.runs} times, and its value changed ${node.changes} times`;
  }
  if (node.kind === "query" && isRerun(node))
    return `runs again whenever its tables change: ${node.reason ?? "no reason is given"}`;
  return null;
}

export function isRerun(node: LiveNode): boolean {
  return /re-?run/i.test(node.tier ?? "");
}

/** How a node is called in little space. */
export function shortLabel(node: LiveNode): string {
  if (node.kind !== "query") return node.label;
  return node.label.replaceAll('"', "").replace(/\s+/g, " ");
}
