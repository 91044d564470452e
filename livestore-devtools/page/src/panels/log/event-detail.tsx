import type { ComponentChildren } from "preact";
import { bytes, clock } from "../../lib/format.ts";
import { stringifyExact } from "../../lib/exact-json.ts";
import { isSamePlace, parseSeq } from "../../lib/seq.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Activity, EventDetails } from "../../protocol.ts";
import { Button, CopyButton, IconButton } from "../../ui/controls.tsx";
import { Changes } from "../../ui/changes.tsx";
import { Failure, Loading } from "../../ui/states.tsx";
import { useCall } from "../../ui/use-call.ts";
import { JsonView, KindBadge } from "../../ui/values.tsx";

/** One event in full. */
export function EventDetail({ seq }: { seq: string }) {
  const { log, store, source } = useWorkbench();
  const fork = source.forkId.value;
  const status = store.status.value;
  const { value, error } = useCall(
    (abort) => store.client.call("event", { fork, seq }, abort),
    [seq, fork, store.tail.value.rebases, status?.upstreamHead, store.connections.value],
  );
  const isCurrent = value !== undefined && isSamePlace(value.event.seq, seq);
  return (
    <aside class="detail wide" aria-label="Event">
      <header class="detail-head">
        <h2>
          <span class="mono seq">{isCurrent ? value.event.seq : seq}</span>
          {isCurrent && <span class="mono event-name">{value.event.name}</span>}
        </h2>
        <IconButton
          icon="close"
          label="Close the event"
          onClick={() => {
            log.selected.value = null;
          }}
        />
      </header>
      {error !== null && <Failure error={error} />}
      {!value && error === null && <Loading />}
      {value && error === null && <Details details={value} />}
    </aside>
  );
}

function Details({ details }: { details: EventDetails }) {
  const { event } = details;
  return (
    <>
      <Actions seq={event.seq} />
      <div class="scroll">
        {details.quarantined !== null && <Failure error={new Error(`Quarantined: ${details.quarantined}`)} />}
        <Facts details={details} />
        <Block
          title="Args"
          note={bytes(event.argsLength)}
          end={<CopyButton text={stringifyExact(details.args, 2)} label="Copy" />}
        >
          <JsonView value={details.args} />
        </Block>
        <Block title="Changes" note="row by row">
          <Changes changes={details.changes} />
        </Block>
        {details.syncMetadata !== null && details.syncMetadata !== undefined && (
          <Block title="From the backend">
            <JsonView value={details.syncMetadata} />
          </Block>
        )}
      </div>
    </>
  );
}

function Actions({ seq }: { seq: string }) {
  const workbench = useWorkbench();
  const { source, store, overlay } = workbench;
  const fork = source.forkId.value;
  if (!store.can("timeTravel")) return null;
  return (
    <div class="toolbar">
      {fork === null && (
        <>
          <Button
            icon="clock"
            onClick={() => void workbench.attempt("There is no such state", () => source.goToSeq(seq))}
          >
            State after it
          </Button>
          <Button icon="fork" onClick={() => void workbench.attempt("There is no fork", () => source.fork(seq))}>
            Fork here
          </Button>
        </>
      )}
      <Button
        icon="test"
        onClick={() => {
          overlay.value = { kind: "test", to: seq, fork };
        }}
      >
        As test
      </Button>
    </div>
  );
}

function Facts({ details }: { details: EventDetails }) {
  const { store } = useWorkbench();
  const { event } = details;
  // What the number says, too.
  const generation = parseSeq(event.seq)?.generation ?? 0;
  const mates = details.commit.filter((seq) => seq !== event.seq);
  const rebase = store.activities.value.find(
    (activity): activity is Rebase => activity.kind === "rebased" && activity.redone.some((seq) => seq === event.seq),
  );
  return (
    <dl class="facts">
      <Fact name="stands">
        <KindBadge kind={event.kind} />
      </Fact>
      <Fact name="client">{event.clientId}</Fact>
      <Fact name="session">{event.sessionId}</Fact>
      <Fact name="follows">
        <EventLink seq={details.parent} />
      </Fact>
      <Fact name="commit">
        {mates.length === 0
          ? "alone"
          : mates.map((seq) => (
              <span key={seq}>
                {" "}
                <EventLink seq={seq} />
              </span>
            ))}
      </Fact>
      <Fact name="rebase">
        {generation === 0 ? "none" : `generation ${generation}`}
        {rebase && ` · was ${rebase.undone[rebase.redone.indexOf(event.seq)]} until ${clock(rebase.time)}`}
      </Fact>
      <Fact name="schema">{details.schemaHash}</Fact>
    </dl>
  );
}

type Rebase = Extract<Activity, { kind: "rebased" }>;

function EventLink({ seq }: { seq: string }) {
  const workbench = useWorkbench();
  if (seq === "e0") return <>the beginning</>;
  return (
    <button type="button" class="link mono" onClick={() => workbench.showEvent(seq)}>
      {seq}
    </button>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="mono">{children}</dd>
    </div>
  );
}

function Block({
  title,
  note,
  end,
  children,
}: {
  title: string;
  note?: string;
  end?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="block">
      <div class="block-head">
        <h3>{title}</h3>
        {note && <span class="panel-note">{note}</span>}
        {end && <span class="block-end">{end}</span>}
      </div>
      {children}
    </section>
  );
}
