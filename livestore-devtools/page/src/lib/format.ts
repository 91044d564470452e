import type { Cell } from "../protocol.ts";

/** What a cell is, for its colour and alignment. */
export type CellKind = "null" | "number" | "text" | "blob";

export function cellKind(cell: Cell): CellKind {
  if (cell === null) return "null";
  if (typeof cell === "number" || (typeof cell === "object" && ("integer" in cell || "real" in cell))) return "number";
  if (typeof cell === "object" && "blob" in cell) return "blob";
  return "text";
}

/** A cell in one line. */
export function cellText(cell: Cell): string {
  if (cell === null) return "NULL";
  if (typeof cell === "number") return String(cell);
  if (typeof cell === "string") return cell;
  if ("integer" in cell) return cell.integer;
  if ("real" in cell) return cell.real;
  if ("text" in cell) return `${cell.text}…`;
  return `x'${cell.blob}${cell.blob.length < cell.length * 2 ? "…" : ""}'`;
}

/** What there is to know of a cell beyond its text: how long the whole is. */
export function cellNote(cell: Cell): string | null {
  if (cell === null || typeof cell !== "object" || !("length" in cell)) return null;
  return bytes(cell.length);
}

/** Whether all of a cell is here, and so can be used in a filter, a key or a form. */
export function isWhole(cell: Cell): boolean {
  if (cell === null || typeof cell !== "object") return true;
  if ("text" in cell) return false;
  return !("blob" in cell) || cell.blob.length >= cell.length * 2;
}

export function isSameCell(a: Cell | undefined, b: Cell | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || typeof a !== "object" || typeof b !== "object") return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A cell that a person wrote into a filter, for a column of this SQL type. */
export function parseCell(text: string, sqlType: string): Cell {
  const type = sqlType.toUpperCase();
  if (type === "TEXT" || text.trim() === "") return text;
  if (/^[+-]?\d+$/.test(text.trim())) {
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : { integer: text.trim().replace(/^\+/, "") };
  }
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) {
    const number = Number(text);
    return Number.isInteger(number) ? { real: number.toFixed(1) } : number;
  }
  if (type === "BLOB" && /^([0-9a-f]{2})*$/i.test(text.trim())) {
    return { blob: text.trim().toLowerCase(), length: text.trim().length / 2 };
  }
  return text;
}

const NUMBER = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return NUMBER.format(value);
}

/** A number with its noun: `1 event`, `2,000 events`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = "";
  for (const next of units) {
    if (scaled < 999.5) break;
    scaled /= 1_000;
    unit = next;
  }
  return `${short(scaled)} ${unit}`;
}

/** A time that something took. */
export function micros(value: number): string {
  if (value < 999.5) return `${short(value)} µs`;
  if (value < 999_500) return `${short(value / 1_000)} ms`;
  return `${short(value / 1_000_000)} s`;
}

/** Three digits or so. */
function short(value: number): string {
  if (value === 0) return "0";
  if (value < 10) return value.toFixed(value < 1 ? 2 : 1).replace(/\.?0+$/, "");
  return value.toFixed(value < 100 ? 1 : 0).replace(/\.0$/, "");
}

export function clock(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The start of an id that is too long to be read; of a session's (`kind~id`), the kind and the start of the rest. */
export function shortId(id: string): string {
  const [kind, rest] = id.split("~", 2);
  if (kind && rest) return `${kind.slice(0, 8)}~${rest.slice(0, 3)}`;
  return id.length > 9 ? `${id.slice(0, 7)}…` : id;
}

const YEAR_2000 = 946_684_800_000;
const YEAR_2100 = 4_102_444_800_000;

/** The date that an integer is, if it is one in milliseconds since 1970. */
export function dateOf(cell: Cell): string | null {
  if (typeof cell !== "number" || !Number.isInteger(cell) || cell < YEAR_2000 || cell > YEAR_2100) return null;
  return new Date(cell).toISOString();
}
