import { useSignal } from "@preact/signals";
import { counted } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import { Empty, Failure, Loading } from "../../ui/states.tsx";
import { useBeat, useCall, useThrottled } from "../../ui/use-call.ts";
import { Graph } from "./graph.tsx";
import { concernOf } from "./judge.ts";
import { NodeList } from "./node-list.tsx";

/** A graph is read again after a commit, and as subscribers may come and go without one, now and then. */
const AFTER_COMMIT_MS = 250;
const NOW_AND_THEN_MS = 2_000;

export function LivePanel() {
  const { store } = useWorkbench();
  const selected = useSignal<string | null>(null);
  const head = useThrottled(store.tail.value.head, AFTER_COMMIT_MS);
  const beat = useBeat(NOW_AND_THEN_MS);
  const { value, error } = useCall(
    (abort) => store.client.call("live", {}, abort),
    [head, beat, store.connections.value],
  );
  const concerns = value?.nodes.filter((node) => concernOf(node) !== null).length ?? 0;
  return (
    <section class="panel-main" aria-labelledby="panel-title">
      <header class="panel-head">
        <h1 id="panel-title">Live queries</h1>
        {value && (
          <span class="panel-note">
            {counted(value.nodes.filter(({ kind }) => kind === "query").length, "query", "queries")}
            {concerns > 0 && ` · ${counted(concerns, "concern")}`}
          </span>
        )}
        <Legend />
      </header>
      {error !== null && <Failure error={error} />}
      {!value && error === null && <Loading />}
      {value && value.nodes.length === 0 && <Empty icon="live" title="The app has no live query now" />}
      {value && value.nodes.length > 0 && (
        <div class="live">
          <Graph graph={value} selected={selected} />
          <NodeList nodes={value.nodes} selected={selected} />
        </div>
      )}
    </section>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label="What the colours mean">
      <li class="reached">the last commit reached it</li>
      <li class="concern">stands out</li>
    </ul>
  );
}
