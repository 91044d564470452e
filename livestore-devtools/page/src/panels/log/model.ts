import { computed, effect, signal, untracked } from "@preact/signals";
import { PagedList } from "../../lib/paged-list.ts";
import type { SourceModel } from "../../model/source.ts";
import type { StoreModel } from "../../model/store.ts";
import type { EventFilter, EventRow } from "../../protocol.ts";
import { ListPosition } from "../../ui/list-position.ts";
import { FoundEvents } from "./found-events.ts";

export const NO_FILTER: EventFilter = { names: [], client: "", session: "", text: "", kind: null };
export const ROW_HEIGHT = 30;
/** What is seen above an event that is scrolled to. */
const CONTEXT = 4 * ROW_HEIGHT;

/** The log, the newest event first. */
export class LogModel {
  readonly filter = signal<EventFilter>(NO_FILTER);
  readonly selected = signal<string | null>(null);
  readonly position = new ListPosition();
  /** All events, by their index in the log. */
  readonly all: PagedList<EventRow>;
  /** The events that the filter lets through. */
  readonly found: FoundEvents;
  readonly isFiltered = computed(() => JSON.stringify(this.filter.value) !== JSON.stringify(NO_FILTER));
  readonly count = computed(() => (this.isFiltered.value ? this.found.events.value.length : this.all.total.value));

  /** The number of events in the log. */
  readonly total = computed(() => {
    const chosen = this.source.chosen.value;
    return chosen.kind === "fork" ? chosen.fork.position + chosen.fork.seqs.length : this.store.tail.value.total;
  });
  /** The number of events before the one to scroll to, which has not been read yet. */
  #toReveal: number | null = null;

  constructor(
    readonly store: StoreModel,
    readonly source: SourceModel,
  ) {
    this.all = new PagedList(async (index, limit, abort) => {
      const page = await store.client.call("events", { fork: source.forkId.peek(), index, limit }, abort);
      return { items: page.events, total: page.total };
    });
    this.found = new FoundEvents(store.client);

    // A fork has a log of its own.
    effect(() => {
      void source.forkId.value;
      untracked(() => this.#restart());
    });

    // One who reads further down goes on seeing the same events when new ones come.
    let before = 0;
    effect(() => {
      const count = this.count.value;
      const added = count - before;
      before = count;
      untracked(() => {
        if (!this.isFiltered.value && added > 0 && added < count) this.#shift(added);
        this.#tryReveal();
      });
    });
  }

  filterBy(change: Partial<EventFilter>): void {
    this.filter.value = { ...this.filter.value, ...change };
    this.position.top.value = 0;
    this.position.active.value = -1;
    if (this.isFiltered.value) this.#search();
    else this.found.close();
  }

  at(row: number): EventRow | undefined {
    return this.isFiltered.value ? this.found.events.value[row] : this.all.at(this.all.total.value - 1 - row);
  }

  /** Reads what is needed to show these rows. */
  want(first: number, end: number): void {
    if (this.isFiltered.value) {
      void this.found.searchBack(end + 100);
      return;
    }
    const total = this.all.total.value || this.total.value;
    this.all.want(Math.max(0, total - end), Math.max(0, total - first));
  }

  /** Scrolls to the event that comes after so many others, as soon as it is known. */
  reveal(before: number): void {
    this.#toReveal = before;
    this.#tryReveal();
  }

  /** The log has changed. */
  refresh(isRebased: boolean): void {
    if (!this.isFiltered.value) this.all.refresh();
    else if (isRebased) this.#search();
    else void this.found.readNewer();
  }

  #shift(rows: number): void {
    const { top, active } = this.position;
    if (top.value > 0) top.value += rows * ROW_HEIGHT;
    if (active.value >= 0) active.value += rows;
  }

  #tryReveal(): void {
    const total = this.all.total.value;
    if (this.#toReveal === null || total <= this.#toReveal || this.isFiltered.value) return;
    const row = total - 1 - this.#toReveal;
    this.#toReveal = null;
    this.position.active.value = row;
    const { top, viewport } = this.position;
    const isInView = row * ROW_HEIGHT >= top.value && (row + 1) * ROW_HEIGHT <= top.value + viewport.value;
    if (!isInView) top.value = Math.max(0, row * ROW_HEIGHT - CONTEXT);
  }

  #restart(): void {
    this.all.reset();
    this.selected.value = null;
    this.position.top.value = 0;
    this.position.active.value = -1;
    if (this.isFiltered.value) this.#search();
  }

  #search(): void {
    this.found.start(this.filter.peek(), this.source.forkId.peek());
  }
}
