import { signal } from "@preact/signals";
import type { ForkState, SourceModel } from "../../model/source.ts";
import type { StoreModel } from "../../model/store.ts";
import type { Source } from "../../protocol.ts";

/** One end of a comparison. */
export interface Mark {
  /** How it is called: an event's number, or a fork. */
  label: string;
  source: Source;
  position: number;
}

export const SPEEDS = [1, 5, 20, 100] as const;

/** Play, marks, and what is shown below the slider. */
export class TimeModel {
  readonly isPlaying = signal(false);
  /** Events a second. */
  readonly speed = signal<number>(5);
  readonly view = signal<"tables" | "compare">("tables");
  readonly table = signal<string | null>(null);
  /** Whether only the rows are shown that the event changed. */
  readonly onlyChanged = signal(false);
  readonly from = signal<Mark | null>(null);
  readonly to = signal<Mark | null>(null);
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly store: StoreModel,
    readonly source: SourceModel,
  ) {}

  play(): void {
    const { total } = this.store.tail.value;
    if (total === 0) return;
    if (this.source.position.value >= total) this.source.goTo(0);
    this.isPlaying.value = true;
    // A browser's timers are not quicker than this: beyond it, a step is of several events.
    const every = Math.max(50, 1_000 / this.speed.value);
    const by = Math.max(1, Math.round((this.speed.value * every) / 1_000));
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      if (this.source.position.peek() >= this.store.tail.peek().total) this.pause();
      else this.source.step(by);
    }, every);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.isPlaying.value = false;
  }

  toggle(): void {
    if (this.isPlaying.value) this.pause();
    else this.play();
  }

  setSpeed(speed: number): void {
    this.speed.value = speed;
    if (this.isPlaying.value) this.play();
  }

  /** Sets one end of the comparison to what one looks at. */
  mark(end: "from" | "to"): void {
    this[end].value = this.#here();
    const { from, to } = this;
    if (from.value && to.value && from.value.position > to.value.position) {
      [from.value, to.value] = [to.value, from.value];
    }
    if (from.value && to.value) this.view.value = "compare";
  }

  /** Compares the fork that one is in with what it was forked from. */
  compareFork({ base, position }: ForkState): void {
    this.from.value = { label: base, source: { at: base }, position };
    this.to.value = this.#here();
    this.view.value = "compare";
  }

  /** What one looks at. Of the present, what it is now: it does not move on. */
  #here(): Mark {
    const chosen = this.source.chosen.value;
    if (chosen.kind === "past") return { label: chosen.seq, source: { at: chosen.seq }, position: chosen.position };
    if (chosen.kind === "fork") {
      const { id, position, seqs } = chosen.fork;
      return { label: `fork ${id}`, source: { fork: id }, position: position + seqs.length };
    }
    const { head, total } = this.store.tail.value;
    return { label: head, source: { at: head }, position: total };
  }

  clearMarks(): void {
    this.from.value = null;
    this.to.value = null;
    this.view.value = "tables";
  }
}
