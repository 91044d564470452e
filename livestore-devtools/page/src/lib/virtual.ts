/**
 * The arithmetic of a list that draws only the rows in view.
 *
 * A browser cannot make an element as tall as a million rows are. So there are two heights: the list's
 * own, and that of the element that is scrolled, which is at most `TALLEST`. A position in one is
 * converted into a position in the other by proportion.
 */

/** Every browser can make an element of this height. */
export const TALLEST = 8_000_000;

/** The rows above and below those in view that are drawn, too. */
const OVERSCAN = 6;

export interface Layout {
  count: number;
  rowHeight: number;
  /** The height of what one sees. */
  viewport: number;
}

/** The height of all rows. */
export function listHeight({ count, rowHeight }: Layout): number {
  return count * rowHeight;
}

/** The height of the element that is scrolled. */
export function scrollHeight(layout: Layout): number {
  return Math.min(listHeight(layout), TALLEST);
}

/** Whether the two heights differ. */
export function isScaled(layout: Layout): boolean {
  return listHeight(layout) > TALLEST;
}

/** The greatest position in the list. */
export function lastTop(layout: Layout): number {
  return Math.max(0, listHeight(layout) - layout.viewport);
}

export function clampTop(top: number, layout: Layout): number {
  return Math.min(Math.max(0, top), lastTop(layout));
}

/** The position in the list, for that of the scrolled element. */
export function topFromScroll(scrollTop: number, layout: Layout): number {
  if (!isScaled(layout)) return clampTop(scrollTop, layout);
  const last = scrollHeight(layout) - layout.viewport;
  return clampTop((scrollTop / last) * lastTop(layout), layout);
}

/** The position of the scrolled element, for that in the list. */
export function scrollFromTop(top: number, layout: Layout): number {
  if (!isScaled(layout)) return clampTop(top, layout);
  const last = scrollHeight(layout) - layout.viewport;
  return (clampTop(top, layout) / lastTop(layout)) * last;
}

export interface Range {
  first: number;
  /** One past the last. */
  end: number;
}

/** The rows to draw. */
export function visibleRange(top: number, layout: Layout): Range {
  const first = Math.floor(top / layout.rowHeight) - OVERSCAN;
  const end = Math.ceil((top + layout.viewport) / layout.rowHeight) + OVERSCAN;
  return { first: Math.max(0, Math.min(first, layout.count)), end: Math.min(Math.max(end, 0), layout.count) };
}

/** The number of rows that fit in what one sees, at least one. */
export function rowsPerPage({ viewport, rowHeight }: Layout): number {
  return Math.max(1, Math.floor(viewport / rowHeight) - 1);
}

/** The nearest position at which all of a row is in view. */
export function topThatShows(row: number, top: number, layout: Layout): number {
  const start = row * layout.rowHeight;
  if (start < top) return clampTop(start, layout);
  const end = start + layout.rowHeight;
  if (end > top + layout.viewport) return clampTop(end - layout.viewport, layout);
  return top;
}
