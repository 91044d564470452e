import { useWorkbench } from "../../model/workbench.ts";
import type { EventDetails } from "../../protocol.ts";
import { type CallView, useCall, useThrottled } from "../../ui/use-call.ts";

export interface EventAtPoint {
  /** The number of the last event of the state that is shown. */
  seq: string;
  /** The event; `null` at the beginning. */
  view: CallView<EventDetails | null>;
}

/** What an event changed costs the host a replay: of those that one passes quickly, not every one is asked for. */
const AT_MOST_EVERY_MS = 50;

export function useEventAtPoint(): EventAtPoint {
  const { source, store } = useWorkbench();
  const chosen = source.chosen.value;
  const here =
    chosen.kind === "past"
      ? chosen.seq
      : chosen.kind === "fork"
        ? (chosen.fork.seqs.at(-1) ?? chosen.fork.base)
        : store.tail.value.head;
  const seq = useThrottled(here, AT_MOST_EVERY_MS);
  const fork = source.forkId.value;
  const view = useCall(
    async (abort) => (seq === "e0" ? null : await store.client.call("event", { fork, seq }, abort)),
    [seq, fork, store.tail.value.rebases, store.connections.value],
  );
  return { seq, view };
}
