import type { Cell, EventInfo, Json, RowChange, SchemaInfo, TableInfo } from "../src/protocol.ts";

/** An issue tracker of which every event and row can be computed from its number, without a log. */

export const BASE_EVENTS = 1_000_000;
const START = Date.UTC(2026, 0, 5, 8);

const PEOPLE = ["ada", "grace", "alan", "edsger", "barbara", "donald", "<img src=x onerror=alert(1)>"];
const VERBS = ["Fix", "Measure", "Explain", "Remove", "Speed up", "Document", "Test", "Rename"];
const THINGS = [
  "the login page",
  "rebase of long logs",
  "search",
  "offline mode",
  "the import",
  "drag and drop",
  "exports",
];
const STATUS = ["open", "inProgress", "inReview", "done"];
const LABELS = ["bug", "feature", "p0", "docs", "ux"];

const pick = <T>(from: readonly T[], by: number): T => from[by % from.length] as T;
const mix = (value: number): number => {
  let x = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) >>> 0;
};

const column = (name: string, sqlType: string, nullable = false, key = 0) => ({ name, sqlType, nullable, key });

const TABLES: Omit<TableInfo, "rows" | "sql">[] = [
  {
    name: "issue",
    isDocument: false,
    columns: [
      column("id", "TEXT", false, 1),
      column("title", "TEXT"),
      column("status", "TEXT"),
      column("priority", "INTEGER"),
      column("assignee", "TEXT", true),
      column("estimate", "REAL", true),
      column("labels", "TEXT"),
      column("created_at", "INTEGER"),
    ],
  },
  {
    name: "comment",
    isDocument: false,
    columns: [
      column("id", "TEXT", false, 1),
      column("issue_id", "TEXT"),
      column("author", "TEXT"),
      column("body", "TEXT"),
      column("created_at", "INTEGER"),
    ],
  },
  {
    name: "audit",
    isDocument: false,
    columns: [
      column("seq", "INTEGER", false, 1),
      column("action", "TEXT"),
      column("at", "INTEGER"),
      column("digest", "BLOB", true),
    ],
  },
  { name: "ui_state", isDocument: true, columns: [column("id", "TEXT", false, 1), column("value", "TEXT")] },
];

const EVENTS: EventInfo[] = [
  {
    name: "v1.IssueCreated",
    clientOnly: false,
    deprecated: null,
    fields: [
      { name: "id", type: "String" },
      { name: "title", type: "String" },
      { name: "priority", type: "u8" },
      { name: "estimate", type: "Option<f64> (optional)" },
      { name: "labels", type: "Vec<String>" },
    ],
  },
  {
    name: "v1.IssueRenamed",
    clientOnly: false,
    deprecated: null,
    fields: [
      { name: "id", type: "String" },
      { name: "title", type: "String" },
    ],
  },
  {
    name: "v1.IssueStatusSet",
    clientOnly: false,
    deprecated: null,
    fields: [
      { name: "id", type: "String" },
      { name: "status", type: "IssueStatus" },
      { name: "notify", type: "bool" },
    ],
  },
  {
    name: "v1.CommentAdded",
    clientOnly: false,
    deprecated: null,
    fields: [
      { name: "id", type: "String" },
      { name: "issueId", type: "String" },
      { name: "author", type: "String" },
      { name: "body", type: "String" },
    ],
  },
  {
    name: "v1.IssueClosed",
    clientOnly: false,
    deprecated: "use v1.IssueStatusSet",
    fields: [{ name: "id", type: "String" }],
  },
  {
    name: "UiStateSet",
    clientOnly: true,
    deprecated: null,
    fields: [
      { name: "id", type: "String" },
      { name: "value", type: "UiState" },
    ],
  },
];

export function schema(rowCounts: (table: string) => number): SchemaInfo {
  const tables = TABLES.map((table) => ({
    ...table,
    rows: rowCounts(table.name),
    sql: `CREATE TABLE "${table.name}" (\n${table.columns
      .map((c) => `  "${c.name}" ${c.sqlType}${c.nullable ? "" : " NOT NULL"}`)
      .join(
        ",\n",
      )},\n  PRIMARY KEY (${table.columns.filter((c) => c.key).map((c) => `"${c.name}"`)})\n) STRICT, WITHOUT ROWID;`,
  }));
  return { tables, events: EVENTS };
}

export const columnsOf = (table: string): string[] | undefined =>
  TABLES.find(({ name }) => name === table)?.columns.map(({ name }) => name);

export interface MockEvent {
  name: string;
  args: { [key: string]: Json };
}

const issueId = (index: number) =>
  `iss_${mix(index + 1)
    .toString(36)
    .padStart(7, "0")}${index.toString(36)}`;

/** The event with this number, from 1 on. */
export function baseEvent(number: number): MockEvent {
  const issue = (number - 1) >> 2;
  const id = issueId(issue);
  switch ((number - 1) % 4) {
    case 0:
      return {
        name: "v1.IssueCreated",
        args: { id, title: title(issue), priority: issue % 5, estimate: estimate(issue), labels: labels(issue) },
      };
    case 1:
      return { name: "v1.IssueRenamed", args: { id, title: `${title(issue)}, again` } };
    case 2:
      return { name: "v1.IssueStatusSet", args: { id, status: pick(STATUS, mix(issue)), notify: issue % 3 === 0 } };
    default:
      return {
        name: "v1.CommentAdded",
        args: { id: `com_${issue.toString(36)}`, issueId: id, author: pick(PEOPLE, mix(issue * 3)), body: body(issue) },
      };
  }
}

