import { signal } from "@preact/signals";

export interface Notice {
  id: number;
  kind: "done" | "failed";
  text: string;
}

const SHOWN_MS = { done: 4_000, failed: 9_000 };

/** Short messages about what has just been done. */
export class Notices {
  readonly shown = signal<Notice[]>([]);
  #lastId = 0;

  done(text: string): void {
    this.#show("done", text);
  }

  failed(what: string, error: unknown): void {
    this.#show("failed", `${what}: ${messageOf(error)}`);
  }

  dismiss(id: number): void {
    this.shown.value = this.shown.value.filter((notice) => notice.id !== id);
  }

  #show(kind: Notice["kind"], text: string): void {
    const id = ++this.#lastId;
    this.shown.value = [...this.shown.value.slice(-3), { id, kind, text }];
    setTimeout(() => this.dismiss(id), SHOWN_MS[kind]);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
