import type { Cell, EventInfo, Json, TableInfo } from "../protocol.ts";
import { parseExact } from "../lib/exact-json.ts";
import { isWhole } from "../lib/format.ts";

/**
 * The args that a row suggests: columns that are named like fields, in camel or snake case, or a key `id` for
 * `issueId` if the table is `issue`.
 */
export function prefill(table: TableInfo, row: Cell[]): { [key: string]: Json } {
  const args: { [key: string]: Json } = {};
  table.columns.forEach((column, index) => {
    const cell = row[index] ?? null;
    const value = isWhole(cell) ? jsonOf(cell) : undefined;
    if (value === undefined) return;
    args[column.name] = value;
    args[camel(column.name)] = value;
    if (column.key > 0 && column.name === "id") args[camel(`${singular(table.name)}_id`)] = value;
  });
  return args;
}

/** The events that fit a row: the larger share of their fields it has, and the fewer they are, the earlier. */
export function eventsFor(events: EventInfo[], args: { [key: string]: Json }): EventInfo[] {
  if (Object.keys(args).length === 0) return events.filter((event) => !event.deprecated);
  const fit = (event: EventInfo) =>
    event.fields.filter(({ name }) => name in args).length / Math.max(1, event.fields.length);
  return events
    .filter((event) => !event.deprecated)
    .toSorted((a, b) => fit(b) - fit(a) || a.fields.length - b.fields.length);
}

function jsonOf(cell: Cell): Json | undefined {
  if (cell === null || typeof cell === "number") return cell;
  if (typeof cell === "string") return /^[[{]/.test(cell) ? parsed(cell) : cell;
  if ("integer" in cell) return BigInt(cell.integer);
  return "real" in cell ? Number(cell.real) : undefined;
}

function parsed(text: string): Json {
  try {
    return parseExact(text) as Json;
  } catch {
    return text;
  }
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function singular(name: string): string {
  return name.endsWith("s") ? name.slice(0, -1) : name;
}
