import {
  type Answer,
  type Call,
  type EventDetails,
  type EventRow,
  type EventsPage,
  type Json,
  type Method,
  type Notification,
  type Params,
  type RefusalCode,
  type Result,
  type RowChange,
  type Source,
  type StateDiff,
  type Topic,
  VERSION,
} from "../src/protocol.ts";
import { isSameCell } from "../src/lib/format.ts";
import {
  BASE_EVENTS,
  baseEvent,
  baseChanges,
  baseIndex,
  baseRow,
  changesOf,
  columnsOf,
  isKnownEvent,
  schema,
} from "./domain.ts";
import { passes } from "./filter.ts";
import { liveGraph, performanceOf, sizes } from "./live.ts";
import { MockLog, seqOf } from "./log.ts";
import { TableView } from "./state.ts";

class Refused extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
  ) {
    super(message);
  }
}

interface Fork {
  position: number;
  seqs: string[];
  events: { name: string; args: { [key: string]: Json }; changes: RowChange[] }[];
  changes: RowChange[];
}

type Handlers = { [M in Method]: (params: Params<M>, isCancelled: () => boolean) => Result<M> | Promise<Result<M>> };

/** A host of the issue tracker, for one page. */
export class MockHost {
  readonly #log: MockLog;
  readonly #send: (message: Answer | Notification) => void;
  readonly #forks = new Map<number, Fork>();
  readonly #cancelled = new Set<number>();
  #topics: Topic[] = [];
  #lastFork = 0;
  #commits = 0;

  constructor(log: MockLog, send: (message: Answer | Notification) => void) {
    this.#log = log;
    this.#send = send;
  }

