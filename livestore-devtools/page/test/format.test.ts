import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  cellKind,
  cellNote,
  cellText,
  counted,
  dateOf,
  isSameCell,
  isWhole,
  micros,
  parseCell,
  shortId,
} from "../src/lib/format.ts";
import { jsonTokens } from "../src/lib/json.ts";
import { compareSeqs, isSamePlace, parseSeq } from "../src/lib/seq.ts";
import type { Cell } from "../src/protocol.ts";

test("every kind of cell has its text", () => {
  const cells: [Cell, string, string][] = [
    [null, "NULL", "null"],
    [7, "7", "number"],
    [0.5, "0.5", "number"],
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>", "text"],
    [{ integer: "9007199254740993" }, "9007199254740993", "number"],
    [{ real: "inf" }, "inf", "number"],
    [{ text: "Once upon", length: 100_000 }, "Once upon…", "text"],
    [{ blob: "00ff", length: 2 }, "x'00ff'", "blob"],
    [{ blob: "00ff", length: 900 }, "x'00ff…'", "blob"],
  ];
  for (const [cell, text, kind] of cells) {
    assert.equal(cellText(cell), text);
    assert.equal(cellKind(cell), kind);
  }
});

test("a cell that is cut says how long it is, and is not whole", () => {
  assert.equal(cellNote({ text: "Once", length: 100_000 }), "100 kB");
  assert.equal(cellNote("Once"), null);
  assert.ok(!isWhole({ text: "Once", length: 100_000 }));
  assert.ok(!isWhole({ blob: "00", length: 2 }));
  assert.ok(isWhole({ blob: "00ff", length: 2 }));
  assert.equal(shortId("devtools~eGjCwQ4"), "devtools~eGj");
  assert.ok(isWhole({ integer: "9007199254740993" }));
});

test("cells are compared by what they are", () => {
  assert.ok(isSameCell({ real: "2.0" }, { real: "2.0" }));
  assert.ok(!isSameCell({ real: "2.0" }, 2));
  assert.ok(!isSameCell(null, 0));
  assert.ok(!isSameCell("2", 2));
});

test("what is written into a filter becomes the value that the column has", () => {
  assert.equal(parseCell("12", "INTEGER"), 12);
  assert.equal(parseCell("12", "TEXT"), "12");
  assert.deepEqual(parseCell("9007199254740993", "INTEGER"), { integer: "9007199254740993" });
  assert.deepEqual(parseCell("2.0", "REAL"), { real: "2.0" });
  assert.equal(parseCell("-2.5", "REAL"), -2.5);
  assert.deepEqual(parseCell("00FF", "BLOB"), { blob: "00ff", length: 2 });
  assert.equal(parseCell("twelve", "INTEGER"), "twelve");
});

test("a time in milliseconds is seen, any other number is not", () => {
  assert.equal(dateOf(1_795_824_336_344), "2026-11-28T00:05:36.344Z");
  for (const cell of [0, 1_795_824_336, 1.5, "1795824336344", null, { integer: "9007199254740993" }])
    assert.equal(dateOf(cell), null);
});

test("quantities are short", () => {
  assert.deepEqual([0, 999, 1_500, 12_345_678].map(bytes), ["0 B", "999 B", "1.5 kB", "12.3 MB"]);
  assert.deepEqual([0.25, 5, 999.6, 1_234, 999_600].map(micros), ["0.25 µs", "5 µs", "1 ms", "1.2 ms", "1 s"]);
  assert.equal(counted(1, "event"), "1 event");
  assert.equal(counted(1_000_000, "event"), "1,000,000 events");
});

test("sequence numbers are in the log's order, whatever was rebased", () => {
  assert.deepEqual(parseSeq("e12.3r4"), { global: 12, client: 3, generation: 4 });
  assert.equal(parseSeq("12"), null);
  assert.ok(compareSeqs("e9", "e10") < 0);
  assert.ok(compareSeqs("e10", "e10.1") < 0);
  assert.ok(isSamePlace("e10r1", "e10r2"));
});

test("JSON comes out as JSON, in lines", () => {
  const value = { id: "a", tags: ["x", "y"], nested: { none: null, yes: true, list: [] }, rate: 0.5 };
  const text = jsonTokens(value)
    .map((token) => token.text)
    .join("");
  assert.deepEqual(JSON.parse(text), value);
  assert.ok(text.includes('\n  "tags": ["x", "y"],\n'));
});

test("JSON that is nested without end is cut", () => {
  let value: import("../src/protocol.ts").Json = [];
  for (let depth = 0; depth < 5_000; depth += 1) value = [value];
  assert.ok(jsonTokens(value).some((token) => token.text === "…"));
});
