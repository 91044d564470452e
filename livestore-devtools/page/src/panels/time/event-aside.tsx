import { useWorkbench } from "../../model/workbench.ts";
import { Changes } from "../../ui/changes.tsx";
import { Empty, Failure, Loading } from "../../ui/states.tsx";
import type { CallView } from "../../ui/use-call.ts";
import type { EventDetails } from "../../protocol.ts";
import { JsonView, KindBadge } from "../../ui/values.tsx";
import type { EventAtPoint } from "./use-event-at-point.ts";

/** The event that led to the state that is shown. */
export function EventAside({ point: { seq, view } }: { point: EventAtPoint }) {
  return (
    <aside class="detail" aria-label="The event that led to this state">
      {seq === "e0" ? (
        <Empty icon="time" title="The beginning">
          No event has been applied yet.
        </Empty>
      ) : (
        <Body view={view} />
      )}
    </aside>
  );
}

function Body({ view: { value, error } }: { view: CallView<EventDetails | null> }) {
  const workbench = useWorkbench();
  if (error) return <Failure error={error} />;
  if (!value) return <Loading />;
  return (
    <>
      <header class="detail-head">
        <h2>
          <button
            type="button"
            class="link mono seq"
            title="Show it in the eventlog"
            onClick={() => workbench.showEvent(value.event.seq)}
          >
            {value.event.seq}
          </button>
          <span class="mono event-name">{value.event.name}</span>
        </h2>
        {value.event.kind !== "confirmed" && <KindBadge kind={value.event.kind} />}
      </header>
      <div class="scroll">
        <section class="block">
          <div class="block-head">
            <h3>Changes</h3>
          </div>
          <Changes changes={value.changes} />
        </section>
        <section class="block">
          <div class="block-head">
            <h3>Args</h3>
          </div>
          <JsonView value={value.args} />
        </section>
      </div>
    </>
  );
}
