import assert from "node:assert/strict";
import { test } from "node:test";
import { filledRange, percentile } from "../src/lib/histogram.ts";
import { sqlTokens } from "../src/panels/sql/tokens.ts";
import { wholeCellSql } from "../src/panels/data/whole-cell.ts";
import { linesOf } from "../src/transfer/import.ts";

test("every character of SQL is in a token, whatever it is", () => {
  for (const sql of ["SELECT 'it''s', \"a b\", 1.5e3 -- end\nFROM t", "'open", "/* open", '"', "[x", "🦀 select", ""]) {
    assert.equal(
      sqlTokens(sql)
        .map(({ text }) => text)
        .join(""),
      sql,
    );
  }
  const kinds = sqlTokens("SELECT 'a', 12 FROM todo -- x").map(({ kind }) => kind);
  assert.deepEqual(kinds, ["keyword", "plain", "text", "plain", "number", "plain", "keyword", "plain", "comment"]);
});

test("SQL that is long and odd is done at once", () => {
  const began = performance.now();
  sqlTokens("'".repeat(50_001) + "/*".repeat(50_000));
  assert.ok(performance.now() - began < 1_000);
});

const lines = async (parts: (string | Uint8Array<ArrayBuffer>)[]) => {
  const found: string[] = [];
  for await (const line of linesOf(new Blob(parts), () => {})) found.push(line);
  return found;
};

test("a file is read by lines, however it is cut and ended", async () => {
  assert.deepEqual(await lines(['{"a":1}\n{"b"', ':2}\r\n\n{"ü":3}']), ['{"a":1}', '{"b":2}', "", '{"ü":3}']);
  assert.deepEqual(await lines([]), []);
});

test("a file that is no text, or has no lines, is refused", async () => {
  await assert.rejects(lines([new Uint8Array([0xff, 0xfe, 0x00])]));
  await assert.rejects(lines(["x".repeat(3_000_000)]), /too long/);
});

test("percentiles lie within their bucket, and never beyond the longest time", () => {
  const histogram = { count: 100, sumMicros: 1_000, maxMicros: 30, buckets: [0, 0, 90, 0, 0, 10] };
  const median = percentile(histogram, 0.5);
  assert.ok(median > 2 && median <= 4, String(median));
  assert.ok(percentile(histogram, 0.99) <= 30);
  assert.equal(percentile({ count: 0, sumMicros: 0, maxMicros: 0, buckets: [] }, 0.5), 0);
  assert.deepEqual(filledRange([0, 0, 5, 0]), { first: 1, last: 8 });
});

test("a long value is asked for by its row's key, whatever that is", () => {
  const column = (name: string, key = 0) => ({ name, sqlType: "TEXT", nullable: false, key });
  const table = {
    name: 'odd"name',
    isDocument: false,
    sql: "",
    rows: 1,
    columns: [column("id", 1), column("body"), column("part", 2)],
  };
  const body = table.columns[1] ?? assert.fail();
  const sql = wholeCellSql(table, ["it's", { text: "Once", length: 9_000 }, 7], body, false) ?? assert.fail();
  assert.ok(sql.includes(`FROM "odd""name" WHERE "id" IS 'it''s' AND "part" IS 7`));
  assert.equal(wholeCellSql(table, [{ text: "cut", length: 9_000 }, "body", 7], body, false), null);
  assert.equal(wholeCellSql(table, ["a", "body", { real: "inf" }], body, false), null);
});
