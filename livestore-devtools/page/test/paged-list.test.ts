import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_SIZE, type Page, PagedList } from "../src/lib/paged-list.ts";

interface Asked {
  offset: number;
  abort: AbortSignal;
  answer(page: Page<number>): void;
  fail(error: Error): void;
}

function listAndCalls(): { list: PagedList<number>; asked: Asked[] } {
  const asked: Asked[] = [];
  const list = new PagedList<number>(
    (offset, _, abort) => new Promise((answer, fail) => asked.push({ offset, abort, answer, fail })),
  );
  return { list, asked };
}

const page = (offset: number, add = 0): Page<number> => ({
  items: Array.from({ length: PAGE_SIZE }, (_, index) => offset + index + add),
  total: 1_000_000,
});
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("it reads the pages in view, once", async () => {
  const { list, asked } = listAndCalls();
  list.want(190, 230);
  list.want(195, 235);
  assert.deepEqual(
    asked.map(({ offset }) => offset),
    [0, 200],
  );
  asked[1]?.answer(page(200));
  await settle();
  assert.equal(list.at(205), 205);
  assert.equal(list.at(5), undefined);
  assert.equal(list.total.value, 1_000_000);
});

test("what is no longer in view is cancelled, and a late answer to it is ignored", async () => {
  const { list, asked } = listAndCalls();
  list.want(0, 40);
  list.want(900_000, 900_040);
  assert.ok(asked[0]?.abort.aborted);
  asked[0]?.answer(page(0));
  await settle();
  assert.equal(list.at(0), undefined);
  assert.ok(!asked[1]?.abort.aborted);
});

test("a refresh shows what was there until the new page has come", async () => {
  const { list, asked } = listAndCalls();
  list.want(0, 40);
  asked[0]?.answer(page(0));
  await settle();
  list.refresh();
  assert.equal(list.at(0), 0);
  asked[1]?.answer(page(0, 7));
  await settle();
  assert.equal(list.at(0), 7);
});

test("many refreshes while a page is being read lead to one more read, not to many", async () => {
  const { list, asked } = listAndCalls();
  list.want(0, 40);
  for (let times = 0; times < 50; times += 1) list.refresh();
  assert.equal(asked.length, 1);
  asked[0]?.answer(page(0));
  await settle();
  assert.equal(asked.length, 2);
  asked[1]?.answer(page(0));
  await settle();
  assert.equal(asked.length, 2);
});

test("an error is there to be shown, and what was read stays", async () => {
  const { list, asked } = listAndCalls();
  list.want(0, 40);
  asked[0]?.answer(page(0));
  await settle();
  list.refresh();
  asked[1]?.fail(new Error("gone"));
  await settle();
  assert.equal((list.error.value as Error).message, "gone");
  assert.equal(list.at(0), 0);
  assert.ok(!list.isLoading.value);
});

test("old pages are forgotten", async () => {
  const { list, asked } = listAndCalls();
  for (let index = 0; index < 100; index += 1) {
    list.want(index * PAGE_SIZE, index * PAGE_SIZE + 10);
    asked[index]?.answer(page(index * PAGE_SIZE));
    await settle();
  }
  assert.equal(list.at(0), undefined);
  assert.equal(list.at(99 * PAGE_SIZE), 99 * PAGE_SIZE);
});
