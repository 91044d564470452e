import { useState } from "preact/hooks";
import { bytes, count, counted } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Sizes } from "../../protocol.ts";
import { Button } from "../../ui/controls.tsx";
import { Failure, Loading } from "../../ui/states.tsx";
import { useBeat, useCall } from "../../ui/use-call.ts";
import { HistogramCard, MaterializerTable } from "./histograms.tsx";

const EVERY_MS = 2_000;

export function PerformancePanel() {
  const { store } = useWorkbench();
  const beat = useBeat(EVERY_MS);
  const { value, error } = useCall(
    (abort) => store.client.call("performance", {}, abort),
    [beat, store.connections.value],
  );
  return (
    <section class="panel-main" aria-labelledby="panel-title">
      <header class="panel-head">
        <h1 id="panel-title">Performance</h1>
        <span class="panel-note">since the devtools were attached</span>
      </header>
      {error !== null && <Failure error={error} />}
      {!value && error === null && <Loading />}
      <div class="scroll padded">
        {value && (
          <>
            <div class="cards two">
              <HistogramCard title="Commits" histogram={value.commits} />
              <HistogramCard title="Queries that are not live" histogram={value.queries} />
            </div>
            <MaterializerTable histograms={value.materializers} />
          </>
        )}
        <SizeSection stateBytes={value?.stateBytes} />
      </div>
    </section>
  );
}

function SizeSection({ stateBytes }: { stateBytes: number | undefined }) {
  const { store } = useWorkbench();
  const [asked, setAsked] = useState(0);
  const { value, error, isLoading } = useCall(
    (abort) => store.client.call("sizes", {}, abort),
    [asked, store.connections.value],
  );
  return (
    <section class="block" aria-labelledby="sizes-title">
      <div class="block-head">
        <h2 id="sizes-title">Size of the log by event name</h2>
        {stateBytes !== undefined && <span class="panel-note">The state has {bytes(stateBytes)} in memory.</span>}
        <span class="block-end">
          <Button icon="sync" tone="quiet" disabled={isLoading} onClick={() => setAsked(asked + 1)}>
            Read again
          </Button>
        </span>
      </div>
      {error !== null && <Failure error={error} />}
      {!value && error === null && <Loading label="Reading the log…" />}
      {value && <SizeTable sizes={value} />}
    </section>
  );
}

function SizeTable({ sizes }: { sizes: Sizes }) {
  const workbench = useWorkbench();
  const all = sizes.events.reduce((sum, event) => sum + event.bytes, 0);
  const events = sizes.events.reduce((sum, event) => sum + event.count, 0);
  return (
    <table class="plain-table">
      <thead>
        <tr>
          <th scope="col">Event</th>
          <th scope="col">Share</th>
          <th scope="col" class="number">
            Bytes of args
          </th>
          <th scope="col" class="number">
            Events
          </th>
          <th scope="col" class="number">
            Each
          </th>
        </tr>
      </thead>
      <tbody>
        {sizes.events.map((event) => (
          <tr key={event.name}>
            <td>
              <button
                type="button"
                class="link mono"
                title="Show these events"
                onClick={() => {
                  workbench.log.filterBy({ names: [event.name] });
                  workbench.panel.value = "log";
                }}
              >
                {event.name}
              </button>
            </td>
            <td>
              <span
                class="bar"
                style={{ "--share": all === 0 ? 0 : event.bytes / all }}
                title={all === 0 ? "" : `${((event.bytes / all) * 100).toFixed(1)} %`}
              />
            </td>
            <td class="number mono">{bytes(event.bytes)}</td>
            <td class="number mono">{count(event.count)}</td>
            <td class="number mono">{bytes(event.count === 0 ? 0 : Math.round(event.bytes / event.count))}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <td>{counted(sizes.events.length, "name")}</td>
          <td />
          <td class="number mono">{bytes(all)}</td>
          <td class="number mono">{count(events)}</td>
          <td class="number mono">{bytes(events === 0 ? 0 : Math.round(all / events))}</td>
        </tr>
      </tfoot>
    </table>
  );
}
