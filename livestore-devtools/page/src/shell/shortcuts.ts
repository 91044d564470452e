import { useEffect } from "preact/hooks";
import { switchTheme } from "../model/theme.ts";
import { PANEL_NAMES, type Workbench } from "../model/workbench.ts";
import { PANELS } from "./panels.ts";

interface Shortcut {
  /** As `KeyboardEvent.key` has it. */
  key: string;
  /** As people read it, if that is not the key. */
  shown?: string;
  label: string;
  run(workbench: Workbench): void;
}

const canTravel = ({ store }: Workbench) => store.can("timeTravel");

export const SHORTCUTS: Shortcut[] = [
  ...PANEL_NAMES.map((name, index) => ({
    key: String(index + 1),
    label: PANELS[name].label,
    run: ({ panel, store }: Workbench) => {
      const { needs } = PANELS[name];
      if (!needs || store.can(needs)) panel.value = name;
    },
  })),
  { key: "/", label: "Go to the filter", run: () => focusSearch() },
  {
    key: "c",
    label: "Commit an event",
    run: ({ overlay, store }) => {
      if (store.can("commit")) overlay.value = { kind: "commit", name: null, args: {} };
    },
  },
  {
    key: "Escape",
    shown: "Esc",
    label: "Close what is open",
    run: ({ log, data }) => {
      log.selected.value = null;
      data.open.value = null;
    },
  },
  { key: "[", label: "One event back", run: (workbench) => canTravel(workbench) && workbench.source.step(-1) },
  { key: "]", label: "One event on", run: (workbench) => canTravel(workbench) && workbench.source.step(1) },
  { key: "n", label: "Back to now", run: ({ source }) => source.now() },
  { key: "p", label: "Play or pause", run: (workbench) => canTravel(workbench) && workbench.time.toggle() },
  {
    key: "f",
    label: "Fork at what is shown",
    run: (workbench) => {
      if (!canTravel(workbench)) return;
      const chosen = workbench.source.chosen.value;
      void workbench.attempt("There is no fork", () =>
        workbench.source.fork(chosen.kind === "past" ? chosen.seq : null),
      );
    },
  },
  {
    key: "e",
    label: "Export and import",
    run: ({ overlay }) => {
      overlay.value = { kind: "transfer" };
    },
  },
  { key: "t", label: "Dark or light", run: () => switchTheme() },
  {
    key: "?",
    label: "These shortcuts",
    run: ({ overlay }) => {
      overlay.value = { kind: "shortcuts" };
    },
  },
];

/** Listens for the shortcuts, wherever the focus is but in a field or a dialog. */
export function useShortcuts(workbench: Workbench): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (workbench.overlay.value !== null || isField(event.target)) return;
      const shortcut = SHORTCUTS.find(({ key }) => key === event.key);
      if (!shortcut || !workbench.store.hello.value) return;
      event.preventDefault();
      shortcut.run(workbench);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [workbench]);
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches("input:not([type=range]), textarea, select, [contenteditable]")
  );
}

function focusSearch(): void {
  const search = document.querySelector("[data-focus-target=search]");
  if (search instanceof HTMLInputElement) {
    search.focus();
    search.select();
  }
}