const title = (issue: number) => `${pick(VERBS, mix(issue))} ${pick(THINGS, mix(issue * 7))}`;
const estimate = (issue: number) => (issue % 4 === 0 ? null : (mix(issue) % 80) / 8);
const labels = (issue: number) => LABELS.filter((_, index) => (mix(issue * 11) >> index) % 3 === 0);
const body = (issue: number) =>
  issue % 50 === 0
    ? `<script>alert("${issue}")</script> ${"This happens only with very long logs. ".repeat(12)}`
    : `Seen ${(mix(issue) % 90) + 2} times since Monday, mostly with ${pick(THINGS, mix(issue * 5))}.`;
export const eventTime = (number: number) => START + number * 7_000 + (mix(number) % 5_000);

/** The number of rows of a table after so many base events. */
export function baseCount(table: string, events: number): number {
  if (table === "issue") return (events + 3) >> 2;
  if (table === "comment") return events >> 2;
  if (table === "audit") return events;
  return table === "ui_state" ? 1 : 0;
}

/** Where the row with this key would be; `null`: not among those that follow from base events. */
export function baseIndex(table: string, key: Cell): number | null {
  if (table === "audit") return typeof key === "number" ? key - 1 : null;
  if (table === "ui_state") return key === "default" ? 0 : null;
  const digits = /^(?:iss_[0-9a-z]{7}|com_)([0-9a-z]{1,4})$/.exec(String(key));
  return digits ? Number.parseInt(digits[1] as string, 36) : null;
}

/** A row of a table after so many base events. */
export function baseRow(table: string, index: number, events: number): Cell[] {
  if (table === "issue") {
    const created = index * 4 + 1;
    const renamed = events >= created + 1;
    const status = events >= created + 2 ? pick(STATUS, mix(index)) : "open";
    const real = estimate(index);
    return [
      issueId(index),
      renamed ? `${title(index)}, again` : title(index),
      status,
      index % 5,
      index % 3 === 0 ? null : pick(PEOPLE, mix(index)),
      real !== null && Number.isInteger(real) ? { real: real.toFixed(1) } : real,
      JSON.stringify(labels(index)),
      eventTime(created),
    ];
  }
  if (table === "comment") {
    const text = body(index);
    return [
      `com_${index.toString(36)}`,
      issueId(index),
      pick(PEOPLE, mix(index * 3)),
      text.length > 200 ? { text: text.slice(0, 200), length: text.length } : text,
      eventTime(index * 4 + 4),
    ];
  }
  if (table === "audit") {
    const digest = index % 9 === 0 ? null : { blob: mix(index).toString(16).padStart(8, "0").repeat(2), length: 32 };
    return [index + 1, baseEvent(index + 1).name, eventTime(index + 1), digest];
  }
  return ["default", '{"filter":"open","sidebar":true}'];
}

/** The rows that an event changes, if it is committed on top of what `find` finds. */
export function changesOf(
  event: MockEvent,
  number: number,
  find: (table: string, key: Cell) => Cell[] | null,
): RowChange[] {
  const { args } = event;
  const audit: RowChange = { table: "audit", before: null, after: [number, event.name, Date.now(), null] };
  const before = find("issue", String(args["id"]));
  switch (event.name) {
    case "v1.IssueCreated": {
      const after = [
        args["id"],
        args["title"],
        "open",
        args["priority"],
        null,
        args["estimate"] ?? null,
        JSON.stringify(args["labels"]),
        Date.now(),
      ];
      return [{ table: "issue", before: null, after: after as Cell[] }, audit];
    }
    case "v1.IssueRenamed":
      return before ? [{ table: "issue", before, after: before.with(1, String(args["title"])) }, audit] : [audit];
    case "v1.IssueStatusSet":
      return before ? [{ table: "issue", before, after: before.with(2, String(args["status"])) }, audit] : [audit];
    case "v1.IssueClosed":
      return before ? [{ table: "issue", before, after: null }, audit] : [audit];
    case "v1.CommentAdded":
      return [
        {
          table: "comment",
          before: null,
          after: [args["id"], args["issueId"], args["author"], args["body"], Date.now()] as Cell[],
        },
        audit,
      ];
    default: {
      const document = find("ui_state", String(args["id"]));
      return [{ table: "ui_state", before: document, after: [String(args["id"]), JSON.stringify(args["value"])] }];
    }
  }
}

export function isKnownEvent(name: string): boolean {
  return EVENTS.some((event) => event.name === name);
}

/** An event that somebody might commit now. */
export function randomEvent(): MockEvent {
  const issue = Math.floor(Math.random() * (BASE_EVENTS / 4));
  const id = issueId(issue);
  const dice = Math.random();
  if (dice < 0.4)
    return { name: "v1.IssueStatusSet", args: { id, status: pick(STATUS, mix(Date.now())), notify: true } };
  if (dice < 0.7)
    return {
      name: "v1.IssueRenamed",
      args: { id, title: `${pick(VERBS, mix(Date.now()))} ${pick(THINGS, mix(Date.now() * 3))}` },
    };
  return {
    name: "v1.CommentAdded",
    args: {
      id: `com_${Date.now().toString(36)}`,
      issueId: id,
      author: pick(PEOPLE, issue),
      body: "I can make it happen, too.",
    },
  };
}

/** The rows that the base event with this number changes. */
export function baseChanges(number: number): RowChange[] {
  const index = (number - 1) >> 2;
  const audit: RowChange = { table: "audit", before: null, after: baseRow("audit", number - 1, number) };
  if ((number - 1) % 4 === 3)
    return [{ table: "comment", before: null, after: baseRow("comment", index, number) }, audit];
  const before: Cell[] | null = (number - 1) % 4 === 0 ? null : baseRow("issue", index, number - 1);
  return [{ table: "issue", before, after: baseRow("issue", index, number) }, audit];
}
