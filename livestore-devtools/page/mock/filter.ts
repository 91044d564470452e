import type { EventFilter, EventRow } from "../src/protocol.ts";

/** Whether a filter lets an event through. */
export function passes(row: EventRow, filter: EventFilter): boolean {
  return (
    (filter.names.length === 0 || filter.names.includes(row.name)) &&
    row.clientId.startsWith(filter.client) &&
    row.sessionId.startsWith(filter.session) &&
    row.args.toLowerCase().includes(filter.text.toLowerCase()) &&
    (filter.kind === null || row.kind === filter.kind)
  );
}
