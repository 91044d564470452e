import assert from "node:assert/strict";
import { test } from "node:test";
import { hasLongNumbers, parseExact, stringifyExact } from "../src/lib/exact-json.ts";

test("whole numbers beyond 2^53 stay what they are, there and back", () => {
  const text = '{"id":9007199254740993,"list":[-9223372036854775808,1],"big":18446744073709551615}';
  const value = parseExact(text) as { id: bigint; list: [bigint, number]; big: bigint };
  assert.equal(value.id, 9007199254740993n);
  assert.equal(value.list[0], -9223372036854775808n);
  assert.equal(stringifyExact(value), text);
  assert.ok(hasLongNumbers(value));
  assert.equal(parseExact("9007199254740993"), 9007199254740993n);
});

test("all else is as JSON has it", () => {
  const text = String.raw`{"a":"id: 9007199254740993, \"9007199254740993\"","b":1.5e300,"c":123456789012345678901.5,"d":9007199254740991,"e":[null,true,"\\"]}`;
  assert.deepEqual(parseExact(text), JSON.parse(text));
  assert.equal(stringifyExact(JSON.parse(text)), JSON.stringify(JSON.parse(text)));
  assert.ok(!hasLongNumbers(parseExact(text)));
});

test("what is no JSON is an error", () => {
  for (const text of ["", "{", '{"a":9007199254740993', "[9007199254740993,]"]) assert.throws(() => parseExact(text));
});

test("a text of many megabytes is read", () => {
  for (const piece of ["x", '\\"']) {
    const value = parseExact(`{"text":"${piece.repeat(10_000_000)}","id":9007199254740993}`) as {
      text: string;
      id: bigint;
    };
    assert.equal(value.text.length, 10_000_000);
    assert.equal(value.id, 9007199254740993n);
  }
});
