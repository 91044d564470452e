import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Layout,
  TALLEST,
  lastTop,
  scrollFromTop,
  scrollHeight,
  topFromScroll,
  topThatShows,
  visibleRange,
} from "../src/lib/virtual.ts";

const short: Layout = { count: 100, rowHeight: 28, viewport: 560 };
const long: Layout = { count: 1_000_000, rowHeight: 28, viewport: 560 };

test("a short list scrolls as it is", () => {
  assert.equal(scrollHeight(short), 2_800);
  assert.equal(topFromScroll(1_000, short), 1_000);
  assert.equal(scrollFromTop(1_000, short), 1_000);
});

test("a million rows fit an element that a browser can make, and both ends can be reached", () => {
  assert.equal(scrollHeight(long), TALLEST);
  assert.equal(topFromScroll(0, long), 0);
  assert.equal(topFromScroll(TALLEST - long.viewport, long), lastTop(long));
  assert.equal(visibleRange(lastTop(long), long).end, 1_000_000);
});

test("a position goes to the scrolled element and back", () => {
  for (const top of [0, 28, 12_345_678, lastTop(long)]) {
    assert.ok(Math.abs(topFromScroll(scrollFromTop(top, long), long) - top) < 0.01, `from ${top}`);
  }
});

test("the rows to draw are those in view and a few more, and never ones that do not exist", () => {
  assert.deepEqual(visibleRange(0, short), { first: 0, end: 26 });
  assert.deepEqual(visibleRange(lastTop(short), short), { first: 74, end: 100 });
  assert.deepEqual(visibleRange(0, { ...short, count: 0 }), { first: 0, end: 0 });
  // The list has become shorter than where one was.
  assert.deepEqual(visibleRange(50_000, { ...short, count: 3 }), { first: 3, end: 3 });
});

test("a row is brought into view by the shortest way", () => {
  assert.equal(topThatShows(5, 0, short), 0);
  assert.equal(topThatShows(5, 1_000, short), 140);
  assert.equal(topThatShows(50, 0, short), 51 * 28 - 560);
});
