import type { Json } from "../protocol.ts";
import { stringifyExact } from "./exact-json.ts";

/** JSON as people read it, in pieces that have a colour each. */
export type JsonToken = { kind: "key" | "text" | "number" | "word" | "mark"; text: string };

const DEEPEST = 60;
/** Arrays and objects that are shorter than this in one line are in one line. */
const LINE = 56;

export function jsonTokens(value: Json): JsonToken[] {
  const tokens: JsonToken[] = [];
  write(value, "", 0, tokens);
  return tokens;
}

function write(value: Json, indent: string, depth: number, into: JsonToken[]): void {
  if (typeof value === "string") into.push({ kind: "text", text: JSON.stringify(value) });
  else if (typeof value === "number" || typeof value === "bigint") into.push({ kind: "number", text: String(value) });
  else if (value === null || typeof value === "boolean") into.push({ kind: "word", text: String(value) });
  else if (depth > DEEPEST) into.push({ kind: "mark", text: "…" });
  else {
    const isList = Array.isArray(value);
    const entries: [string | null, Json][] = isList ? value.map((item) => [null, item]) : Object.entries(value);
    const [open, end] = isList ? ["[", "]"] : ["{", "}"];
    if (entries.length === 0) {
      into.push({ kind: "mark", text: open + end });
      return;
    }
    const inner = isFlatList(value) ? null : `${indent}  `;
    into.push({ kind: "mark", text: open });
    entries.forEach(([key, item], index) => {
      if (index > 0) into.push({ kind: "mark", text: inner === null ? ", " : "," });
      if (inner !== null) into.push({ kind: "mark", text: `\n${inner}` });
      if (key !== null) into.push({ kind: "key", text: JSON.stringify(key) }, { kind: "mark", text: ": " });
      write(item, inner ?? "", depth + 1, into);
    });
    into.push({ kind: "mark", text: inner === null ? end : `\n${indent}${end}` });
  }
}

function isFlatList(value: Json): boolean {
  if (!Array.isArray(value) || value.some((item) => item !== null && typeof item === "object")) return false;
  return value.length <= LINE / 2 && stringifyExact(value).length <= LINE;
}
