import type { Signal } from "@preact/signals";
import { cellText, isSameCell } from "../lib/format.ts";
import type { Cell, Sort, TableInfo } from "../protocol.ts";
import { Icon } from "./icons.tsx";
import type { ListPosition } from "./list-position.ts";
import { CellView } from "./values.tsx";
import { VirtualRows } from "./virtual-rows.tsx";

export interface GridColumn {
  name: string;
  isKey?: boolean;
  /** Whether its values are numbers, which are aligned to the right. */
  isNumeric?: boolean;
}

/** The columns of a table of the schema. */
export function gridColumns(table: TableInfo): GridColumn[] {
  return table.columns.map(({ name, key, sqlType }) => ({
    name,
    isKey: key > 0,
    isNumeric: /INT|REAL|NUM/i.test(sqlType),
  }));
}

interface DataGridProps {
  label: string;
  columns: GridColumn[];
  count: number;
  at(row: number): Cell[] | undefined;
  position: ListPosition;
  widths: Signal<{ [column: string]: number }>;
  sort?: Sort[];
  onSort?(column: string, also: boolean): void;
  onRange?(first: number, end: number): void;
  onOpen?(row: number): void;
  /** What a row was before, if it has just changed; what differs is marked. Or that it has just gone. */
  before?(row: Cell[]): Cell[] | "new" | "gone" | null;
}

export const ROW_HEIGHT = 28;
const NARROWEST = 64;
const WIDEST_FIRST = 320;
const CHARACTER = 7.3;
const PADDING = 26;
/** The rows that a column's first width is made for. */
const SAMPLE = 40;

/** A table of any length. */
export function DataGrid(props: DataGridProps) {
  const { columns, widths, sort = [] } = props;
  const widthOf = (column: GridColumn, index: number) => widths.value[column.name] ?? firstWidth(props, column, index);
  const template = `${columns.map((column, index) => `${widthOf(column, index)}px`).join(" ")} minmax(0, 1fr)`;
  return (
    <VirtualRows
      label={props.label}
      position={props.position}
      count={props.count}
      rowHeight={ROW_HEIGHT}
      columnCount={columns.length}
      columns={template}
      {...(props.onRange && { onRange: props.onRange })}
      {...(props.onOpen && { onOpen: props.onOpen })}
      header={columns.map((column, index) => (
        <HeaderCell
          key={column.name}
          column={column}
          sort={sort.find((each) => each.column === column.name)}
          width={widthOf(column, index)}
          onWidth={(width) => {
            widths.value = { ...widths.value, [column.name]: width };
          }}
          {...(props.onSort && { onSort: props.onSort })}
        />
      ))}
      renderRow={(row) => <Row row={props.at(row)} columns={columns} before={props.before} />}
    />
  );
}

interface RowProps {
  row: Cell[] | undefined;
  columns: GridColumn[];
  before: DataGridProps["before"];
}

function Row({ row, columns, before }: RowProps) {
  if (!row) {
    return (
      <span class="td waiting" role="gridcell">
        …
      </span>
    );
  }
  const old = before?.(row) ?? null;
  return (
    <>
      {columns.map((column, index) => {
        const cell = row[index] ?? null;
        const isNew = old === "new" || (old !== null && old !== "gone" && !isSameCell(old[index], cell));
        const mark = old === "gone" ? "gone" : isNew ? "new" : "";
        return (
          <span key={column.name} role="gridcell" class={`td ${mark} ${column.isNumeric ? "numeric" : ""}`}>
            <CellView cell={cell} />
          </span>
        );
      })}
    </>
  );
}

interface HeaderCellProps {
  column: GridColumn;
  sort: Sort | undefined;
  width: number;
  onSort?(column: string, also: boolean): void;
  onWidth(width: number): void;
}

function HeaderCell({ column, sort, width, onSort, onWidth }: HeaderCellProps) {
  const name = (
    <>
      <span class="th-name">{column.name}</span>
      {column.isKey && <span class="th-note">key</span>}
      {sort && <Icon name={sort.descending ? "down" : "up"} />}
    </>
  );
  return (
    <span
      class={`th ${column.isNumeric ? "numeric" : ""}`}
      role="columnheader"
      aria-sort={!sort ? "none" : sort.descending ? "descending" : "ascending"}
    >
      {onSort ? (
        <button
          type="button"
          title="Sort; with Shift, also by this"
          onClick={(event) => onSort(column.name, event.shiftKey)}
        >
          {name}
        </button>
      ) : (
        <span class="th-plain">{name}</span>
      )}
      <span class="th-handle" aria-hidden="true" onPointerDown={(event) => resize(event, width, onWidth)} />
    </span>
  );
}

function resize(event: PointerEvent, width: number, onWidth: (width: number) => void): void {
  event.preventDefault();
  const handle = event.currentTarget as HTMLElement;
  handle.setPointerCapture(event.pointerId);
  const drag = (move: PointerEvent) => onWidth(Math.max(NARROWEST, width + move.clientX - event.clientX));
  handle.addEventListener("pointermove", drag);
  handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", drag), { once: true });
}

function firstWidth({ at, count, onSort }: DataGridProps, column: GridColumn, index: number): number {
  const head = column.name.length + (column.isKey ? 4 : 0) + (onSort ? 2 : 0);
  let longest = head;
  for (let row = 0; row < Math.min(count, SAMPLE); row += 1) {
    const cell = at(row)?.[index];
    if (cell !== undefined) longest = Math.max(longest, cellText(cell).length);
  }
  return Math.round(Math.min(WIDEST_FIRST, Math.max(NARROWEST, longest * CHARACTER + PADDING)));
}
