import { computed, signal } from "@preact/signals";
import { PagedList } from "../../lib/paged-list.ts";
import { ListPosition } from "../../ui/list-position.ts";
import type { SourceModel } from "../../model/source.ts";
import type { StoreModel } from "../../model/store.ts";
import type { Cell, Filter, Sort, TableInfo } from "../../protocol.ts";

/** The table that one looks at, and how. */
export class DataModel {
  readonly sort = signal<Sort[]>([]);
  readonly filters = signal<Filter[]>([]);
  readonly view = signal<"rows" | "schema">("rows");
  /** The row that is open beside the table. */
  readonly open = signal<Cell[] | null>(null);
  readonly position = new ListPosition();
  readonly widths = signal<{ [column: string]: number }>({});
  readonly rows: PagedList<Cell[]>;
  readonly #picked = signal<string | null>(null);
  readonly table = computed<TableInfo | null>(() => {
    const { tables } = this.store.schema.value;
    return tables.find((table) => table.name === this.#picked.value) ?? tables[0] ?? null;
  });

  constructor(
    readonly store: StoreModel,
    readonly source: SourceModel,
  ) {
    this.rows = new PagedList(async (offset, limit, abort) => {
      const table = this.table.peek()?.name ?? "";
      const query = { source: source.wire.peek(), table, sort: this.sort.peek(), filter: this.filters.peek() };
      const page = await store.client.call("rows", { ...query, offset, limit }, abort);
      return { items: page.rows, total: page.total };
    });
  }

  pick(table: string): void {
    if (table === this.table.value?.name) return;
    this.#picked.value = table;
    this.sort.value = [];
    this.filters.value = [];
    this.open.value = null;
    this.widths.value = {};
    this.restart();
  }

  /** Another order: up, then down, then that of the primary key. With `also`, beneath those there are. */
  sortBy(column: string, also: boolean): void {
    const present = this.sort.value.find((sort) => sort.column === column);
    const others = also ? this.sort.value.filter((sort) => sort.column !== column) : [];
    if (!present) this.sort.value = [...others, { column, descending: false }];
    else if (!present.descending) this.sort.value = [...others, { column, descending: true }];
    else this.sort.value = others;
    this.restart();
  }

  filterBy(filters: Filter[]): void {
    this.filters.value = filters;
    this.restart();
  }

  /** Shows the row with this key; returns whether there is one that passes the filters. */
  async goTo(key: Cell[], rowHeight: number): Promise<boolean> {
    const table = this.table.peek()?.name ?? "";
    const query = { source: this.source.wire.peek(), table, sort: this.sort.peek(), filter: this.filters.peek() };
    const { offset } = await this.store.client.call("rowPlace", { ...query, key });
    if (offset === null) return false;
    this.position.active.value = offset;
    this.position.show(offset, Math.max(this.rows.total.peek(), offset + 1), rowHeight);
    return true;
  }

  /** The values of a row's primary key, in order. */
  keyOf(row: Cell[]): Cell[] {
    return keyOf(this.table.value, row);
  }

  restart(): void {
    this.position.top.value = 0;
    this.rows.reset();
  }
}

export function keyOf(table: TableInfo | null | undefined, row: Cell[]): Cell[] {
  return (table?.columns ?? [])
    .map((column, index) => ({ key: column.key, cell: row[index] ?? null }))
    .filter(({ key }) => key > 0)
    .sort((a, b) => a.key - b.key)
    .map(({ cell }) => cell);
}
