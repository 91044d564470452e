import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/connection/client.ts";
import type { TransportEvents } from "../src/connection/transport.ts";
import { NO_FILTER } from "../src/panels/log/model.ts";
import { FoundEvents } from "../src/panels/log/found-events.ts";
import { MockHost } from "../mock/host.ts";
import { MockLog } from "../mock/log.ts";

/** A client of the mock host, in the same process. */
async function connected() {
  const log = new MockLog();
  let host: MockHost;
  const client = new Client(
    {
      name: "mock",
      open: (events: TransportEvents) => {
        host = new MockHost(log, (message) => events.onMessage(message));
        queueMicrotask(() => events.onOpen());
        return { send: (call) => void host.receive(call), close: () => {} };
      },
    },
    [],
  );
  client.connect();
  await until(() => client.state.value.is === "connected");
  return { client, log };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("it did not happen");
}

test("a search finds the newest events first, and goes on from where it was", async () => {
  const { client } = await connected();
  const found = new FoundEvents(client);
  found.start({ ...NO_FILTER, names: ["v1.CommentAdded"] }, null);
  await until(() => found.events.value.length >= 200 && !found.isSearching.value);
  assert.equal(found.events.value[0]?.seq, "e1000000");
  await found.searchBack(450);
  const seqs = found.events.value.map(({ seq }) => seq);
  assert.equal(new Set(seqs).size, seqs.length, "an event was found twice");
  assert.equal(seqs[449], `e${1_000_000 - 449 * 4}`);
});

test("pages in which nothing is found do not end the search", async () => {
  const { client } = await connected();
  const found = new FoundEvents(client);
  found.start({ ...NO_FILTER, text: '"com_55v4"' }, null);
  await until(() => found.events.value.length > 0);
  assert.ok(found.events.value[0]?.args.includes("com_55v4"));
  found.close();
});

test("what is committed since is added at the front, once", async () => {
  const { client, log } = await connected();
  const found = new FoundEvents(client);
  found.start({ ...NO_FILTER, kind: "pending" }, null);
  await until(() => found.searchedTo.value !== null);
  const before = found.events.value.length;
  log.commit([{ name: "v1.IssueRenamed", args: { id: "x", title: "y" } }], "s", false);
  await found.readNewer();
  await found.readNewer();
  assert.equal(found.events.value.length, before + 1);
  assert.equal(found.events.value[0]?.seq, "e1000001");
  found.close();
});
