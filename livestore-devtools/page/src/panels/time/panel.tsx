import { useEffect } from "preact/hooks";
import { useWorkbench } from "../../model/workbench.ts";
import { Segments } from "../../ui/controls.tsx";
import { Compare } from "./compare.tsx";
import { EventAtPoint } from "./event-at-point.tsx";
import { PastTables } from "./past-tables.tsx";
import { Timeline } from "./timeline.tsx";

export function TimePanel() {
  const { time } = useWorkbench();
  useEffect(() => () => time.pause(), []);
  return (
    <section class="panel-main" aria-labelledby="panel-title">
      <header class="panel-head">
        <h1 id="panel-title">Time travel</h1>
        <Segments
          label="What to show"
          choices={[
            { value: "tables", label: "Tables" },
            { value: "compare", label: "Compare" },
          ]}
          value={time.view.value}
          onPick={(view) => {
            time.view.value = view;
          }}
        />
      </header>
      <Timeline />
      {time.view.value === "tables" ? (
        <div class="split-right time-split">
          <PastTables />
          <EventAtPoint />
        </div>
      ) : (
        <Compare />
      )}
    </section>
  );
}
