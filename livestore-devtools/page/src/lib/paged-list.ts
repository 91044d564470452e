import { signal } from "@preact/signals";

export const PAGE_SIZE = 200;
/** The pages that are remembered: a few screens' worth of going back. */
const MOST_PAGES = 60;

export interface Page<T> {
  items: T[];
  total: number;
}

export type FetchPage<T> = (offset: number, limit: number, abort: AbortSignal) => Promise<Page<T>>;

interface Slot<T> {
  items: T[];
  /** The generation of the list in which it was read. */
  generation: number;
}

/**
 * A long list at the host, of which the pages in view are read. A page that has been read is shown until a
 * newer one replaces it, so that nothing flickers when the list is refreshed.
 */
export class PagedList<T> {
  readonly total = signal(0);
  readonly error = signal<unknown>(null);
  /** Whether a page in view is being read. */
  readonly isLoading = signal(false);
  /** Whether the first page has come. */
  readonly isReady = signal(false);
  /** Counts up whenever `at` may give something else. */
  readonly changes = signal(0);

  readonly #fetch: FetchPage<T>;
  readonly #pages = new Map<number, Slot<T>>();
  readonly #running = new Map<number, { abort: AbortController; generation: number }>();
  #generation = 0;
  #wanted = { first: 0, last: 0 };

  constructor(fetch: FetchPage<T>) {
    this.#fetch = fetch;
  }

  at(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.items[index % PAGE_SIZE];
  }

  /** Reads the pages that have these rows; what is being read for rows no longer in view is cancelled. */
  want(first: number, end: number): void {
    this.#wanted = { first: Math.floor(first / PAGE_SIZE), last: Math.floor(Math.max(first, end - 1) / PAGE_SIZE) };
    for (const [page, { abort }] of this.#running) {
      if (page < this.#wanted.first || page > this.#wanted.last) {
        abort.abort();
        this.#running.delete(page);
      }
    }
    this.#load();
  }

  /** Reads everything in view again, for it may have changed. */
  refresh(): void {
    this.#generation += 1;
    this.#load();
  }

  /** Forgets everything, for it is another list now. */
  reset(): void {
    this.close();
    this.#pages.clear();
    this.#generation += 1;
    this.total.value = 0;
    this.isReady.value = false;
    this.error.value = null;
    this.changes.value += 1;
  }

  /** Cancels what is being read. */
  close(): void {
    for (const { abort } of this.#running.values()) abort.abort();
    this.#running.clear();
    this.isLoading.value = false;
  }

  #load(): void {
    for (let page = this.#wanted.first; page <= this.#wanted.last; page += 1) {
      // A page that is being read is not asked for twice: when it has come, it is read again if it is old.
      if (!this.#running.has(page) && this.#pages.get(page)?.generation !== this.#generation) void this.#read(page);
    }
    this.isLoading.value = this.#running.size > 0;
  }

  async #read(page: number): Promise<void> {
    const run = { abort: new AbortController(), generation: this.#generation };
    this.#running.set(page, run);
    try {
      const { items, total } = await this.#fetch(page * PAGE_SIZE, PAGE_SIZE, run.abort.signal);
      if (this.#running.get(page) !== run) return;
      this.#remember(page, { items, generation: run.generation });
      this.total.value = total;
      this.error.value = null;
      this.isReady.value = true;
      this.#running.delete(page);
      this.changes.value += 1;
      this.#load();
    } catch (error) {
      if (this.#running.get(page) !== run) return;
      this.#running.delete(page);
      this.isLoading.value = this.#running.size > 0;
      this.error.value = error;
    }
  }

  #remember(page: number, slot: Slot<T>): void {
    this.#pages.delete(page);
    this.#pages.set(page, slot);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MOST_PAGES) break;
      if (oldest < this.#wanted.first || oldest > this.#wanted.last) this.#pages.delete(oldest);
    }
  }
}
