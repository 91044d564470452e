import assert from "node:assert/strict";
import { test } from "node:test";
import { draftOf, formField, parseDraft } from "../src/commit/form.ts";
import { eventsFor, prefill } from "../src/commit/prefill.ts";
import type { EventInfo, TableInfo } from "../src/protocol.ts";

const event = (name: string, fields: [string, string][]): EventInfo => ({
  name,
  fields: fields.map(([field, type]) => ({ name: field, type })),
  clientOnly: false,
  deprecated: null,
});

const created = event("v1.TodoCreated", [
  ["id", "String"],
  ["text", "String"],
  ["rank", "u8"],
  ["weight", "f64"],
  ["isDone", "bool"],
  ["dueAt", "Option<Timestamp> (optional)"],
  ["note", "Option<String>"],
  ["tags", "Vec<String>"],
]);

test("each type has its input", () => {
  const inputs = created.fields.map((field) => formField(field).input);
  assert.deepEqual(inputs, ["text", "text", "integer", "number", "flag", "json", "text", "json"]);
  assert.ok(formField({ name: "dueAt", type: "Option<Timestamp> (optional)" }).canBeAbsent);
  assert.equal(formField({ name: "x", type: "" }).input, "json");
});

test("a form becomes args: empty is null or absent, and not an empty text", () => {
  const draft = { id: "a", text: "", rank: "3", weight: "0.5", isDone: "true", dueAt: null, note: null, tags: '["x"]' };
  assert.deepEqual(parseDraft(created, draft), {
    args: { id: "a", text: "", rank: 3, weight: 0.5, isDone: true, note: null, tags: ["x"] },
    errors: {},
  });
});

test("what is wrong is said at its field", () => {
  const draft = { id: "a", text: "b", rank: "3.5", weight: "", isDone: "false", dueAt: null, note: null, tags: "[" };
  assert.deepEqual(Object.keys(parseDraft(created, draft).errors), ["rank", "weight", "tags"]);
  const long = parseDraft(created, { ...draft, rank: "9007199254740993" });
  assert.equal(long.args["rank"], 9007199254740993n);
});

test("args go into a form and come out the same", () => {
  const args = { id: "a", text: "[1]", rank: 3, weight: 0.5, isDone: false, dueAt: { millis: 5 }, note: "", tags: [] };
  assert.deepEqual(parseDraft(created, draftOf(created, args)), { args, errors: {} });
});

const todo: TableInfo = {
  name: "todos",
  isDocument: false,
  sql: "",
  rows: 1,
  columns: [
    { name: "id", sqlType: "TEXT", nullable: false, key: 1 },
    { name: "text", sqlType: "TEXT", nullable: false, key: 0 },
    { name: "due_at", sqlType: "INTEGER", nullable: true, key: 0 },
    { name: "tags", sqlType: "TEXT", nullable: false, key: 0 },
    { name: "body", sqlType: "TEXT", nullable: false, key: 0 },
  ],
};

test("a row suggests args: by the names of its columns, in camel case, too, and its key as todoId", () => {
  const args = prefill(todo, ["a", "milk", 7, '["x"]', { text: "cut", length: 900 }]);
  assert.equal(args["id"], "a");
  assert.equal(args["todoId"], "a");
  assert.equal(args["dueAt"], 7);
  assert.deepEqual(args["tags"], ["x"]);
  assert.ok(!("body" in args), "a text that is cut must not be committed");
});

test("the events that change a row come before the one that makes it", () => {
  const renamed = event("v1.TodoRenamed", [
    ["id", "String"],
    ["text", "String"],
  ]);
  const other = event("v1.UserInvited", [["email", "String"]]);
  const order = eventsFor([other, created, renamed], prefill(todo, ["a", "milk", 7, "[]", "body"]));
  assert.deepEqual(
    order.map(({ name }) => name),
    ["v1.TodoRenamed", "v1.TodoCreated", "v1.UserInvited"],
  );
});
