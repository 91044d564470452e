/**
 * The conversation with the host: `livestore-devtools/src/protocol` in TypeScript. Field for field the
 * same, so that one can be read beside the other.
 */

/** The version of the protocol. Page and host speak the same one, or do not speak at all. */
export const VERSION = 2;

// -- Values ------------------------------------------------------------------

/** A value of a column. */
export type Cell =
  | null
  | number
  | string
  | { integer: string }
  | { real: string }
  | { text: string; length: number }
  | { blob: string; length: number };

/** The state that a call is about. */
export type Source = "now" | { at: string } | { fork: number };

/** A `bigint` is a whole number that a `number` cannot hold. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

// -- Requests ----------------------------------------------------------------

export type Topic = "status" | "log" | "activity";

export interface Sort {
  column: string;
  descending: boolean;
}

export type FilterOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "contains" | "isNull" | "isNotNull";

export interface Filter {
  column: string;
  op: FilterOp;
  value: Cell;
}

export interface EventsPlace {
  /** From this position in the whole log on, which counts from 0. Not with a filter. */
  index?: number;
  after?: string;
  before?: string;
}

export type EventKind = "confirmed" | "pending" | "clientOnly" | "quarantined";

export interface EventFilter {
  names: string[];
  client: string;
  session: string;
  text: string;
  kind: EventKind | null;
}

export type SyncAction = "pause" | "resume" | "reconnect" | "drop" | { delay: number };

/** The params and the result of each method. */
export interface Methods {
  hello: { params: { version: number }; result: Hello };
  subscribe: { params: { topics: Topic[] }; result: Empty };
  cancel: { params: { call: number }; result: Empty };
  schema: { params: Empty; result: SchemaInfo };
  rows: {
    params: { source: Source; table: string; sort: Sort[]; filter: Filter[]; offset: number; limit: number };
    result: RowsPage;
  };
  rowPlace: {
    params: { source: Source; table: string; sort: Sort[]; filter: Filter[]; key: Cell[] };
    result: RowPlace;
  };
  rowHistory: { params: { table: string; key: Cell[] }; result: RowHistory };
  diff: { params: { from: Source; to: Source; limit: number }; result: StateDiff };
  sql: { params: { source: Source; sql: string; limit: number }; result: SqlResult };
  events: { params: EventsPlace & { fork: number | null; limit: number; filter?: EventFilter }; result: EventsPage };
  event: { params: { fork: number | null; seq: string }; result: EventDetails };
  commit: { params: { fork: number | null; name: string; args: Json }; result: CommittedInfo };
  asTest: { params: { fork: number | null; to: string; table: string | null }; result: TestCode };
  fork: { params: { at: string | null }; result: ForkInfo };
  dropFork: { params: { fork: number }; result: Empty };
  live: { params: Empty; result: LiveGraph };
  sync: { params: { action: SyncAction }; result: Empty };
  performance: { params: Empty; result: Performance };
  sizes: { params: Empty; result: Sizes };
  exportEvents: { params: { after: string | null }; result: Lines };
  exportState: { params: { source: Source; offset: number }; result: Piece };
  importEvents: { params: { fork: number | null; lines: string[] }; result: CommittedInfo };
}

export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]["params"];
export type Result<M extends Method> = Methods[M]["result"];
export type Empty = Record<string, never>;

export interface Call {
  id: number;
  method: Method;
  params: Params<Method>;
}

// -- Answers -----------------------------------------------------------------

export type Answer = { id: number; result: unknown } | { id: number; error: Refusal };

export interface Refusal {
  code: RefusalCode;
  message: string;
}

export type RefusalCode =
  "otherVersion" | "badCall" | "notFound" | "sql" | "commit" | "cancelled" | "unsupported" | "store";

export type Ability = "timeTravel" | "commit" | "live" | "sync";

export interface Hello {
  version: number;
  livestore: string;
  schema: string;
  storeId: string;
  clientId: string;
  sessionId: string;
  devtoolsSessionId: string;
  can: Ability[];
}

export interface SchemaInfo {
  tables: TableInfo[];
  events: EventInfo[];
}

export interface TableInfo {
  name: string;
  isDocument: boolean;
  columns: ColumnInfo[];
  sql: string;
  rows: number;
}

export interface ColumnInfo {
  name: string;
  sqlType: string;
  nullable: boolean;
  /** Its place in the primary key, from 1 on; 0 if it is not part of it. */
  key: number;
}

export interface EventInfo {
  name: string;
  fields: FieldInfo[];
  clientOnly: boolean;
  deprecated: string | null;
}

