import { signal } from "@preact/signals";
import { CallError } from "../../connection/client.ts";
import type { SourceModel } from "../../model/source.ts";
import type { StoreModel } from "../../model/store.ts";
import type { SqlResult } from "../../protocol.ts";
import { ListPosition } from "../../ui/list-position.ts";

const KEY = "livestore-devtools-sql";
const MOST_REMEMBERED = 100;
export const MOST_ROWS = 10_000;

export type SqlOutcome =
  { is: "result"; result: SqlResult; sql: string } | { is: "failed"; message: string; isCancelled: boolean };

/** The console: what is written, what was run, what came of it. */
export class SqlModel {
  readonly text = signal("");
  readonly outcome = signal<SqlOutcome | null>(null);
  readonly isRunning = signal(false);
  readonly view = signal<"rows" | "plan">("rows");
  readonly history = signal<string[]>(readHistory());
  readonly position = new ListPosition();
  readonly widths = signal<{ [column: string]: number }>({});
  #run: AbortController | null = null;

  constructor(
    readonly store: StoreModel,
    readonly source: SourceModel,
  ) {}

  async run(): Promise<void> {
    const sql = this.text.value.trim();
    if (sql === "") return;
    this.#run?.abort();
    const run = new AbortController();
    this.#run = run;
    this.isRunning.value = true;
    this.#remember(sql);
    try {
      const params = { source: this.source.wire.value, sql, limit: MOST_ROWS };
      const result = await this.store.client.call("sql", params, run.signal);
      this.position.top.value = 0;
      this.widths.value = {};
      this.outcome.value = { is: "result", result, sql };
    } catch (error) {
      if (this.#run !== run) return;
      const isCancelled = error instanceof CallError && error.code === "cancelled";
      this.outcome.value = { is: "failed", message: (error as Error).message, isCancelled };
    } finally {
      if (this.#run === run) {
        this.#run = null;
        this.isRunning.value = false;
      }
    }
  }

  cancel(): void {
    this.#run?.abort();
  }

  forget(): void {
    this.history.value = [];
    sessionStorage.removeItem(KEY);
  }

  #remember(sql: string): void {
    this.history.value = [sql, ...this.history.value.filter((each) => each !== sql)].slice(0, MOST_REMEMBERED);
    sessionStorage.setItem(KEY, JSON.stringify(this.history.value));
  }
}

function readHistory(): string[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}
