import { type ReadonlySignal, computed, signal } from "@preact/signals";
import type { Client } from "../connection/client.ts";
import type { Ability, Activity, Hello, LogTail, SchemaInfo, Status, TableInfo } from "../protocol.ts";

const MOST_ACTIVITIES = 1_000;

/** What the host says of the store by itself, and what every panel needs. */
export class StoreModel {
  readonly client: Client;
  readonly hello = signal<Hello | null>(null);
  readonly schema = signal<SchemaInfo>({ tables: [], events: [] });
  readonly status = signal<Status | null>(null);
  readonly tail = signal<LogTail>({ head: "e0", total: 0, rebases: 0 });
  /** The newest first. */
  readonly activities = signal<Activity[]>([]);
  readonly isConnected: ReadonlySignal<boolean>;
  /** Counts the connections: what was read over an earlier one may be old. */
  readonly connections = signal(0);

  constructor(client: Client) {
    this.client = client;
    this.isConnected = computed(() => client.state.value.is === "connected");
    client.on("status", (status) => {
      this.status.value = status;
    });
    client.on("log", (tail) => {
      this.tail.value = tail;
    });
    client.on("activity", (news) => {
      this.activities.value = [...news.toReversed(), ...this.activities.value].slice(0, MOST_ACTIVITIES);
    });
    client.state.subscribe((state) => {
      if (state.is !== "connected") return;
      this.hello.value = state.hello;
      this.connections.value += 1;
      void this.readSchema();
    });
  }

  can(ability: Ability): boolean {
    return this.hello.value?.can.includes(ability) ?? false;
  }

  table(name: string): TableInfo | undefined {
    return this.schema.value.tables.find((table) => table.name === name);
  }

  async readSchema(): Promise<void> {
    try {
      this.schema.value = await this.client.call("schema", {});
    } catch {
      // The host has gone; the schema is read again when it is back.
    }
  }
}
