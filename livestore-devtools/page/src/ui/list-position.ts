import { signal } from "@preact/signals";
import { type Layout, topThatShows } from "../lib/virtual.ts";

/** Where one is in a long list. Kept outside of the component, so that one finds it again. */
export class ListPosition {
  readonly top = signal(0);
  readonly viewport = signal(0);
  /** The row that the keyboard is at. */
  readonly active = signal(-1);

  layout(count: number, rowHeight: number): Layout {
    return { count, rowHeight, viewport: this.viewport.value };
  }

  show(row: number, count: number, rowHeight: number): void {
    this.top.value = topThatShows(row, this.top.value, this.layout(count, rowHeight));
  }
}
