import { type ReadonlySignal, batch, computed, effect, signal } from "@preact/signals";
import { CallError } from "../connection/client.ts";
import { ROOT, isSamePlace } from "../lib/seq.ts";
import type { EventRow, Source } from "../protocol.ts";
import type { StoreModel } from "./store.ts";

/** A store in memory that has the events up to some event, and those committed into it. */
export interface ForkState {
  id: number;
  base: string;
  /** The number of events up to the base. */
  position: number;
  /** The events that were committed into it. */
  seqs: string[];
}

/** The state that one looks at. */
export type Chosen =
  { kind: "now" } | { kind: "past"; seq: string; position: number } | { kind: "fork"; fork: ForkState };

const PAGE = 200;

/** The place in time that Data, SQL and Time travel show. */
export class SourceModel {
  readonly chosen = signal<Chosen>({ kind: "now" });
  readonly forks = signal<ForkState[]>([]);
  /** The number of events up to the place that one wants to see; `chosen` follows. */
  readonly position: ReadonlySignal<number>;
  readonly wire: ReadonlySignal<Source>;
  /** The fork that one is in; `null`: the store itself. */
  readonly forkId: ReadonlySignal<number | null>;
  /** Another one means that the state may be another one. */
  readonly revision: ReadonlySignal<string>;

  readonly #store: StoreModel;
  readonly #wanted = signal<number | null>(null);
  readonly #pages = new Map<number, EventRow[]>();
  #isResolving = false;

  /** Called with the number of forks that are gone, because their host is. */
  onForksLost: (count: number) => void = () => {};

