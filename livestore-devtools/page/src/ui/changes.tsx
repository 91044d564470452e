import { useWorkbench } from "../model/workbench.ts";
import type { RowChange } from "../protocol.ts";
import { ChangeView } from "./values.tsx";

/** The rows that an event has changed. */
export function Changes({ changes }: { changes: RowChange[] | null }) {
  const { store } = useWorkbench();
  if (changes === null)
    return <p class="panel-note">The host does not know the materializers, and so not what the event changed.</p>;
  if (changes.length === 0) return <p class="panel-note">No row: the event had no effect on the state.</p>;
  return (
    <div class="changes">
      {changes.map((change, index) => {
        const table = store.table(change.table);
        return (
          <ChangeView
            key={index}
            columns={table?.columns.map(({ name }) => name) ?? []}
            keys={table?.columns.filter(({ key }) => key > 0).map(({ name }) => name) ?? []}
            change={change}
          />
        );
      })}
    </div>
  );
}
