import { count } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import { Button, IconButton, Segments } from "../../ui/controls.tsx";
import { type Mark, SPEEDS } from "./model.ts";

/** The slider over the log, with what moves it. */
export function Timeline() {
  const workbench = useWorkbench();
  const { source, store, time } = workbench;
  const { total } = store.tail.value;
  const position = source.position.value;
  const chosen = source.chosen.value;
  const isPlaying = time.isPlaying.value;
  return (
    <div class="timeline">
      <div class="timeline-track">
        <Marks total={total} />
        <input
          type="range"
          aria-label="The number of events up to the state that is shown"
          aria-valuetext={`after ${count(position)} of ${count(total)} events`}
          min={0}
          max={total}
          step={1}
          value={position}
          style={{ "--at": `${total === 0 ? 0 : (position / total) * 100}%` }}
          onInput={(event) => {
            time.pause();
            source.goTo(event.currentTarget.valueAsNumber);
          }}
        />
      </div>
      <div class="timeline-controls">
        <IconButton icon="first" label="To the beginning" disabled={position === 0} onClick={() => source.goTo(0)} />
        <IconButton icon="back" label="One event back" disabled={position === 0} onClick={() => source.step(-1)} />
        <IconButton
          icon={isPlaying ? "pause" : "play"}
          label={isPlaying ? "Pause" : "Play"}
          pressed={isPlaying}
          onClick={() => time.toggle()}
        />
        <IconButton icon="forward" label="One event on" disabled={position >= total} onClick={() => source.step(1)} />
        <IconButton
          icon="last"
          label="To the last event"
          disabled={position >= total}
          onClick={() => source.goTo(total)}
        />
        <Segments
          label="Events a second"
          choices={SPEEDS.map((speed) => ({ value: speed as number, label: `${speed}/s` }))}
          value={time.speed.value}
          onPick={(speed) => time.setSpeed(speed)}
        />
        <GoTo />
        <p class="timeline-place" aria-live="off">
          <strong class="mono">
            {chosen.kind === "past" ? chosen.seq : chosen.kind === "fork" ? chosen.fork.base : store.tail.value.head}
          </strong>
          <span>
            {count(position)} of {count(total)}
          </span>
        </p>
        <div class="timeline-marks">
          <Button title="Compare from here" onClick={() => time.mark("from")}>
            Mark A{time.from.value && `: ${time.from.value.label}`}
          </Button>
          <Button title="Compare up to here" onClick={() => time.mark("to")}>
            Mark B{time.to.value && `: ${time.to.value.label}`}
          </Button>
          {(time.from.value ?? time.to.value) && (
            <IconButton icon="close" label="Clear the marks" onClick={() => time.clearMarks()} />
          )}
        </div>
      </div>
    </div>
  );
}

function Marks({ total }: { total: number }) {
  const { time } = useWorkbench();
  const { from, to } = { from: time.from.value, to: time.to.value };
  const at = (mark: Mark) => `${total === 0 ? 0 : (mark.position / total) * 100}%`;
  return (
    <div class="timeline-marks-layer" aria-hidden="true">
      {from && to && <span class="mark-range" style={{ left: at(from), right: `calc(100% - ${at(to)})` }} />}
      {from && (
        <span class="mark from" style={{ left: at(from) }}>
          A
        </span>
      )}
      {to && (
        <span class="mark" style={{ left: at(to) }}>
          B
        </span>
      )}
    </div>
  );
}

/** Goes to an event by its number, or to a position. */
function GoTo() {
  const workbench = useWorkbench();
  const { source } = workbench;
  const go = (text: string) => {
    const wanted = text.trim().replaceAll(",", "");
    if (/^\d+$/.test(wanted)) source.goTo(Number(wanted));
    else if (wanted !== "") void workbench.attempt(`There is no event ${wanted}`, () => source.goToSeq(wanted));
  };
  return (
    <input
      class="input mono go-to"
      aria-label="Go to an event: its number, or the count of events"
      placeholder="go to e12"
      spellcheck={false}
      onKeyDown={(event) => event.key === "Enter" && go(event.currentTarget.value)}
    />
  );
}
