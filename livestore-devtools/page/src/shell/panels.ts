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
  /** What it follows of what is chosen: the state, or a fork alone. */
  follows: "state" | "fork" | "nothing";
  /** What the host has to be able to do for it. */
  needs?: Ability;
}

export const PANELS: { [P in PanelName]: PanelInfo } = {
  data: { label: "Data", component: DataPanel, follows: "state" },
  log: { label: "Eventlog", component: LogPanel, follows: "fork" },
  time: { label: "Time travel", component: TimePanel, follows: "state", needs: "timeTravel" },
  live: { label: "Live queries", component: LivePanel, follows: "nothing", needs: "live" },
  sync: { label: "Sync", component: SyncPanel, follows: "nothing" },
  sql: { label: "SQL", component: SqlPanel, follows: "state" },
  performance: { label: "Performance", component: PerformancePanel, follows: "nothing" },
};
