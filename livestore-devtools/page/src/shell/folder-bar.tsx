import { useWorkbench } from "../model/workbench.ts";

/** Says what is seen of a store that the host does not have open: its log as it is, its tables as they were. */
export function FolderBar() {
  const { store } = useWorkbench();
  const folder = store.status.value?.folder;
  if (!folder) return null;
  return (
    <div class="source-bar" role="status">
      <p>
        {folder.isOpen && "Another process has this store open. "}
        The eventlog is live.{" "}
        {folder.stateHead === null ? (
          "There are no tables to show before the app has written a snapshot."
        ) : (
          <>
            Data and SQL show the last snapshot, as of <strong class="mono">{folder.stateHead}</strong>.
          </>
        )}{" "}
        Serve the devtools from the app to see its state as it is, the past, live queries and sync.
      </p>
    </div>
  );
}
