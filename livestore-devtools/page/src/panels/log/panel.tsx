import { useEffect, useRef } from "preact/hooks";
import { count, counted } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import { Button } from "../../ui/controls.tsx";
import { Empty, Failure } from "../../ui/states.tsx";
import { VirtualRows } from "../../ui/virtual-rows.tsx";
import { EventDetail } from "./event-detail.tsx";
import { EventLine, LINE_COLUMNS, LINE_TITLES } from "./event-line.tsx";
import { LogFilters } from "./filters.tsx";
import { ROW_HEIGHT } from "./model.ts";

export function LogPanel() {
  const { log, source } = useWorkbench();
  const total = log.total.value;
  const isFiltered = log.isFiltered.value;
  useLogRefresh();
  void log.all.changes.value;
  const shown = log.count.value;
  return (
    <section class="panel-main" aria-labelledby="panel-title">
      <header class="panel-head">
        <h1 id="panel-title">Eventlog</h1>
        <span class="panel-note">
          {isFiltered
            ? `${count(shown)}${log.found.isComplete.value ? "" : "+"} of ${counted(total, "event")}`
            : counted(total, "event")}
          {source.forkId.value !== null && ` in fork ${source.forkId.value}`}
        </span>
        <LiveTail />
      </header>
      <LogFilters />
      {isFiltered ? <SearchState /> : log.all.error.value !== null && <Failure error={log.all.error.value} />}
      <div class="split-right">
        <div class="grid-area">
          <VirtualRows
            label="Events, the newest first"
            position={log.position}
            count={shown}
            rowHeight={ROW_HEIGHT}
            columnCount={6}
            columns={LINE_COLUMNS}
            fits
            header={LINE_TITLES.map((title, index) => (
              <span class="th" role="columnheader" key={title}>
                <span class={index === 0 ? "visually-hidden" : "th-plain"}>{title}</span>
              </span>
            ))}
            renderRow={(row) => <EventLine event={log.at(row)} next={log.at(row - 1)} selected={log.selected.value} />}
            onRange={(first, end) => log.want(first, end)}
            opensOnMove={log.selected.value !== null}
            onOpen={(row) => {
              log.selected.value = log.at(row)?.seq ?? null;
            }}
          />
          {shown === 0 && !(isFiltered && log.found.isSearching.value) && (
            <Empty icon="log" title={isFiltered ? "No event passes the filter" : "The log is empty"} />
          )}
        </div>
        {log.selected.value && <EventDetail seq={log.selected.value} />}
      </div>
    </section>
  );
}

/** Reads again what is in view when the log changes. */
function useLogRefresh(): void {
  const { log, store, source } = useWorkbench();
  const { head, total, rebases } = store.tail.value;
  const chosen = source.chosen.value;
  const inFork = chosen.kind === "fork" ? `${chosen.fork.id} ${chosen.fork.seqs.length}` : "";
  const connection = store.connections.value;
  const seen = useRef(rebases);
  useEffect(() => {
    log.refresh(seen.current !== rebases);
    seen.current = rebases;
  }, [head, total, rebases, connection, inFork]);
  // Whether events are pending changes without the log's head.
  const pending = `${store.status.value?.pending} ${store.status.value?.upstreamHead}`;
  useEffect(() => {
    if (!log.isFiltered.peek()) log.all.refresh();
  }, [pending]);
  useEffect(() => () => log.all.close(), []);
}

/** Whether one sees new events as they come: at the top of the list. */
function LiveTail() {
  const { log } = useWorkbench();
  const isFollowing = log.position.top.value === 0;
  if (isFollowing) return <span class="tail-state following">live</span>;
  return (
    <Button
      icon="up"
      tone="quiet"
      onClick={() => {
        log.position.top.value = 0;
      }}
    >
      To the newest
    </Button>
  );
}

function SearchState() {
  const { found } = useWorkbench().log;
  if (found.error.value !== null) return <Failure error={found.error.value} />;
  if (!found.isSearching.value) return null;
  return (
    <p class="search-state" role="status">
      Searching{found.searchedTo.value ? `, back to ${found.searchedTo.value}` : ""}…
      <Button tone="quiet" onClick={() => found.stop()}>
        Stop
      </Button>
    </p>
  );
}
