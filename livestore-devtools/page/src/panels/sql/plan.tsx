import type { PlanStep } from "../../protocol.ts";
import { Empty } from "../../ui/states.tsx";

/** What SQLite does to get the rows. A step that reads all of a table, or sorts, stands out. */
export function Plan({ steps }: { steps: PlanStep[] }) {
  if (steps.length === 0) return <Empty icon="sql" title="SQLite gives no plan for it" />;
  return (
    <ol class="scroll padded plan" aria-label="Query plan">
      {steps.map((step, index) => (
        <li key={index} class="mono" style={{ "--depth": step.depth }}>
          {step.detail}
          {costOf(step.detail) && <span class="badge pending">{costOf(step.detail)}</span>}
        </li>
      ))}
    </ol>
  );
}

function costOf(detail: string): string | null {
  if (/^SCAN (?!CONSTANT)/.test(detail))
    return /USING (COVERING )?INDEX/.test(detail) ? "reads all of an index" : "reads all rows";
  return detail.startsWith("USE TEMP B-TREE") ? "sorts" : null;
}
