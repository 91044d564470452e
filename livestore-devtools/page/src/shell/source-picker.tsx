import { useWorkbench } from "../model/workbench.ts";
import { Icon } from "../ui/icons.tsx";

/** Which state the panels show: the present one, a past one, a fork. */
export function SourcePicker() {
  const { source, store, panel } = useWorkbench();
  const chosen = source.chosen.value;
  if (!store.can("timeTravel")) return null;
  return (
    <div class="source-picker" role="group" aria-label="The state that is shown">
      <button
        type="button"
        class="source-now"
        aria-pressed={chosen.kind === "now"}
        title="The present state"
        onClick={() => source.now()}
      >
        <span class="source-dot" />
        Now
      </button>
      <button
        type="button"
        class="source-past"
        aria-pressed={chosen.kind === "past"}
        title="A state of the past"
        onClick={() => {
          if (chosen.kind !== "past") source.goTo(source.position.value);
          panel.value = "time";
        }}
      >
        <Icon name="clock" />
        {chosen.kind === "past" ? chosen.seq : "Past"}
      </button>
      {source.forks.value.map((fork) => (
        <button
          type="button"
          key={fork.id}
          class="source-fork"
          aria-pressed={chosen.kind === "fork" && chosen.fork.id === fork.id}
          title={`A fork of ${fork.base}`}
          onClick={() => source.enter(fork)}
        >
          <Icon name="fork" />
          Fork {fork.id}
        </button>
      ))}
    </div>
  );
}
