import { useState } from "preact/hooks";
import { bytes, cellText, dateOf, isWhole } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Cell, ColumnInfo, TableInfo } from "../../protocol.ts";
import { Button, CopyButton } from "../../ui/controls.tsx";
import { Failure, Loading } from "../../ui/states.tsx";
import { useCall } from "../../ui/use-call.ts";
import { CellView } from "../../ui/values.tsx";
import { MOST_PIECES, wholeCellSql } from "./whole-cell.ts";

/** All values of a row. A long one is read when one asks for it. */
export function RowValues({ table, row }: { table: TableInfo; row: Cell[] }) {
  return (
    <dl class="values">
      {table.columns.map((column, index) => (
        <div key={column.name}>
          <dt>
            {column.name}
            <span class="th-note">{column.sqlType.toLowerCase()}</span>
          </dt>
          <dd>
            <Value table={table} row={row} column={column} cell={row[index] ?? null} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface ValueProps {
  table: TableInfo;
  row: Cell[];
  column: ColumnInfo;
  cell: Cell;
}

function Value({ table, row, column, cell }: ValueProps) {
  const [isOpen, setOpen] = useState(false);
  if (isWhole(cell) || cell === null || typeof cell !== "object" || !("length" in cell)) {
    const date = dateOf(cell);
    return (
      <>
        <CellView cell={cell} />
        {date && <span class="cell-note">{date}</span>}
      </>
    );
  }
  const sql = wholeCellSql(table, row, column, "blob" in cell);
  if (isOpen && sql !== null) return <WholeValue sql={sql} />;
  return (
    <>
      <CellView cell={cell} />
      {sql !== null && (
        <p>
          <Button onClick={() => setOpen(true)}>Show all {bytes(cell.length)}</Button>
        </p>
      )}
    </>
  );
}

function WholeValue({ sql }: { sql: string }) {
  const { store, source } = useWorkbench();
  const { value, error } = useCall(
    async (abort) =>
      (await store.client.call("sql", { source: source.wire.value, sql, limit: MOST_PIECES }, abort)).rows,
    [sql, source.revision.value],
  );
  if (error) return <Failure error={error} />;
  if (!value) return <Loading />;
  const text = value.map(([piece]) => (piece === null || piece === undefined ? "" : cellText(piece))).join("");
  return (
    <>
      <pre class="code whole-value" tabIndex={0}>
        {text}
      </pre>
      {value.length >= MOST_PIECES && <p class="panel-note">This is the start; the whole is longer still.</p>}
      <CopyButton text={text} label="Copy" />
    </>
  );
}
