import { computed, effect, signal } from "@preact/signals";
import { PagedList } from "../../lib/paged-list.ts";
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

  constructor(readonly store: StoreModel) {
    this.all = new PagedList(async (index, limit, abort) => {
      const page = await store.client.call("events", { index, limit }, abort);
      return { items: page.events, total: page.total };
    });
    this.found = new FoundEvents(store.client);

    // One who reads further down goes on seeing the same events when new ones come.
    let before = 0;
    effect(() => {
      const count = this.count.value;
      const added = count - before;
      before = count;
      if (this.isFiltered.peek() || added <= 0 || added === count) return;
      if (this.position.top.peek() > 0) this.position.top.value += added * ROW_HEIGHT;
      if (this.position.active.peek() >= 0) this.position.active.value += added;
    });
  }

  filterBy(change: Partial<EventFilter>): void {
    this.filter.value = { ...this.filter.value, ...change };
    this.position.top.value = 0;
    this.position.active.value = -1;
    if (this.isFiltered.value) this.found.start(this.filter.value);
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
    const total = this.all.total.value || this.store.tail.value.total;
    this.all.want(Math.max(0, total - end), Math.max(0, total - first));
  }

  /** Scrolls to the event that comes after so many others. */
  reveal(before: number): void {
    const total = this.all.total.value || this.store.tail.value.total;
    const row = total - 1 - before;
    if (this.isFiltered.value || row < 0) return;
    this.position.active.value = row;
    const { top, viewport } = this.position;
    const isInView = row * ROW_HEIGHT >= top.value && (row + 1) * ROW_HEIGHT <= top.value + viewport.value;
    if (!isInView) top.value = Math.max(0, row * ROW_HEIGHT - CONTEXT);
  }

  /** The log has changed. */
  refresh(isRebased: boolean): void {
    if (!this.isFiltered.value) this.all.refresh();
    else if (isRebased) this.found.start(this.filter.value);
    else void this.found.readNewer();
  }
}