export interface FieldInfo {
  name: string;
  /** Its Rust type; empty if that is not known. */
  type: string;
}

export interface RowsPage {
  columns: string[];
  rows: Cell[][];
  total: number;
  seq: string;
}

export interface RowPlace {
  /** The number of rows before it; null if there is no such row. */
  offset: number | null;
  seq: string;
}

export interface RowChange {
  table: string;
  before: Cell[] | null;
  after: Cell[] | null;
}

export interface RowHistory {
  columns: string[];
  changes: HistoryChange[];
  total: number;
}

export interface HistoryChange {
  event: EventRow;
  before: Cell[] | null;
  after: Cell[] | null;
}

export interface StateDiff {
  tables: TableDiff[];
}

export interface TableDiff {
  table: string;
  columns: string[];
  added: number;
  removed: number;
  changed: number;
  rows: RowChange[];
}

export interface SqlResult {
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
  micros: number;
  plan: PlanStep[];
  seq: string;
}

export interface PlanStep {
  depth: number;
  detail: string;
}

export interface EventsPage {
  events: EventRow[];
  index: number | null;
  total: number;
  more: boolean;
  scanned: string | null;
}

export interface EventRow {
  seq: string;
  name: string;
  /** The start of its args: up to 300 bytes of JSON. */
  args: string;
  argsLength: number;
  clientId: string;
  sessionId: string;
  kind: EventKind;
  /** Whether it is of one commit with the event before it. */
  continues: boolean;
}

export interface EventDetails {
  event: EventRow;
  args: Json;
  parent: string;
  /** How often its client had rebased when it got its number. */
  generation: number;
  schemaHash: string;
  syncMetadata: Json;
  commit: string[];
  quarantined: string | null;
  changes: RowChange[] | null;
}

export interface CommittedInfo {
  seqs: string[];
}

export interface TestCode {
  code: string;
}

export interface ForkInfo {
  fork: number;
  seq: string;
}

export interface LiveGraph {
  nodes: LiveNode[];
  edges: LiveEdge[];
}

export type LiveKind = "table" | "query" | "computed" | "signal";

export interface LiveNode {
  id: string;
  kind: LiveKind;
  label: string;
  tier: string | null;
  reason: string | null;
  runs: number;
  changes: number;
  subscribers: number;
  micros: number;
  lastMicros: number;
  reached: boolean;
  error: string | null;
}

export interface LiveEdge {
  from: string;
  to: string;
}

export interface Performance {
  commits: Histogram;
  queries: Histogram;
  materializers: NamedHistogram[];
  stateBytes: number;
}

export interface Histogram {
  count: number;
  sumMicros: number;
  maxMicros: number;
  /** The number of times from 2^(n-1) to 2^n microseconds, for each n from 0 on. */
  buckets: number[];
}

export interface NamedHistogram extends Histogram {
  name: string;
}

export interface Sizes {
  events: EventSize[];
  stateBytes: number;
}

export interface EventSize {
  name: string;
  count: number;
  bytes: number;
}

export interface Lines {
  lines: string[];
  last: string | null;
}

export interface Piece {
  base64: string;
  total: number;
}

// -- Notifications -----------------------------------------------------------

export type Notification =
  { topic: "status"; data: Status } | { topic: "log"; data: LogTail } | { topic: "activity"; data: Activity[] };

export interface Status {
  localHead: string;
  upstreamHead: string;
  pending: number;
  refused: number;
  network: Network;
  reason: string | null;
  nextAttempt: number | null;
  delay: number;
  /** The one that leads first. */
  sessions: Session[];
  folder: FolderStatus | null;
}

export interface Session {
  id: string;
  leads: boolean;
}

/** A store that is looked at from outside. */
export interface FolderStatus {
  isOpen: boolean;
  /** Whether the app that has it open shows its tables. */
  isLive: boolean;
  stateHead: string | null;
}

export type Network = "none" | "paused" | "connecting" | "pulling" | "online" | "readOnly" | "loginRequired" | "payloadFailed" | "offline" | "stopped";

export interface LogTail {
  head: string;
  total: number;
  rebases: number;
}

export type Activity = { time: number } & ActivityKind;

export type ActivityKind =
  | { kind: "committed"; seqs: string[]; names: string[]; micros: number }
  | { kind: "pushed"; first: string; count: number }
  | { kind: "acknowledged"; last: string }
  | { kind: "pulled"; first: string; count: number; micros: number }
  | { kind: "rebased"; undone: string[]; redone: string[]; upstream: number; micros: number }
  | { kind: "network"; network: Network; reason: string | null }
  | { kind: "quarantined"; seq: string; name: string; reason: string };
