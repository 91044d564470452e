import { useWorkbench } from "../../model/workbench.ts";
import type { EventDetails } from "../../protocol.ts";
import { type CallView, useCall } from "../../ui/use-call.ts";

/** The number of the last event of the state that is shown, and the event. */
export function useEventAtPoint(): { seq: string; view: CallView<EventDetails | null> } {
  const { source, store } = useWorkbench();
  const chosen = source.chosen.value;
  const seq = chosen.kind === "past" ? chosen.seq : chosen.kind === "fork" ? (chosen.fork.seqs.at(-1) ?? chosen.fork.base) : store.tail.value.head;
  const fork = source.forkId.value;
  const view = useCall(
    async (abort) => (seq === "e0" ? null : await store.client.call("event", { fork, seq }, abort)),
    [seq, fork, store.tail.value.rebases, store.connections.value],
  );
  return { seq, view };
}