  constructor(store: StoreModel) {
    this.#store = store;
    this.wire = computed(() => toWire(this.chosen.value));
    this.forkId = computed(() => (this.chosen.value.kind === "fork" ? this.chosen.value.fork.id : null));
    this.position = computed(() => {
      if (this.#wanted.value !== null) return this.#wanted.value;
      const chosen = this.chosen.value;
      if (chosen.kind === "past") return chosen.position;
      return chosen.kind === "fork" ? chosen.fork.position : store.tail.value.total;
    });
    this.revision = computed(() => {
      const chosen = this.chosen.value;
      const connection = store.connections.value;
      if (chosen.kind === "past") return `${connection} at ${chosen.seq}`;
      if (chosen.kind === "fork") return `${connection} fork ${chosen.fork.id} ${chosen.fork.seqs.length}`;
      const { head, rebases, total } = store.tail.value;
      return `${connection} now ${head} ${rebases} ${total}`;
    });
    // Numbers of events change with a rebase.
    effect(() => {
      void store.tail.value.rebases;
      void store.connections.value;
      this.#pages.clear();
    });
    effect(() => {
      if (store.connections.value > 1) void this.#checkForks();
    });
  }

  now(): void {
    batch(() => {
      this.#wanted.value = null;
      this.chosen.value = { kind: "now" };
    });
  }

  /** Shows the state after so many events. */
  goTo(position: number): void {
    this.#wanted.value = Math.min(Math.max(0, Math.round(position)), this.#store.tail.value.total);
    if (!this.#isResolving) void this.#resolve();
  }

  step(by: number): void {
    this.goTo(this.position.peek() + by);
  }

  /** Shows the state after this event. */
  async goToSeq(seq: string): Promise<void> {
    this.#wanted.value = null;
    const position = await this.positionOf(seq);
    this.chosen.value = { kind: "past", seq: await this.#presentSeq(seq, position), position };
  }

  /** The number that the event at this place has now: a rebase may have given it another generation. */
  async #presentSeq(seq: string, position: number): Promise<string> {
    if (position === 0) return ROOT;
    const [event] = (await this.#store.client.call("events", { fork: null, index: position - 1, limit: 1 })).events;
    if (!event || !isSamePlace(event.seq, seq)) throw new Error(`the log has no event ${seq}`);
    return event.seq;
  }

  /** The number of events up to this one, in the store or a fork. */
  async positionOf(seq: string, fork: number | null = null): Promise<number> {
    if (seq === ROOT) return 0;
    const before = await this.#store.client.call("events", { fork, before: seq, limit: 1 });
    return before.index === null || before.events.length === 0 ? 1 : before.index + before.events.length + 1;
  }

  async fork(at: string | null): Promise<void> {
    const { fork: id, seq } = await this.#store.client.call("fork", { at });
    const fork = { id, base: seq, position: await this.positionOf(seq), seqs: [] };
    batch(() => {
      this.forks.value = [...this.forks.value, fork];
      this.enter(fork);
    });
  }

  enter(fork: ForkState): void {
    batch(() => {
      this.#wanted.value = null;
      this.chosen.value = { kind: "fork", fork };
    });
  }

  committedInto(id: number, seqs: string[]): void {
    const changed = this.forks.value.map((fork) =>
      fork.id === id ? { ...fork, seqs: [...fork.seqs, ...seqs] } : fork,
    );
    batch(() => {
      this.forks.value = changed;
      const chosen = this.chosen.value;
      const same = chosen.kind === "fork" && changed.find((fork) => fork.id === chosen.fork.id);
      if (same) this.chosen.value = { kind: "fork", fork: same };
    });
  }

  async drop(id: number): Promise<void> {
    await this.#store.client.call("dropFork", { fork: id });
    batch(() => {
      this.forks.value = this.forks.value.filter((fork) => fork.id !== id);
      const chosen = this.chosen.value;
      if (chosen.kind === "fork" && chosen.fork.id === id) this.now();
    });
  }

  /** Only the newest wish counts: what was wished for meanwhile is skipped. */
  async #resolve(): Promise<void> {
    this.#isResolving = true;
    try {
      for (let wanted = this.#wanted.value; wanted !== null;) {
        const seq = await this.#seqAt(wanted);
        const newest = this.#wanted.value;
        if (seq !== null && newest !== null) {
          batch(() => {
            this.chosen.value = { kind: "past", seq, position: wanted as number };
            if (newest === wanted) this.#wanted.value = null;
          });
        }
        wanted = newest === wanted || seq === null ? null : newest;
      }
    } catch {
      this.#wanted.value = null;
    } finally {
      this.#isResolving = false;
    }
  }

  async #seqAt(position: number): Promise<string | null> {
    if (position === 0) return ROOT;
    const index = position - 1;
    const page = Math.floor(index / PAGE);
    const known = this.#pages.get(page)?.[index % PAGE];
    if (known) return known.seq;
    const { events } = await this.#store.client.call("events", { fork: null, index: page * PAGE, limit: PAGE });
    this.#pages.set(page, events);
    return events[index % PAGE]?.seq ?? null;
  }

  /** Forks live in the host: one that started again has none of them. */
  async #checkForks(): Promise<void> {
    const forks = this.forks.peek();
    const isThere = async ({ id }: ForkState) => {
      try {
        await this.#store.client.call("sql", { source: { fork: id }, sql: "SELECT 1", limit: 1 });
        return true;
      } catch (error) {
        return !(error instanceof CallError && error.code === "notFound");
      }
    };
    const answers = await Promise.all(forks.map(isThere));
    const lost = forks.filter((_, index) => !answers[index]);
    if (lost.length === 0) return;
    this.onForksLost(lost.length);
    const isLost = (id: number) => lost.some((fork) => fork.id === id);
    batch(() => {
      this.forks.value = this.forks.peek().filter(({ id }) => !isLost(id));
      const chosen = this.chosen.peek();
      if (chosen.kind === "fork" && isLost(chosen.fork.id)) this.now();
    });
  }
}

function toWire(chosen: Chosen): Source {
  if (chosen.kind === "now") return "now";
  return chosen.kind === "past" ? { at: chosen.seq } : { fork: chosen.fork.id };
}