  publish(notification: Notification): void {
    if (notification.topic === "activity") this.#commits += 1;
    if (this.#topics.includes(notification.topic)) this.#send(notification);
  }

  async receive({ id, method, params }: Call): Promise<void> {
    try {
      const handler = this.#handlers[method] as ((params: unknown, isCancelled: () => boolean) => unknown) | undefined;
      if (!handler) throw new Refused("badCall", `there is no method \`${method}\``);
      const result = await handler(params, () => this.#cancelled.has(id));
      this.#send(
        this.#cancelled.has(id)
          ? { id, error: { code: "cancelled", message: "the call was cancelled" } }
          : { id, result },
      );
    } catch (error) {
      const code = error instanceof Refused ? error.code : "store";
      this.#send({ id, error: { code, message: String((error as Error).message) } });
    }
  }

  readonly #handlers: Handlers = {
    hello: ({ version }) => {
      if (version !== VERSION)
        throw new Refused("otherVersion", `the page speaks version ${version} of the protocol, the host ${VERSION}`);
      return {
        version: VERSION,
        livestore: "0.2.0 (mock)",
        schema: "IssueTracker",
        storeId: "issues-of-the-web-team",
        clientId: "c_Zr81kQ",
        sessionId: "s7Kq",
        devtoolsSessionId: "devtools-1",
        can: ["timeTravel", "commit", "live", "sync"],
      };
    },
    subscribe: ({ topics }) => {
      this.#topics = topics;
      queueMicrotask(() => {
        this.publish({ topic: "status", data: this.#log.status });
        this.publish({ topic: "log", data: this.tail() });
      });
      return {};
    },
    cancel: ({ call }) => {
      this.#cancelled.add(call);
      return {};
    },
    schema: () => schema((table) => this.#log.view(table, this.#log.total).count),
    rows: ({ source, table, sort, filter, offset, limit }) => {
      if (!columnsOf(table)) throw new Refused("notFound", `there is no table \`${table}\``);
      const view = this.#view(source, table);
      return { columns: view.columns, ...view.select(sort, filter, offset, limit), seq: this.#seqOf(source) };
    },
    rowPlace: ({ source, table, sort, filter, key }) => {
      const view = this.#view(source, table);
      const { rows } = view.select(sort, filter, 0, view.count);
      const offset = rows.findIndex((row) => isSameCell(row[0], key[0] ?? null));
      return { offset: offset < 0 ? null : offset, seq: this.#seqOf(source) };
    },
    rowHistory: async ({ table, key }) => {
      await sleep(400);
      const changes = [];
      for (const [index, event] of this.#log.recent.entries()) {
        for (const change of event.changes) {
          if (change.table !== table || !isSameCell((change.before ?? change.after)?.[0], key[0])) continue;
          changes.push({ event: this.#log.row(BASE_EVENTS + index), before: change.before, after: change.after });
        }
      }
      const view = this.#log.view(table, BASE_EVENTS);
      for (let index = 0; table === "issue" && index < view.count; index += 1) {
        const created = index * 4 + 1;
        if (!isSameCell(baseRow(table, index, created)[0], key[0])) continue;
        const states = [created, created + 1, created + 2].map((n) => baseRow(table, index, n));
        changes.unshift(
          ...states.map((after, step) => ({
            event: this.#log.row(created + step - 1),
            before: states[step - 1] ?? null,
            after,
          })),
        );
        break;
      }
      return { columns: columnsOf(table) ?? [], changes, total: changes.length };
    },
    diff: ({ from, to, limit }) => this.#diff(from, to, limit),
    sql: async ({ source, sql, limit }, isCancelled) => {
      if (/^\s*(insert|update|delete|drop)/i.test(sql))
        throw new Refused("sql", "the statement writes; commit an event instead");
      if (sql.startsWith("WITH RECURSIVE pieces")) return pieces(sql, this.#seqOf(source));
      if (source !== "now" && "fork" in source) this.#fork(source.fork);
      if (/recursive/i.test(sql)) {
        while (!isCancelled()) await sleep(50);
      }
      const table = /from\s+"?(\w+)"?/i.exec(sql)?.[1] ?? "";
      if (!columnsOf(table)) throw new Refused("sql", `no such table: ${table}`);
      const view = this.#view(source, table);
      const { rows, total } = view.select([], [], 0, limit);
      const plan = [
        { depth: 0, detail: `SCAN ${table} USING INDEX ${table}_by_created_at` },
        { depth: 0, detail: "CORRELATED SCALAR SUBQUERY 1" },
        { depth: 1, detail: "SEARCH comment USING INDEX comment_by_issue (issue_id=?)" },
        { depth: 0, detail: "USE TEMP B-TREE FOR ORDER BY" },
      ];
      return { columns: view.columns, rows, truncated: total > limit, micros: 1_830, plan, seq: this.#seqOf(source) };
    },
    events: (params) => this.#events(params),
    event: ({ fork, seq }) => this.#event(seq, fork),
    commit: ({ fork, name, args }) => ({ seqs: this.#commit(fork, [{ name, args: args as { [key: string]: Json } }]) }),
    asTest: ({ to, table }) => ({
      code: `#[test]\nfn what_happens_up_to_${to}() {\n    let store = livestore_testing::store::<IssueTracker>();\n    store.commit(IssueEvent::Created {\n        id: "iss_0".into(),\n        title: "Fix search".into(),\n    });\n    assert_eq!(store.query(${table ?? "Issue"}::all()), vec![]);\n}\n`,
    }),
    fork: ({ at }) => {
      const position = at === null ? this.#log.total : this.#log.position(at);
      if (position === null) throw new Refused("notFound", `there is no event ${at}`);
      this.#forks.set(++this.#lastFork, { position, seqs: [], events: [], changes: [] });
      return { fork: this.#lastFork, seq: at ?? this.#log.head };
    },
    dropFork: ({ fork }) => {
      this.#forks.delete(fork);
      return {};
    },
    live: () => liveGraph(this.#commits),
    sync: ({ action }) => {
      const log = this.#log;
      if (action === "pause") log.setNetwork("paused", null, null);
      else if (action === "resume" || action === "reconnect") log.setNetwork("online", null, null);
      else if (action === "drop") log.drop();
      else {
        log.delay = action.delay;
        log.onChange({ status: true });
      }
      return {};
    },
    performance: () => performanceOf(this.#commits),
    sizes: async () => {
      await sleep(300);
      return sizes();
    },
    exportEvents: ({ after }) => {
      const start = after ? (this.#log.position(after) ?? 0) : 0;
      const end = Math.min(start + 5_000, this.#log.total);
      const rows = Array.from({ length: end - start }, (_, index) => this.#log.row(start + index));
      return { lines: rows.map((row) => JSON.stringify(row)), last: rows.at(-1)?.seq ?? null };
    },
    exportState: ({ offset }) => {
      const total = 300_000;
      const size = Math.min(100_000, total - offset);
      return { base64: btoa("\0".repeat(size)), total };
    },
    importEvents: ({ fork, lines }) => ({
      seqs: this.#commit(
        fork,
        lines.map((line) => JSON.parse(line) as { name: string; args: { [key: string]: Json } }),
      ),
    }),
  };

  tail() {
    return { head: this.#log.head, total: this.#log.total, rebases: this.#log.rebases };
  }

  #commit(fork: number | null, events: { name: string; args: { [key: string]: Json } }[]): string[] {
    for (const { name } of events) {
      if (!isKnownEvent(name)) throw new Refused("commit", `the schema has no event \`${name}\``);
    }
    if (fork === null) return this.#log.commit(events, "devtools-1", events[0]?.name === "UiStateSet").map(seqOf);
    const at = this.#fork(fork);
    return events.map((event) => {
      const number = at.position + at.seqs.length + 1;
      const changes = changesOf(event, number, (table, key) => this.#view({ fork }, table).find(key));
      at.changes.push(...changes);
      at.events.push({ ...event, changes });
      at.seqs.push(`e${number}`);
      return `e${number}`;
    });
  }

  #fork(fork: number): Fork {
    const found = this.#forks.get(fork);
    if (!found) throw new Refused("notFound", `there is no fork ${fork}`);
    return found;
  }

  #position(source: Source): number {
    if (source === "now") return this.#log.total;
    if ("fork" in source) return this.#fork(source.fork).position;
    const position = this.#log.position(source.at);
    if (position === null) throw new Refused("notFound", `there is no event ${source.at}`);
    return position;
  }

  #seqOf(source: Source): string {
    if (source === "now") return this.#log.head;
    return "at" in source ? source.at : (this.#fork(source.fork).seqs.at(-1) ?? "e1");
  }

  #view(source: Source, table: string): TableView {
    const position = this.#position(source);
    if (source !== "now" && "fork" in source) {
      const recent = this.#log.recent.slice(0, Math.max(0, position - BASE_EVENTS)).flatMap(({ changes }) => changes);
      return new TableView(table, Math.min(position, BASE_EVENTS), [...recent, ...this.#fork(source.fork).changes]);
    }
    return this.#log.view(table, position);
  }

  #events(params: Params<"events">): EventsPage {
    const fork = params.fork === null ? null : this.#fork(params.fork);
    const total = fork ? fork.position + fork.events.length : this.#log.total;
    const { limit, filter } = params;
    const isFiltered =
      filter !== undefined &&
      JSON.stringify(filter) !== JSON.stringify({ names: [], client: "", session: "", text: "", kind: null });
    const forward = params.index !== undefined || params.after !== undefined;
    let at =
      params.index ??
      (params.after
        ? (this.#place(params.after, fork) ?? total)
        : params.before
          ? (this.#place(params.before, fork) ?? 0) - 2
          : total - 1);
    const first = at;
    const events: EventRow[] = [];
    let scanned = 0;
    let last: string | null = null;
    while (at >= 0 && at < total && events.length < limit && scanned < 20_000) {
      const row = this.#row(at, fork);
      if (!isFiltered || passes(row, filter)) events.push(row);
      last = row.seq;
      scanned += 1;
      at += forward ? 1 : -1;
    }
    if (!forward) events.reverse();
    return {
      events,
      index: isFiltered ? null : forward ? first : at + 1,
      total,
      more: forward ? at < total : at >= 0,
      scanned: last,
    };
  }

  /** An event of the log, or of a fork. */
  #row(index: number, fork: Fork | null): EventRow {
    const event = fork?.events[index - fork.position];
    if (!fork || !event) return this.#log.row(index);
    const args = JSON.stringify(event.args);
    const who = { clientId: "c_Zr81kQ", sessionId: "devtools~1" };
    return {
      seq: `e${index + 1}`,
      name: event.name,
      args: args.slice(0, 300),
      argsLength: args.length,
      ...who,
      kind: "confirmed",
      continues: false,
    };
  }

  #place(seq: string, fork: Fork | null): number | null {
    const inFork = fork ? fork.seqs.indexOf(seq) : -1;
    return fork && inFork >= 0 ? fork.position + inFork + 1 : this.#log.position(seq);
  }

  #event(seq: string, forkId: number | null): EventDetails {
    const fork = forkId === null ? null : this.#fork(forkId);
    const inFork = fork?.events[fork.seqs.indexOf(seq)];
    if (fork && inFork) {
      const event = this.#row(fork.position + fork.seqs.indexOf(seq), fork);
      const { args, changes } = inFork;
      const parent = fork.seqs[fork.seqs.indexOf(seq) - 1] ?? `e${fork.position}`;
      return {
        event,
        args,
        parent,
        generation: 0,
        schemaHash: "b41f0c9a7d2e5588",
        syncMetadata: null,
        commit: [seq],
        quarantined: null,
        changes,
      };
    }
    const position = this.#log.position(seq);
    if (position === null || position === 0) throw new Refused("notFound", `there is no event ${seq}`);
    const index = position - 1;
    const recent = this.#log.recent[index - BASE_EVENTS];
    const mates = [seq];
    for (let at = index; this.#log.row(at).continues; at -= 1) mates.unshift(this.#log.row(at - 1).seq);
    for (let at = index + 1; at < this.#log.total && this.#log.row(at).continues; at += 1)
      mates.push(this.#log.row(at).seq);
    return {
      event: this.#log.row(index),
      args: recent?.args ?? baseEvent(position).args,
      parent: index === 0 ? "e0" : this.#log.row(index - 1).seq,
      generation: recent?.generation ?? 0,
      schemaHash: "b41f0c9a7d2e5588",
      syncMetadata: recent?.kind === "pending" ? null : { createdAt: "2026-11-27T09:12:44.120Z" },
      commit: mates,
      quarantined: recent?.quarantined ?? null,
      changes: recent?.changes ?? baseChanges(position),
    };
  }

  #diff(from: Source, to: Source, limit: number): StateDiff {
    const tables = [];
    for (const table of ["issue", "comment", "audit"]) {
      const left = this.#view(from, table);
      const right = this.#view(to, table);
      const rows: RowChange[] = [];
      // The last rows, and those that events after the base have changed.
      const last = Array.from(
        { length: Math.max(0, right.count - left.count) + 2 },
        (_, n) => right.row(left.count - 2 + n)?.[0] ?? null,
      );
      for (const key of new Set([...right.changedKeys, ...last].filter((key) => key !== null)).values()) {
        const [before, after] = [left.find(key), right.find(key)];
        if (JSON.stringify(before) !== JSON.stringify(after) && rows.length < limit)
          rows.push({ table, before, after });
      }
      const changed = rows.filter((row) => row.before && row.after).length;
      const added = Math.max(0, right.count - left.count);
      if (rows.length > 0) tables.push({ table, columns: left.columns, added, removed: 0, changed, rows });
    }
    return { tables };
  }
}

/** The body of a comment, as the page asks for what is too long for a row. */
function pieces(sql: string, seq: string): Result<"sql"> {
  const index = baseIndex("comment", /IS '(com_\w+)'/.exec(sql)?.[1] ?? "") ?? 0;
  const body = String(baseEvent(index * 4 + 4).args["body"]);
  return {
    columns: ["piece"],
    rows: [[body.slice(0, 500)], [body.slice(500)]],
    truncated: false,
    micros: 90,
    plan: [],
    seq,
  };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
