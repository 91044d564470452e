import { useEffect, useRef, useState } from "preact/hooks";
import { bytes, count, counted } from "../lib/format.ts";
import { messageOf } from "../model/notices.ts";
import { useWorkbench } from "../model/workbench.ts";
import { Button } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Failure } from "../ui/states.tsx";
import { exportEvents, exportState } from "./export.ts";
import { importEvents } from "./import.ts";

type Progress = { text: string; share: number | null };
type Work = (onProgress: (progress: Progress) => void, abort: AbortSignal) => Promise<string>;

/** Saves events and state to files, and commits the events of a file. */
export function TransferDialog({ onClose }: { onClose(): void }) {
  const { store, source } = useWorkbench();
  const { client } = store;
  const work = useWork();
  const [file, setFile] = useState<File | null>(null);
  const name = store.hello.value?.storeId ?? "store";
  const fork = source.forkId.value;
  const target = fork === null ? "the store" : `fork ${fork}`;

  const saveEvents: Work = async (onProgress, abort) => {
    const { total } = store.tail.value;
    const show = (done: number) => onProgress({ text: counted(done, "event"), share: done / Math.max(1, total) });
    const events = await exportEvents(client, name, total, show, abort);
    return `Saved ${counted(events, "event")}.`;
  };
  const saveState: Work = async (onProgress, abort) => {
    const size = await exportState(
      client,
      source.wire.value,
      name,
      (share) => onProgress({ text: `${Math.round(share * 100)} %`, share }),
      abort,
    );
    return `Saved the state, ${bytes(size)}.`;
  };
  const load: Work = async (onProgress, abort) => {
    if (!file) return "";
    const seqs = await importEvents(
      client,
      fork,
      file,
      (done, share) => onProgress({ text: counted(done, "event"), share }),
      abort,
    );
    if (fork !== null) source.committedInto(fork, seqs);
    return `Committed ${counted(seqs.length, "event")} to ${target}.`;
  };
  return (
    <Dialog title="Export and import" onClose={onClose}>
      <section class="transfer">
        <h3>Events</h3>
        <p>All {count(store.tail.value.total)} events of the log, a line of JSON each.</p>
        <Button icon="down" disabled={work.isBusy} onClick={() => work.start(saveEvents)}>
          Save events (.jsonl)
        </Button>
      </section>
      <section class="transfer">
        <h3>State</h3>
        <p>The tables as they are shown now, as an SQLite file.</p>
        <Button icon="down" disabled={work.isBusy} onClick={() => work.start(saveState)}>
          Save state (.sqlite)
        </Button>
      </section>
      {store.can("commit") && (
        <section class="transfer">
          <h3>Import</h3>
          <p>
            The events of a file are committed to <strong>{target}</strong> as new events, behind those that are there.
          </p>
          <div class="toolbar">
            <input
              type="file"
              accept=".jsonl,.ndjson,.json,.txt"
              aria-label="A file with a line of JSON for each event"
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
            <Button icon="up" disabled={work.isBusy || !file} onClick={() => work.start(load)}>
              Commit its events
            </Button>
          </div>
        </section>
      )}
      {work.view}
    </Dialog>
  );
}

/** One piece of work at a time, with its progress and a way to stop it; closing the dialog stops it, too. */
function useWork() {
  const [progress, setProgress] = useState<Progress | null>(null);
  const [outcome, setOutcome] = useState<{ error: unknown } | { done: string } | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const start = async (work: Work) => {
    const mine = new AbortController();
    abort.current = mine;
    setOutcome(null);
    setProgress({ text: "Beginning…", share: null });
    try {
      setOutcome({ done: await work(setProgress, mine.signal) });
    } catch (error) {
      // One who closes the browser's own dialog knows that nothing is saved.
      const isDismissed = error instanceof DOMException && error.name === "AbortError" && !mine.signal.aborted;
      if (!isDismissed)
        setOutcome({ error: mine.signal.aborted ? new Error(`It was stopped: ${messageOf(error)}`) : error });
    } finally {
      setProgress(null);
    }
  };
  const view = (
    <div class="transfer-outcome" role="status">
      {progress && (
        <>
          <progress aria-label="Progress" {...(progress.share === null ? {} : { value: progress.share })} max={1} />
          <span class="mono">{progress.text}</span>
          <Button onClick={() => abort.current?.abort()}>Stop</Button>
        </>
      )}
      {outcome && "done" in outcome && <p>{outcome.done}</p>}
      {outcome && "error" in outcome && <Failure error={outcome.error} />}
    </div>
  );
  return { isBusy: progress !== null, start: (work: Work) => void start(work), view };
}
