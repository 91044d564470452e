import { useState } from "preact/hooks";
import { prefill } from "../../commit/prefill.ts";
import { counted, isWhole } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Cell, Filter, TableInfo } from "../../protocol.ts";
import { Button, IconButton, Segments } from "../../ui/controls.tsx";
import { Empty, Failure, Loading } from "../../ui/states.tsx";
import { useCall } from "../../ui/use-call.ts";
import { CellView, ChangeView, KindBadge } from "../../ui/values.tsx";
import { RowValues } from "./row-values.tsx";

type View = "values" | "history";

/** One row in full, and the events that made it what it is. */
export function RowDetail({ table, row: picked }: { table: TableInfo; row: Cell[] }) {
  const { data, store, overlay } = useWorkbench();
  const [view, setView] = useState<View>("values");
  const { value: found, error } = useRow(table, picked);
  const row = found ?? picked;
  return (
    <aside class="detail" aria-label="Row">
      <header class="detail-head">
        <h2 class="mono">
          {data.keyOf(row).map((cell, index) => (
            <CellView key={index} cell={cell} />
          ))}
        </h2>
        <IconButton
          icon="close"
          label="Close the row"
          onClick={() => {
            data.open.value = null;
          }}
        />
      </header>
      <div class="toolbar">
        <Segments
          label="What to show of the row"
          choices={[
            { value: "values", label: "Values" },
            ...(store.can("timeTravel") ? [{ value: "history" as const, label: "History" }] : []),
          ]}
          value={view}
          onPick={setView}
        />
        {store.can("commit") && (
          <Button
            icon="plus"
            title="State is never written by hand: commit an event that changes the row"
            onClick={() => {
              overlay.value = { kind: "commit", name: null, args: prefill(table, row) };
            }}
          >
            Edit by an event
          </Button>
        )}
      </div>
      <div class="scroll">
        {error !== null && <Failure error={error} />}
        {found === null && (
          <p class="warning">The state that is shown does not have this row. These are the values that it had.</p>
        )}
        {view === "values" ? <RowValues table={table} row={row} /> : <History table={table} row={row} />}
      </div>
    </aside>
  );
}

/** The row as it is in the state that is shown; `null` if it is not there. */
function useRow(table: TableInfo, picked: Cell[]) {
  const { store, source, data } = useWorkbench();
  const key = data.keyOf(picked);
  const columns = table.columns.filter((column) => column.key > 0).toSorted((a, b) => a.key - b.key);
  const filter = columns.map(({ name }, index): Filter => ({ column: name, op: "eq", value: key[index] ?? null }));
  return useCall(
    async (abort) => {
      if (key.length === 0 || !key.every(isWhole)) return picked;
      const state = { source: source.wire.value, table: table.name, sort: [], filter };
      const { rows } = await store.client.call("rows", { ...state, offset: 0, limit: 1 }, abort);
      return rows[0] ?? null;
    },
    [JSON.stringify(key), source.revision.value],
  );
}

function History({ table, row }: { table: TableInfo; row: Cell[] }) {
  const workbench = useWorkbench();
  const { data, store, source } = workbench;
  const key = data.keyOf(row);
  if (!key.every(isWhole)) return <Empty icon="time" title="The row's key is too long to ask for its history" />;
  const { value, error, isLoading } = useCall(
    (abort) => store.client.call("rowHistory", { table: table.name, key }, abort),
    [JSON.stringify(key), store.tail.value.head],
  );
  if (error) return <Failure error={error} />;
  if (!value) return <Loading label="Replaying the log…" />;
  return (
    <div class="history" aria-busy={isLoading}>
      <p class="panel-note">
        {counted(value.total, "change")}
        {value.total > value.changes.length && `; the last ${value.changes.length} are here`}
      </p>
      <ol>
        {value.changes.toReversed().map(({ event, before, after }) => (
          <li key={event.seq}>
            <div class="history-head">
              <button type="button" class="link mono" onClick={() => workbench.showEvent(event.seq, "store")}>
                {event.seq}
              </button>
              <span class="mono event-name">{event.name}</span>
              {event.kind !== "confirmed" && <KindBadge kind={event.kind} />}
              <IconButton
                icon="clock"
                label={`Show the state after ${event.seq}`}
                onClick={() => void source.goToSeq(event.seq)}
              />
            </div>
            <ChangeView columns={value.columns} keys={[]} change={{ table: table.name, before, after }} />
          </li>
        ))}
      </ol>
    </div>
  );
}
