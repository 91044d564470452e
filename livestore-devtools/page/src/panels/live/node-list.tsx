import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { count, micros } from "../../lib/format.ts";
import type { LiveNode } from "../../protocol.ts";
import { Icon } from "../../ui/icons.tsx";
import { concernOf, isRerun } from "./judge.ts";

type Order = "runs" | "changes" | "subscribers" | "micros" | "lastMicros";

const NUMBERS: { order: Order; label: string; show(node: LiveNode): string }[] = [
  { order: "runs", label: "Runs", show: ({ runs }) => count(runs) },
  { order: "changes", label: "Changes", show: ({ changes }) => count(changes) },
  { order: "micros", label: "Time in all", show: (node) => micros(node.micros) },
  { order: "lastMicros", label: "Last run", show: (node) => micros(node.lastMicros) },
  { order: "subscribers", label: "Subscribers", show: ({ subscribers }) => count(subscribers) },
];

const TIERS: { [tier: string]: string } = {
  point: "One row by its primary key, read from the change itself",
  rows: "A list of one table's rows, updated row by row",
  groups: "Counts and sums, updated group by group",
  rerun: "Any query: run again when a row that can matter has changed",
};

/** Queries, computeds and signals with their numbers; the ones that took longest first. */
export function NodeList({ nodes, selected }: { nodes: LiveNode[]; selected: Signal<string | null> }) {
  const [order, setOrder] = useState<Order>("micros");
  const shown = nodes.filter(({ kind }) => kind !== "table").toSorted((a, b) => b[order] - a[order]);
  return (
    <div class="scroll node-list">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Tier, and why</th>
            {NUMBERS.map((number) => (
              <th
                scope="col"
                key={number.order}
                class="number"
                aria-sort={number.order === order ? "descending" : "none"}
              >
                <button type="button" onClick={() => setOrder(number.order)}>
                  {number.label}
                  {number.order === order && <Icon name="down" />}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((node) => (
            <NodeRow
              key={node.id}
              node={node}
              isSelected={selected.value === node.id}
              onPick={() => (selected.value = selected.value === node.id ? null : node.id)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NodeRow({ node, isSelected, onPick }: { node: LiveNode; isSelected: boolean; onPick(): void }) {
  const concern = concernOf(node);
  return (
    <tr class={`${isSelected ? "selected" : ""} ${node.reached ? "reached" : ""}`} onClick={onPick}>
      <td>
        <button type="button" class="node-name" aria-pressed={isSelected} title={node.label}>
          <span class={`kind-mark ${node.kind}`}>{node.kind}</span>
          <span class="mono">{node.label}</span>
        </button>
        {concern && !isRerun(node) && <Concern text={concern} />}
        {concern && isRerun(node) && !concern.startsWith("runs again") && <Concern text={concern} />}
      </td>
      <td>
        {node.tier && (
          <span class={`badge ${isRerun(node) ? "pending" : "quiet"}`} title={TIERS[node.tier.toLowerCase()]}>
            {node.tier.toLowerCase()}
          </span>
        )}
        {node.reason && <span class="reason">{node.reason}</span>}
      </td>
      {NUMBERS.map((number) => (
        <td key={number.order} class="number mono">
          {number.show(node)}
        </td>
      ))}
    </tr>
  );
}

function Concern({ text }: { text: string }) {
  return (
    <p class="concern-text">
      <Icon name="warning" />
      {text}
    </p>
  );
}
