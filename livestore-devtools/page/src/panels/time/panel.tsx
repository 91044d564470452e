import { useEffect } from "preact/hooks";
import { useWorkbench } from "../../model/workbench.ts";
import { Segments } from "../../ui/controls.tsx";
import { Compare } from "./compare.tsx";
import { EventAside } from "./event-aside.tsx";
import { PastTables } from "./past-tables.tsx";
import { Timeline } from "./timeline.tsx";
import { useEventAtPoint } from "./use-event-at-point.ts";

export function TimePanel() {
  const { time } = useWorkbench();
  const point = useEventAtPoint();
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
          <PastTables changes={point.view.value?.changes ?? []} />
          <EventAside point={point} />
        </div>
      ) : (
        <Compare />
      )}
    </section>
  );
}
