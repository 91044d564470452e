import { useWorkbench } from "../model/workbench.ts";

/** Says what is seen of a store that the host does not have open: its log, and the tables of which event. */
export function FolderBar() {
  const { store } = useWorkbench();
  const folder = store.status.value?.folder;
  if (!folder) return null;
  return (
    <div class="source-bar" role="status">
      <p>
        {folder.isOpen && "Another process has this store open. "}
        {folder.isLive ? "All of this is live: eventlog, data and sync. " : "The eventlog is live. "}
        {folder.isLive ? null : folder.stateHead === null ? (
          "There are no tables to show before the app has written a snapshot."
        ) : (
          <>
            Data and SQL show the last snapshot, as of <strong class="mono">{folder.stateHead}</strong>.
          </>
        )}{" "}
        Serve the devtools from the app to see {folder.isLive ? "" : "its state as it is, its sync, "}the past and live
        queries, and to commit.
      </p>
    </div>
  );
}
