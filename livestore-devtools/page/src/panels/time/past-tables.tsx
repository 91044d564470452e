import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { counted, isSameCell } from "../../lib/format.ts";
import { PagedList } from "../../lib/paged-list.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Cell, RowChange, TableInfo } from "../../protocol.ts";
import { DataGrid, gridColumns } from "../../ui/data-grid.tsx";
import { ListPosition } from "../../ui/list-position.ts";
import { Empty, Failure } from "../../ui/states.tsx";
import { keyOf } from "../data/model.ts";

/** The tables as of the chosen event; what that event changed is marked. */
export function PastTables({ changes }: { changes: RowChange[] }) {
  const { store, time } = useWorkbench();
  const { tables } = store.schema.value;
  const changesOf = (table: TableInfo) => changes.filter((change) => change.table === table.name);
  const picked = tables.find(({ name }) => name === time.table.value) ?? tables[0];
  if (!picked) return <Empty icon="data" title="The schema has no tables" />;
  // What was changed is followed from table to table.
  const changed = tables.filter((table) => changesOf(table).length > 0);
  const table = time.onlyChanged.value && !changed.includes(picked) ? (changed[0] ?? picked) : picked;
  return (
    <div class="grid-area">
      <div class="tabs">
        <div role="tablist" aria-label="Tables">
          {tables.map((each) => (
            <button
              type="button"
              role="tab"
              key={each.name}
              aria-selected={each.name === table.name}
              onClick={() => {
                time.table.value = each.name;
              }}
            >
              {each.name}
              {changed.includes(each) && <span class="tab-count">{counted(changesOf(each).length, "change")}</span>}
            </button>
          ))}
        </div>
        <label class="tabs-end">
          <input
            type="checkbox"
            checked={time.onlyChanged.value}
            onChange={(event) => {
              time.onlyChanged.value = event.currentTarget.checked;
            }}
          />
          Only what the event changed
        </label>
      </div>
      {time.onlyChanged.value ? (
        <ChangedRows key={table.name} table={table} changes={changesOf(table)} />
      ) : (
        <AllRows key={table.name} table={table} changes={changesOf(table)} />
      )}
    </div>
  );
}

interface TableProps {
  table: TableInfo;
  /** What the event changed in it. */
  changes: RowChange[];
}

function ChangedRows({ table, changes }: TableProps) {
  const widths = useSignal<{ [column: string]: number }>({});
  const position = useMemo(() => new ListPosition(), []);
  const rows = changes.map(({ before, after }) => after ?? before ?? []);
  const changeOf = new Map(rows.map((row, index) => [row, changes[index]]));
  return (
    <>
      <DataGrid
        label={`Rows of ${table.name} that the event changed`}
        columns={gridColumns(table)}
        count={rows.length}
        at={(row) => rows[row]}
        position={position}
        widths={widths}
        before={(row) => {
          const change = changeOf.get(row);
          return change?.after === null ? "gone" : (change?.before ?? "new");
        }}
      />
      {rows.length === 0 && <Empty icon="check" title={`The event changed nothing in ${table.name}`} />}
    </>
  );
}

function AllRows({ table, changes }: TableProps) {
  const { store, source } = useWorkbench();
  const widths = useSignal<{ [column: string]: number }>({});
  const position = useMemo(() => new ListPosition(), []);
  const rows = useMemo(
    () =>
      new PagedList<Cell[]>(async (offset, limit, abort) => {
        const state = { source: source.wire.peek(), table: table.name, sort: [], filter: [] };
        const page = await store.client.call("rows", { ...state, offset, limit }, abort);
        return { items: page.rows, total: page.total };
      }),
    [table.name],
  );
  const revision = source.revision.value;
  useEffect(() => rows.refresh(), [rows, revision]);
  useEffect(() => () => rows.close(), [rows]);
  void rows.changes.value;
  const keyText = (row: Cell[]) => JSON.stringify(keyOf(table, row));
  const changed = new Map(
    changes.flatMap((change) => (change.after ? [[keyText(change.after), change] as const] : [])),
  );
  return (
    <>
      {rows.error.value !== null && <Failure error={rows.error.value} />}
      <DataGrid
        label={`Rows of ${table.name} at this point`}
        columns={gridColumns(table)}
        count={rows.total.value}
        at={(row) => rows.at(row)}
        position={position}
        widths={widths}
        onRange={(first, end) => rows.want(first, Math.max(1, end))}
        before={(row) => beforeOf(row, changed.get(keyText(row)))}
      />
    </>
  );
}

/** What the row was before the event; not if the row is of another state, which is read just now. */
function beforeOf(row: Cell[], change: RowChange | undefined): Cell[] | "new" | null {
  if (!change?.after?.every((cell, index) => isSameCell(cell, row[index]))) return null;
  return change.before ?? "new";
}
