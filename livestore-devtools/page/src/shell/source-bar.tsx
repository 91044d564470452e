import { count, counted } from "../lib/format.ts";
import type { ForkState } from "../model/source.ts";
import { useWorkbench } from "../model/workbench.ts";
import { Button, IconButton } from "../ui/controls.tsx";

/** Says that what is shown is not the present, and offers the way back. */
export function SourceBar({ isOfState }: { isOfState: boolean }) {
  const chosen = useWorkbench().source.chosen.value;
  if (chosen.kind === "past") return <PastBar seq={chosen.seq} position={chosen.position} isOfState={isOfState} />;
  if (chosen.kind === "fork") return <ForkBar fork={chosen.fork} isOfState={isOfState} />;
  return null;
}

function PastBar({ seq, position, isOfState }: { seq: string; position: number; isOfState: boolean }) {
  const workbench = useWorkbench();
  const { source, store } = workbench;
  const { total } = store.tail.value;
  return (
    <div class="source-bar" role="status">
      <p>
        {isOfState ? "You see" : "Data, SQL and Time travel show"} the state after <strong class="mono">{seq}</strong>
        <span class="source-bar-place">
          {count(position)} of {counted(total, "event")}
        </span>
      </p>
      <div class="source-bar-actions">
        <IconButton icon="back" label="One event back" disabled={position <= 0} onClick={() => source.step(-1)} />
        <IconButton icon="forward" label="One event on" disabled={position >= total} onClick={() => source.step(1)} />
        <Button icon="fork" onClick={() => void workbench.attempt("There is no fork", () => source.fork(seq))}>
          Fork here
        </Button>
        <Button
          icon="test"
          onClick={() => {
            workbench.overlay.value = { kind: "test", to: seq, fork: null };
          }}
        >
          Open as test
        </Button>
        <Button tone="main" onClick={() => source.now()}>
          Back to now
        </Button>
      </div>
    </div>
  );
}

function ForkBar({ fork, isOfState }: { fork: ForkState; isOfState: boolean }) {
  const workbench = useWorkbench();
  return (
    <div class="source-bar" role="status">
      <p>
        {isOfState ? "You are in" : "Data, Eventlog, SQL and Time travel show"} <strong>fork {fork.id}</strong> of{" "}
        <strong class="mono">{fork.base}</strong>
        <span class="source-bar-place">
          {fork.seqs.length === 0
            ? "nothing committed yet"
            : `${counted(fork.seqs.length, "event")} committed, up to ${fork.seqs.at(-1)}`}
        </span>
      </p>
      <div class="source-bar-actions">
        <Button
          icon="plus"
          onClick={() => {
            workbench.overlay.value = { kind: "commit", name: null, args: {} };
          }}
        >
          Commit into it
        </Button>
        <Button
          title={`What differs between the fork and ${fork.base}`}
          onClick={() => {
            workbench.time.compareFork(fork);
            workbench.panel.value = "time";
          }}
        >
          Compare
        </Button>
        <Button
          icon="test"
          onClick={() => {
            workbench.overlay.value = { kind: "test", to: fork.seqs.at(-1) ?? fork.base, fork: fork.id };
          }}
        >
          Open as test
        </Button>
        <Button
          tone="danger"
          onClick={() =>
            void workbench.attempt(
              "The fork was not dropped",
              () => workbench.source.drop(fork.id),
              `Fork ${fork.id} is gone.`,
            )
          }
        >
          Drop fork
        </Button>
        <Button tone="main" onClick={() => workbench.source.now()}>
          Back to now
        </Button>
      </div>
    </div>
  );
}
