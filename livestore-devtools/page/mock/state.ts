import type { Cell, Filter, RowChange, Sort } from "../src/protocol.ts";
import { cellText, isSameCell } from "../src/lib/format.ts";
import { baseCount, baseIndex, baseRow, columnsOf } from "./domain.ts";

/** A table after some base events and then some changes. */
export class TableView {
  readonly columns: string[];
  readonly #table: string;
  readonly #events: number;
  readonly #changed = new Map<string, Cell[] | null>();
  readonly #added: Cell[][] = [];

  constructor(table: string, events: number, changes: RowChange[]) {
    this.#table = table;
    this.#events = events;
    this.columns = columnsOf(table) ?? [];
    for (const change of changes) {
      if (change.table !== table) continue;
      const key = JSON.stringify((change.before ?? change.after)?.[0]);
      const known = this.#changed.has(key);
      if (!change.before && change.after && !known) this.#added.push(change.after);
      this.#changed.set(key, change.after);
    }
  }

  get changedKeys(): Cell[] {
    return [...this.#changed.keys()].map((key) => JSON.parse(key) as Cell);
  }

  get count(): number {
    return baseCount(this.#table, this.#events) + this.#added.length;
  }

  row(index: number): Cell[] | null {
    const base = baseCount(this.#table, this.#events);
    const row = index < base ? baseRow(this.#table, index, this.#events) : this.#added[index - base];
    if (!row) return null;
    const changed = this.#changed.get(JSON.stringify(row[0]));
    return changed === undefined ? row : changed;
  }

  find(key: Cell): Cell[] | null {
    const changed = this.#changed.get(JSON.stringify(key));
    if (changed !== undefined) return changed;
    const index = baseIndex(this.#table, key);
    const row = index === null || index >= baseCount(this.#table, this.#events) ? null : this.row(index);
    return row && isSameCell(row[0], key) ? row : null;
  }

  select(sort: Sort[], filter: Filter[], offset: number, limit: number): { rows: Cell[][]; total: number } {
    if (sort.length === 0 && filter.length === 0) {
      const rows = [];
      for (let index = offset; index < Math.min(this.count, offset + limit); index += 1) {
        const row = this.row(index);
        if (row) rows.push(row);
      }
      return { rows, total: this.count };
    }
    const [only] = filter;
    if (filter.length === 1 && only?.op === "eq" && only.column === this.columns[0]) {
      const row = this.find(only.value);
      return { rows: row ? [row] : [], total: row ? 1 : 0 };
    }
    const passing: Cell[][] = [];
    for (let index = 0; index < this.count; index += 1) {
      const row = this.row(index);
      if (row && filter.every((condition) => passes(row[this.columns.indexOf(condition.column)] ?? null, condition)))
        passing.push(row);
    }
    const keys = sort.map(({ column, descending }) => ({
      at: this.columns.indexOf(column),
      sign: descending ? -1 : 1,
    }));
    passing.sort((a, b) => {
      for (const { at, sign } of keys) {
        const order = compare(a[at] ?? null, b[at] ?? null);
        if (order !== 0) return order * sign;
      }
      return 0;
    });
    return { rows: passing.slice(offset, offset + limit), total: passing.length };
  }
}

function plain(cell: Cell): number | string | null {
  if (cell !== null && typeof cell === "object") return "real" in cell ? Number(cell.real) : cellText(cell);
  return cell;
}

function compare(left: Cell, right: Cell): number {
  const a = plain(left);
  const b = plain(right);
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function passes(cell: Cell, { op, value }: Filter): boolean {
  switch (op) {
    case "isNull":
      return cell === null;
    case "isNotNull":
      return cell !== null;
    case "contains":
      return cell !== null && cellText(cell).toLowerCase().includes(cellText(value).toLowerCase());
    case "eq":
      return compare(cell, value) === 0;
    case "ne":
      return cell !== null && compare(cell, value) !== 0;
    case "lt":
      return cell !== null && compare(cell, value) < 0;
    case "le":
      return cell !== null && compare(cell, value) <= 0;
    case "gt":
      return cell !== null && compare(cell, value) > 0;
    case "ge":
      return cell !== null && compare(cell, value) >= 0;
  }
}
