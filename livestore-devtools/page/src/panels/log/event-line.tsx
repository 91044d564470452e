import { shortId } from "../../lib/format.ts";
import { isSamePlace } from "../../lib/seq.ts";
import type { EventRow } from "../../protocol.ts";
import { KindBadge } from "../../ui/values.tsx";

export const LINE_COLUMNS = "18px 104px minmax(120px, 200px) minmax(0, 1fr) 178px 104px";
export const LINE_TITLES = ["commit", "seq", "event", "args", "client · session", "stands"];

interface EventLineProps {
  event: EventRow | undefined;
  /** The event after it, which is above it in the list. */
  next: EventRow | undefined;
  selected: string | null;
}

/** An event in one line. Events of one commit are joined by a bracket. */
export function EventLine({ event, next, selected }: EventLineProps) {
  if (!event) {
    return (
      <span class="td waiting" role="gridcell">
        …
      </span>
    );
  }
  const isSelected = selected !== null && isSamePlace(selected, event.seq);
  const bracket = `bracket ${event.continues ? "down" : ""} ${next?.continues ? "up" : ""}`;
  return (
    <>
      <span class={`td ${isSelected ? "is-selected" : ""}`} role="gridcell">
        <span class={bracket} title={event.continues || next?.continues ? "One commit" : undefined} />
      </span>
      <span class="td mono seq" role="gridcell">
        {event.seq}
      </span>
      <span class="td mono event-name" role="gridcell" title={event.name}>
        {event.name}
      </span>
      <span class="td mono args" role="gridcell">
        {event.args}
        {event.argsLength > event.args.length && "…"}
      </span>
      <span class="td mono who" role="gridcell" title={`client ${event.clientId}, session ${event.sessionId}`}>
        {shortId(event.clientId)} · {shortId(event.sessionId)}
      </span>
      <span class="td" role="gridcell">
        {event.kind === "confirmed" ? <span class="confirmed-mark">confirmed</span> : <KindBadge kind={event.kind} />}
      </span>
    </>
  );
}
