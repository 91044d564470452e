import { count, counted } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { TableDiff } from "../../protocol.ts";
import { Empty, Failure, Loading } from "../../ui/states.tsx";
import { useCall } from "../../ui/use-call.ts";
import { ChangeView } from "../../ui/values.tsx";
import type { Mark } from "./model.ts";

const MOST_ROWS = 200;

/** What differs between the two marks. */
export function Compare() {
  const { time } = useWorkbench();
  const { from, to } = { from: time.from.value, to: time.to.value };
  if (!from || !to) {
    return (
      <Empty icon="time" title="Two points are compared">
        Go to the earlier one and press “Mark A”, then to the later one and press “Mark B”.
      </Empty>
    );
  }
  return <Difference key={`${from.label} ${to.label}`} from={from} to={to} />;
}

function Difference({ from, to }: { from: Mark; to: Mark }) {
  const { store, source } = useWorkbench();
  // A fork goes on while it is compared.
  const inForks = source.forks.value.map(({ id, seqs }) => `${id} ${seqs.length}`).join();
  const { value, error } = useCall(
    (abort) => store.client.call("diff", { from: from.source, to: to.source, limit: MOST_ROWS }, abort),
    [from.label, to.label, inForks, store.connections.value],
  );
  if (error) return <Failure error={error} />;
  if (!value) return <Loading label="Comparing…" />;
  return (
    <div class="scroll padded">
      <p class="panel-note">
        From <span class="mono">{from.label}</span> to <span class="mono">{to.label}</span>
      </p>
      {value.tables.length === 0 && <Empty icon="check" title="The two states are equal" />}
      {value.tables.map((table) => (
        <TableDifference key={table.table} diff={table} />
      ))}
    </div>
  );
}

function TableDifference({ diff }: { diff: TableDiff }) {
  const { store } = useWorkbench();
  const keys = store.table(diff.table)?.columns.filter(({ key }) => key > 0) ?? [];
  const all = diff.added + diff.changed + diff.removed;
  return (
    <section class="block" aria-label={diff.table}>
      <div class="block-head">
        <h2 class="mono">{diff.table}</h2>
        {diff.added > 0 && <span class="diff-count added">{count(diff.added)} added</span>}
        {diff.changed > 0 && <span class="diff-count changed">{count(diff.changed)} changed</span>}
        {diff.removed > 0 && <span class="diff-count removed">{count(diff.removed)} removed</span>}
      </div>
      <div class="changes columns">
        {diff.rows.map((change, index) => (
          <ChangeView key={index} columns={diff.columns} keys={keys.map(({ name }) => name)} change={change} />
        ))}
      </div>
      {all > diff.rows.length && (
        <p class="panel-note">
          The first {count(diff.rows.length)} of {counted(all, "row")} are here.
        </p>
      )}
    </section>
  );
}
