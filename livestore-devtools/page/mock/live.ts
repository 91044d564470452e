import type { Histogram, LiveGraph, LiveNode, Performance, Sizes } from "../src/protocol.ts";
import { BASE_EVENTS } from "./domain.ts";

const node = (id: string, kind: LiveNode["kind"], label: string, more: Partial<LiveNode> = {}): LiveNode => ({
  id,
  kind,
  label,
  tier: null,
  reason: null,
  runs: 0,
  changes: 0,
  subscribers: 0,
  micros: 0,
  lastMicros: 0,
  reached: false,
  error: null,
  ...more,
});

/** Live queries of the issue tracker; `commits` makes their numbers grow. */
export function liveGraph(commits: number): LiveGraph {
  const odd = commits % 2 === 1;
  const nodes: LiveNode[] = [
    node("table:issue", "table", "issue", { reached: true }),
    node("table:comment", "table", "comment", { reached: odd }),
    node("table:ui_state", "table", "ui_state"),
    node(
      "q1",
      "query",
      'SELECT "id", "title", "status" FROM "issue" WHERE "status" = ?1 ORDER BY "created_at" DESC LIMIT 50',
      {
        tier: "Rows",
        reason: "a list of one table",
        runs: 4,
        changes: 31 + commits,
        subscribers: 2,
        micros: 2_300,
        lastMicros: 41,
        reached: true,
      },
    ),
    node("q2", "query", 'SELECT count(*) FROM "issue" WHERE "status" <> \'done\'', {
      tier: "Groups",
      reason: "a count",
      runs: 1,
      changes: 14,
      subscribers: 1,
      micros: 900,
      lastMicros: 900,
      reached: true,
    }),
    node("q3", "query", 'SELECT "author", count(*) FROM "comment" GROUP BY "author" ORDER BY lower("author")', {
      tier: "Rerun",
      reason: "the order is an expression",
      runs: 611 + commits,
      changes: 9,
      subscribers: 1,
      micros: 1_480_000,
      lastMicros: 2_410,
      reached: odd,
    }),
    node("q4", "query", 'SELECT "value" FROM "ui_state" WHERE "id" = ?1', {
      tier: "Point",
      reason: "one row by its key",
      runs: 2,
      changes: 2,
      subscribers: 3,
      micros: 44,
      lastMicros: 12,
    }),
    node("q5", "query", 'SELECT * FROM "issue" WHERE json_extract("labels", ?1) IS NOT NULL', {
      tier: "Rerun",
      reason: "a function is not known to be pure",
      runs: 3,
      changes: 0,
      subscribers: 0,
      micros: 8_000,
      lastMicros: 0,
      error: "malformed JSON in row iss_0k2",
    }),
    node("s1", "signal", "src/ui/filter.rs:18:21", { changes: 5, subscribers: 1 }),
    node("c1", "computed", "src/ui/header.rs:42:9", {
      runs: 45,
      changes: 45,
      subscribers: 1,
      micros: 300,
      lastMicros: 4,
      reached: true,
    }),
    node("c2", "computed", "src/ui/board.rs:77:17", {
      runs: 46,
      changes: 40,
      subscribers: 2,
      micros: 9_100,
      lastMicros: 180,
      reached: true,
    }),
    node("c3", "computed", "src/ui/title.rs:9:5", {
      runs: 45,
      changes: 12,
      subscribers: 1,
      micros: 120,
      lastMicros: 2,
      reached: true,
    }),
  ];
  const edges = [
    ["table:issue", "q1"],
    ["table:issue", "q2"],
    ["table:comment", "q3"],
    ["table:ui_state", "q4"],
    ["table:issue", "q5"],
    ["q2", "c1"],
    ["q1", "c2"],
    ["q4", "c2"],
    ["s1", "c2"],
    ["c1", "c3"],
    ["q3", "c1"],
  ].map(([from, to]) => ({ from: from as string, to: to as string }));
  return { nodes, edges };
}

function histogram(count: number, middle: number, spread: number): Histogram {
  const buckets = Array.from({ length: 18 }, (_, index) =>
    Math.round(count * Math.exp(-((index - middle) ** 2) / spread)),
  );
  const real = buckets.reduce((sum, each) => sum + each, 0);
  return {
    count: real,
    sumMicros: real * 2 ** middle * 1.1,
    maxMicros: 2 ** (buckets.findLastIndex((each) => each > 0) - 0.3),
    buckets,
  };
}

export function performanceOf(commits: number): Performance {
  return {
    commits: histogram(900 + commits, 6.5, 3),
    queries: histogram(15_000, 4, 5),
    materializers: [
      { name: "v1.CommentAdded", ...histogram(300, 4, 3) },
      { name: "v1.IssueStatusSet", ...histogram(420, 3, 2) },
      { name: "v1.IssueRenamed", ...histogram(120, 3.4, 2) },
      { name: "v1.IssueCreated", ...histogram(24, 5, 2) },
      { name: "UiStateSet", ...histogram(12, 2, 1) },
    ],
    stateBytes: 188_743_680,
  };
}

export function sizes(): Sizes {
  const quarter = BASE_EVENTS / 4;
  return {
    events: [
      { name: "v1.CommentAdded", count: quarter, bytes: quarter * 171 },
      { name: "v1.IssueCreated", count: quarter, bytes: quarter * 118 },
      { name: "v1.IssueRenamed", count: quarter, bytes: quarter * 66 },
      { name: "v1.IssueStatusSet", count: quarter, bytes: quarter * 61 },
      { name: "UiStateSet", count: 12, bytes: 1_020 },
    ],
    stateBytes: 188_743_680,
  };
}
