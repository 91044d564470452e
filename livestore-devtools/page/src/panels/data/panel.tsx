import { useEffect } from "preact/hooks";
import { counted } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import { Button, Segments } from "../../ui/controls.tsx";
import { DataGrid, gridColumns } from "../../ui/data-grid.tsx";
import { Empty, Failure, Loading } from "../../ui/states.tsx";
import { useThrottled } from "../../ui/use-call.ts";
import { FilterBar } from "./filter-bar.tsx";
import { GoTo } from "./go-to.tsx";
import { RowDetail } from "./row-detail.tsx";
import { SchemaView } from "./schema-view.tsx";
import { TableList } from "./table-list.tsx";

/** An app that commits all the time is not asked for its rows all the time. */
const AFTER_COMMIT_MS = 250;

export function DataPanel() {
  const { data, store } = useWorkbench();
  const table = data.table.value;
  return (
    <div class="split-left">
      <TableList tables={store.schema.value.tables} picked={table?.name ?? null} onPick={(name) => data.pick(name)} />
      <section class="panel-main" aria-labelledby="panel-title">
        <header class="panel-head">
          <h1 id="panel-title" class={table ? "mono" : ""}>
            {table?.name ?? "Data"}
          </h1>
          {table && (
            <>
              <span class="panel-note">{data.rows.isReady.value ? counted(data.rows.total.value, "row") : ""}</span>
              <Segments
                label="What to show of the table"
                choices={[
                  { value: "rows", label: "Rows" },
                  { value: "schema", label: "Schema" },
                ]}
                value={data.view.value}
                onPick={(view) => {
                  data.view.value = view;
                }}
              />
            </>
          )}
        </header>
        {!table && <Empty icon="data" title="The schema has no tables" />}
        {table && data.view.value === "schema" && <SchemaView table={table} />}
        {table && data.view.value === "rows" && <Rows />}
      </section>
    </div>
  );
}

function Rows() {
  const { data, source } = useWorkbench();
  const table = data.table.value;
  const isNow = source.chosen.value.kind === "now";
  const revision = useThrottled(source.revision.value, isNow ? AFTER_COMMIT_MS : 0);
  useEffect(() => data.rows.refresh(), [revision]);
  useEffect(() => () => data.rows.close(), []);
  void data.rows.changes.value;
  if (!table) return null;
  const error = data.rows.error.value;
  return (
    <>
      <FilterBar table={table} filters={data.filters.value} onChange={(filters) => data.filterBy(filters)}>
        <GoTo key={table.name} table={table} />
      </FilterBar>
      {error !== null && (
        <Failure error={error}>
          <Button onClick={() => source.now()}>Back to now</Button>
        </Failure>
      )}
      <div class="split-right">
        <div class="grid-area">
          <DataGrid
            label={`Rows of ${table.name}`}
            columns={gridColumns(table)}
            count={data.rows.total.value}
            at={(row) => data.rows.at(row)}
            position={data.position}
            widths={data.widths}
            sort={data.sort.value}
            onSort={(column, also) => data.sortBy(column, also)}
            onRange={(first, end) => data.rows.want(first, Math.max(end, 1))}
            onOpen={(row) => {
              data.open.value = data.rows.at(row) ?? null;
            }}
          />
          {!data.rows.isReady.value && error === null && <Loading />}
          {data.rows.isReady.value && data.rows.total.value === 0 && (
            <Empty
              icon="data"
              title={data.filters.value.length > 0 ? "No row passes the filter" : "The table is empty"}
            />
          )}
        </div>
        {data.open.value && (
          <RowDetail key={JSON.stringify(data.keyOf(data.open.value))} table={table} row={data.open.value} />
        )}
      </div>
    </>
  );
}
