import { CommitDialog } from "../commit/dialog.tsx";
import { useWorkbench } from "../model/workbench.ts";
import { TestDialog } from "../panels/time/test-dialog.tsx";
import { TransferDialog } from "../transfer/dialog.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { SHORTCUTS } from "./shortcuts.ts";

export function Overlays() {
  const { overlay } = useWorkbench();
  const open = overlay.value;
  const close = () => {
    overlay.value = null;
  };
  switch (open?.kind) {
    case undefined:
      return null;
    case "commit":
      return <CommitDialog name={open.name} args={open.args} onClose={close} />;
    case "transfer":
      return <TransferDialog onClose={close} />;
    case "test":
      return <TestDialog to={open.to} fork={open.fork} onClose={close} />;
    case "shortcuts":
      return (
        <Dialog title="Keyboard shortcuts" onClose={close}>
          <dl class="shortcuts">
            {SHORTCUTS.map(({ key, shown, label }) => (
              <div key={key}>
                <dt>{label}</dt>
                <dd>
                  <kbd>{shown ?? key}</kbd>
                </dd>
              </div>
            ))}
            <div>
              <dt>In a list: move, open</dt>
              <dd>
                <kbd>↑</kbd> <kbd>↓</kbd> <kbd>Enter</kbd>
              </dd>
            </div>
            <div>
              <dt>In SQL: run</dt>
              <dd>
                <kbd>Ctrl</kbd> <kbd>Enter</kbd>
              </dd>
            </div>
          </dl>
        </Dialog>
      );
  }
}
