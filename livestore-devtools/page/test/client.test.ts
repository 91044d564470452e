import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError, Client } from "../src/connection/client.ts";
import type { CloseReason, Door, Transport, TransportEvents } from "../src/connection/transport.ts";
import type { Answer, Call, Hello } from "../src/protocol.ts";

const HELLO: Hello = {
  version: 2,
  livestore: "0.2.0",
  schema: "Todo",
  storeId: "todos",
  clientId: "c1",
  sessionId: "s1",
  devtoolsSessionId: "d1",
  can: [],
};

/** A host that answers the greeting, and nothing else by itself. */
class FakeDoor implements Door {
  readonly name = "fake";
  readonly calls: Call[] = [];
  opened = 0;
  hello: Hello = HELLO;
  events!: TransportEvents;

  open(events: TransportEvents): Transport {
    this.opened += 1;
    this.events = events;
    queueMicrotask(() => events.onOpen());
    return {
      send: (call) => {
        this.calls.push(call);
        if (call.method === "hello") queueMicrotask(() => events.onMessage({ id: call.id, result: this.hello }));
        if (call.method === "subscribe") queueMicrotask(() => events.onMessage({ id: call.id, result: {} }));
      },
      close: () => {},
    };
  }

  answer(answer: Answer): void {
    this.events.onMessage(answer);
  }

  close(reason: CloseReason): void {
    this.events.onClose(reason);
  }

  last(method: string): Call {
    const call = this.calls.findLast((candidate) => candidate.method === method);
    assert.ok(call, `no call of ${method}`);
    return call;
  }
}

async function connected(): Promise<{ door: FakeDoor; client: Client }> {
  const door = new FakeDoor();
  const client = new Client(door, ["status", "log"]);
  client.connect();
  await until(() => client.state.value.is === "connected");
  return { door, client };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("it did not happen");
}

test("it greets, subscribes, and is connected", async () => {
  const { door } = await connected();
  assert.deepEqual(
    door.calls.map((call) => call.method),
    ["hello", "subscribe"],
  );
  assert.deepEqual(door.last("subscribe").params, { topics: ["status", "log"] });
});

test("answers find their calls, in any order", async () => {
  const { door, client } = await connected();
  const first = client.call("schema", {});
  const firstId = door.last("schema").id;
  const second = client.call("sizes", {});
  door.answer({ id: door.last("sizes").id, result: { events: [], stateBytes: 2 } });
  door.answer({ id: firstId, result: { tables: [], events: [] } });
  assert.deepEqual(await first, { tables: [], events: [] });
  assert.deepEqual(await second, { events: [], stateBytes: 2 });
});

test("a refusal is an error with the host's words", async () => {
  const { door, client } = await connected();
  const call = client.call("sql", { source: "now", sql: "DELETE FROM todo", limit: 1 });
  door.answer({ id: door.last("sql").id, error: { code: "sql", message: "the statement writes" } });
  await assert.rejects(call, (error: CallError) => error.code === "sql" && error.message === "the statement writes");
});

test("a call that is cancelled fails at once, tells the host, and its late answer does nothing", async () => {
  const { door, client } = await connected();
  const abort = new AbortController();
  const call = client.call("sizes", {}, abort.signal);
  const { id } = door.last("sizes");
  abort.abort();
  await assert.rejects(call, (error: CallError) => error.code === "cancelled");
  assert.deepEqual(door.last("cancel").params, { call: id });
  door.answer({ id, result: { events: [], stateBytes: 1 } });
});

test("a call that was cancelled before it began is not sent", async () => {
  const { door, client } = await connected();
  await assert.rejects(client.call("sizes", {}, AbortSignal.abort()));
  assert.ok(!door.calls.some((call) => call.method === "sizes"));
});

test("when the host goes, its calls fail; the client connects and subscribes again", async () => {
  const { door, client } = await connected();
  const call = client.call("sizes", {});
  door.close("gone");
  await assert.rejects(call, (error: CallError) => error.code === "disconnected");
  assert.equal(client.state.value.is, "waiting");
  await assert.rejects(client.call("schema", {}), (error: CallError) => error.code === "disconnected");
  await until(() => client.state.value.is === "connected");
  assert.equal(door.opened, 2);
  assert.equal(door.calls.filter((each) => each.method === "subscribe").length, 2);
});

test("a token that is refused ends it", async () => {
  const { door, client } = await connected();
  door.close("badToken");
  const state = client.state.value;
  assert.ok(state.is === "refused" && state.because === "badToken");
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(door.opened, 1, "it tried again");
});

test("a host of another version ends it", async () => {
  const door = new FakeDoor();
  door.hello = { ...HELLO, version: HELLO.version + 1 };
  const client = new Client(door, ["status"]);
  client.connect();
  await until(() => client.state.value.is === "refused");
  const state = client.state.value;
  assert.ok(state.is === "refused" && state.because === "otherVersion");
});

test("notifications reach those who listen, until they no longer do", async () => {
  const { door, client } = await connected();
  const heads: string[] = [];
  const end = client.on("log", (tail) => heads.push(tail.head));
  door.events.onMessage({ topic: "log", data: { head: "e1", total: 1, rebases: 0 } });
  end();
  door.events.onMessage({ topic: "log", data: { head: "e2", total: 2, rebases: 0 } });
  assert.deepEqual(heads, ["e1"]);
});
