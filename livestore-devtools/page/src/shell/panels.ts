import type { FunctionComponent } from "preact";
import type { PanelName } from "../model/workbench.ts";
import { DataPanel } from "../panels/data/panel.tsx";
import { LivePanel } from "../panels/live/panel.tsx";
import { LogPanel } from "../panels/log/panel.tsx";
import { PerformancePanel } from "../panels/performance/panel.tsx";
import { SqlPanel } from "../panels/sql/panel.tsx";
import { SyncPanel } from "../panels/sync/panel.tsx";
import { TimePanel } from "../panels/time/panel.tsx";
import type { Ability } from "../protocol.ts";

interface PanelInfo {
  label: string;
  component: FunctionComponent;
  /** Whether it shows the state that is chosen, and not only the present. */
  isOfState: boolean;
  /** What the host has to be able to do for it. */
  needs?: Ability;
}

export const PANELS: { [P in PanelName]: PanelInfo } = {
  data: { label: "Data", component: DataPanel, isOfState: true },
  log: { label: "Eventlog", component: LogPanel, isOfState: false },
  time: { label: "Time travel", component: TimePanel, isOfState: true, needs: "timeTravel" },
  live: { label: "Live queries", component: LivePanel, isOfState: false, needs: "live" },
  sync: { label: "Sync", component: SyncPanel, isOfState: false },
  sql: { label: "SQL", component: SqlPanel, isOfState: true },
  performance: { label: "Performance", component: PerformancePanel, isOfState: false },
};
