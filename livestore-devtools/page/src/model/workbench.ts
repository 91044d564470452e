import { effect, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Client } from "../connection/client.ts";
import { DataModel } from "../panels/data/model.ts";
import { LogModel } from "../panels/log/model.ts";
import { SqlModel } from "../panels/sql/model.ts";
import { TimeModel } from "../panels/time/model.ts";
import type { Json } from "../protocol.ts";
import { Notices } from "./notices.ts";
import { SourceModel } from "./source.ts";
import { StoreModel } from "./store.ts";

export const PANEL_NAMES = ["data", "log", "time", "live", "sync", "sql", "performance"] as const;
export type PanelName = (typeof PANEL_NAMES)[number];

const PANEL = "livestore-devtools-panel";

/** What is open over the panels. */
export type Overlay =
  | { kind: "shortcuts" }
  | { kind: "commit"; name: string | null; args: { [key: string]: Json } }
  | { kind: "transfer" }
  | { kind: "test"; to: string; fork: number | null };

/** All that outlives a panel: one goes away from it and comes back, and it is as it was. */
export class Workbench {
  readonly store: StoreModel;
  readonly source: SourceModel;
  readonly notices = new Notices();
  readonly panel = signal<PanelName>(readPanel());
  readonly overlay = signal<Overlay | null>(null);
  readonly data: DataModel;
  readonly log: LogModel;
  readonly time: TimeModel;
  readonly sql: SqlModel;

  constructor(client: Client) {
    this.store = new StoreModel(client);
    this.source = new SourceModel(this.store);
    this.source.onForksLost = (count) =>
      this.notices.done(`The connection was lost, and with it ${count === 1 ? "the fork" : `${count} forks`}.`);
    this.data = new DataModel(this.store, this.source);
    this.log = new LogModel(this.store, this.source);
    this.time = new TimeModel(this.store, this.source);
    this.sql = new SqlModel(this.store, this.source);
    effect(() => sessionStorage.setItem(PANEL, this.panel.value));
  }

  /** Shows an event in the store's log, or that of the fork that one is in. */
  showEvent(seq: string, where: "store" | "here" = "here"): void {
    if (where === "store" && this.source.forkId.value !== null) this.source.now();
    const fork = this.source.forkId.value;
    this.log.selected.value = seq;
    this.panel.value = "log";
    void this.attempt("The event was not found", async () =>
      this.log.reveal((await this.source.positionOf(seq, fork)) - 1),
    );
  }

  /** Does something at the host, and says so if that fails. */
  async attempt(what: string, action: () => Promise<unknown>, done?: string): Promise<boolean> {
    try {
      await action();
      if (done) this.notices.done(done);
      return true;
    } catch (error) {
      this.notices.failed(what, error);
      return false;
    }
  }
}

/** A page that is reloaded shows the panel that it showed before. */
function readPanel(): PanelName {
  return PANEL_NAMES.find((name) => name === sessionStorage.getItem(PANEL)) ?? "data";
}

const Context = createContext<Workbench | null>(null);
export const WorkbenchProvider = Context.Provider;

export function useWorkbench(): Workbench {
  const workbench = useContext(Context);
  if (!workbench) throw new Error("there is no workbench above this component");
  return workbench;
}
