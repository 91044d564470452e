import { signal } from "@preact/signals";
import type { Client } from "../../connection/client.ts";
import { CallError } from "../../connection/client.ts";
import type { EventFilter, EventRow } from "../../protocol.ts";

const PAGE = 200;

/** The events that a filter lets through, the newest first: searched from the end of the log, as far as one scrolls. */
export class FoundEvents {
  readonly events = signal<EventRow[]>([]);
  readonly isSearching = signal(false);
  readonly isComplete = signal(false);
  readonly error = signal<unknown>(null);
  /** How far back the search has come. */
  readonly searchedTo = signal<string | null>(null);

  readonly #client: Client;
  #filter: EventFilter | null = null;
  #fork: number | null = null;
  #newest: string | null = null;
  #search: AbortController | null = null;
  #isReadingNewer = false;

  constructor(client: Client) {
    this.#client = client;
  }

  start(filter: EventFilter, fork: number | null): void {
    this.close();
    this.#filter = filter;
    this.#fork = fork;
    this.events.value = [];
    this.isComplete.value = false;
    this.searchedTo.value = null;
    this.#newest = null;
    void this.searchBack(PAGE);
  }

  close(): void {
    this.#search?.abort();
    this.#search = null;
    this.#filter = null;
    this.error.value = null;
    this.isSearching.value = false;
  }

  /** Ends the search; what is found stays. */
  stop(): void {
    this.#search?.abort();
    this.#search = null;
    this.isSearching.value = false;
    this.isComplete.value = true;
  }

  /** Searches until `count` events are found, or the beginning of the log is reached. */
  async searchBack(count: number): Promise<void> {
    const filter = this.#filter;
    if (!filter || this.#search || this.isComplete.value || this.events.value.length >= count) return;
    const search = new AbortController();
    this.#search = search;
    this.isSearching.value = true;
    try {
      while (this.events.value.length < count && !this.isComplete.value) {
        const before = this.searchedTo.value;
        const place = before === null ? {} : { before };
        const page = await this.#client.call(
          "events",
          { ...place, fork: this.#fork, limit: PAGE, filter },
          search.signal,
        );
        if (this.#search !== search) return;
        if (before === null) this.#newest = page.events.at(-1)?.seq ?? page.scanned;
        this.events.value = [...this.events.value, ...page.events.toReversed()];
        this.isComplete.value = !page.more || page.scanned === null || page.scanned === before;
        this.searchedTo.value = page.scanned ?? before;
      }
    } catch (error) {
      if (this.#search === search && !isCancelled(error)) this.error.value = error;
    } finally {
      if (this.#search === search) {
        this.#search = null;
        this.isSearching.value = false;
      }
    }
  }

  /** Adds what has been committed since. */
  async readNewer(): Promise<void> {
    const filter = this.#filter;
    if (!filter || this.#isReadingNewer || this.#newest === null) return;
    this.#isReadingNewer = true;
    try {
      const page = await this.#client.call("events", { fork: this.#fork, after: this.#newest, limit: PAGE, filter });
      if (this.#filter !== filter) return;
      this.#newest = page.scanned ?? this.#newest;
      const known = new Set(this.events.value.slice(0, PAGE).map(({ seq }) => seq));
      const fresh = page.events.filter(({ seq }) => !known.has(seq));
      if (fresh.length > 0) this.events.value = [...fresh.toReversed(), ...this.events.value];
    } catch {
      // The next change of the log leads to another try.
    } finally {
      this.#isReadingNewer = false;
    }
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof CallError && error.code === "cancelled";
}
