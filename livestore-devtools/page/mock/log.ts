import type { Activity, ActivityKind, EventKind, EventRow, Network, RowChange, Status } from "../src/protocol.ts";
import { BASE_EVENTS, type MockEvent, baseEvent, changesOf, randomEvent } from "./domain.ts";
import { TableView } from "./state.ts";

/** An event behind the base events. */
export interface Recent extends MockEvent {
  global: number;
  client: number;
  generation: number;
  kind: EventKind;
  clientId: string;
  sessionId: string;
  continues: boolean;
  changes: RowChange[];
  quarantined: string | null;
}

export const seqOf = (event: Recent): string =>
  `e${event.global}${event.client ? `.${event.client}` : ""}${event.generation ? `r${event.generation}` : ""}`;

/** A log of which the end grows, is pushed, and is rebased, as in an app that is used. */
export class MockLog {
  recent: Recent[] = [];
  rebases = 0;
  network: Network = "online";
  reason: string | null = null;
  nextAttempt: number | null = null;
  delay = 0;
  onChange: (topics: { log?: boolean; status?: boolean }) => void = () => {};
  onActivity: (activity: Activity) => void = () => {};
  readonly #timers: ReturnType<typeof setInterval>[] = [];

  start(): void {
    this.#timers.push(setInterval(() => this.commit([randomEvent()], "s7Kq", false), 2_600));
    this.#timers.push(setInterval(() => this.push(), 1_900));
    this.#timers.push(setInterval(() => this.pull(), 4_700));
    this.#timers.push(setInterval(() => this.flicker(), 45_000));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  get total(): number {
    return BASE_EVENTS + this.recent.length;
  }

  get head(): string {
    const last = this.recent.at(-1);
    return last ? seqOf(last) : `e${BASE_EVENTS}`;
  }

  get status(): Status {
    const confirmed = this.recent.findLast((event) => event.kind === "confirmed");
    return {
      localHead: this.head,
      upstreamHead: confirmed ? seqOf(confirmed) : `e${BASE_EVENTS}`,
      pending: this.#pending().length,
      refused: 0,
      network: this.network,
      reason: this.reason,
      nextAttempt: this.nextAttempt,
      delay: this.delay,
      sessions: [
        { id: "s7Kq", leads: true },
        { id: "settings~4f90d13a42cafe0b1e7c2", leads: false },
        { id: "main~b2k8Qm1x0PzLw7Yt3Ra5s", leads: false },
      ],
      folder: null,
    };
  }

  /** The number of events up to this one. */
  position(seq: string): number | null {
    if (seq === "e0") return 0;
    const index = this.recent.findIndex((event) => seqOf(event) === seq);
    if (index >= 0) return BASE_EVENTS + index + 1;
    const found = /^e(\d+)$/.exec(seq);
    const number = found ? Number(found[1]) : Number.NaN;
    return number >= 1 && number <= BASE_EVENTS ? number : null;
  }

  row(index: number): EventRow {
    const event = this.recent[index - BASE_EVENTS];
    const { name, args } = event ?? baseEvent(index + 1);
    const json = JSON.stringify(args);
    return {
      seq: event ? seqOf(event) : `e${index + 1}`,
      name,
      args: json.slice(0, 300),
      argsLength: json.length,
      clientId: event?.clientId ?? ["c_Zr81kQ", "c_9mLw2a", "c_Tq03fd"][index % 3] ?? "",
      sessionId: event?.sessionId ?? ["s1aB", "s4xY", "s9pQ"][index % 3] ?? "",
      kind: event?.kind ?? "confirmed",
      continues: event?.continues ?? index % 12 === 5,
    };
  }

  commit(events: MockEvent[], sessionId: string, clientOnly: boolean): Recent[] {
    const committed = events.map((event, index) => {
      const last = this.recent.at(-1);
      const before = { global: last?.global ?? BASE_EVENTS, client: last?.client ?? 0 };
      const place = clientOnly
        ? { global: before.global, client: before.client + 1 }
        : { global: before.global + 1, client: 0 };
      const recent: Recent = {
        ...event,
        ...place,
        generation: last?.kind === "pending" ? last.generation : 0,
        kind: clientOnly ? "clientOnly" : "pending",
        clientId: "c_Zr81kQ",
        sessionId,
        continues: index > 0,
        changes: changesOf(event, this.total + 1, (table, key) => this.view(table, this.total).find(key)),
        quarantined: null,
      };
      this.recent.push(recent);
      return recent;
    });
    this.#did({
      kind: "committed",
      seqs: committed.map(seqOf),
      names: events.map(({ name }) => name),
      micros: 40 + Math.random() * 400,
    });
    this.onChange({ log: true, status: true });
    return committed;
  }

  view(table: string, position: number): TableView {
    const changes = this.recent.slice(0, Math.max(0, position - BASE_EVENTS)).flatMap((event) => event.changes);
    return new TableView(table, Math.min(position, BASE_EVENTS), changes);
  }

  push(): void {
    const pending = this.#pending();
    const first = pending[0];
    if (this.network !== "online" || !first) return;
    this.#did({ kind: "pushed", first: seqOf(first), count: pending.length });
    setTimeout(() => {
      for (const event of pending) if (event.kind === "pending") event.kind = "confirmed";
      const last = pending.at(-1);
      if (last) this.#did({ kind: "acknowledged", last: seqOf(last) });
      this.onChange({ log: true, status: true });
    }, 200 + this.delay);
  }

  pull(): void {
    if (this.network !== "online") return;
    const pending = this.#pending();
    const at = this.recent.length - pending.length;
    const last = this.recent[at - 1];
    const event = randomEvent();
    const pulled: Recent = {
      ...event,
      global: (last?.global ?? BASE_EVENTS) + 1,
      client: 0,
      generation: 0,
      kind: "confirmed",
      clientId: "c_9mLw2a",
      sessionId: "s4xY",
      continues: false,
      changes: changesOf(event, BASE_EVENTS + at + 1, (table, key) => this.view(table, BASE_EVENTS + at).find(key)),
      quarantined: null,
    };
    const undone = pending.map(seqOf);
    this.recent.splice(at, 0, pulled);
    this.#did({ kind: "pulled", first: seqOf(pulled), count: 1, micros: 300 });
    if (pending.length > 0) {
      this.rebases += 1;
      for (const each of pending) {
        each.global += 1;
        each.generation += 1;
      }
      this.#did({ kind: "rebased", undone, redone: pending.map(seqOf), upstream: 1, micros: 900 });
    }
    this.onChange({ log: true, status: true });
  }

  setNetwork(network: Network, reason: string | null, retryMs: number | null): void {
    this.network = network;
    this.reason = reason;
    this.nextAttempt = retryMs === null ? null : Date.now() + retryMs;
    this.#did({ kind: "network", network, reason });
    this.onChange({ status: true });
  }

  drop(): void {
    this.setNetwork("offline", "the connection was dropped from the devtools", 5_000);
    setTimeout(() => this.network === "offline" && this.setNetwork("online", null, null), 5_000);
  }

  flicker(): void {
    if (this.network !== "online") return;
    this.setNetwork("offline", "connection reset by peer (os error 104)", 4_000);
    setTimeout(() => this.network === "offline" && this.setNetwork("online", null, null), 4_000);
  }

  #pending(): Recent[] {
    return this.recent.filter((event) => event.kind === "pending");
  }

  #did(what: ActivityKind): void {
    this.onActivity({ time: Date.now(), ...what });
  }
}
