import { count } from "../lib/format.ts";
import { switchTheme, theme } from "../model/theme.ts";
import { useWorkbench } from "../model/workbench.ts";
import { Button, IconButton } from "../ui/controls.tsx";
import { NetworkPill } from "../ui/network-pill.tsx";
import { Logo } from "./logo.tsx";
import { SourcePicker } from "./source-picker.tsx";

export function TopBar() {
  const workbench = useWorkbench();
  const { store, overlay } = workbench;
  const hello = store.hello.value;
  const status = store.status.value;
  return (
    <header class="top-bar">
      <Logo />
      <div class="top-bar-store">
        <strong title={hello?.storeId}>{hello?.storeId}</strong>
        <span>{hello?.schema}</span>
      </div>
      <SourcePicker />
      <div class="top-bar-end">
        {status && (
          <button
            type="button"
            class="top-bar-status"
            title="Show the Sync panel"
            onClick={() => {
              workbench.panel.value = "sync";
            }}
          >
            <NetworkPill network={status.network} />
            {status.pending > 0 && <span class="badge pending">{count(status.pending)} pending</span>}
          </button>
        )}
        {store.can("commit") && (
          <Button
            icon="plus"
            onClick={() => {
              overlay.value = { kind: "commit", name: null, args: {} };
            }}
          >
            Commit
          </Button>
        )}
        <IconButton
          icon="transfer"
          label="Export and import"
          onClick={() => {
            overlay.value = { kind: "transfer" };
          }}
        />
        <IconButton
          icon={theme.value === "dark" ? "sun" : "moon"}
          label={theme.value === "dark" ? "Light colours" : "Dark colours"}
          onClick={switchTheme}
        />
        <IconButton
          icon="help"
          label="Keyboard shortcuts"
          onClick={() => {
            overlay.value = { kind: "shortcuts" };
          }}
        />
      </div>
    </header>
  );
}
