import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { clock, counted, micros } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Activity, ActivityKind } from "../../protocol.ts";
import { Segments } from "../../ui/controls.tsx";
import { NetworkPill } from "../../ui/network-pill.tsx";
import { Empty } from "../../ui/states.tsx";

const SHOWN = { all: "All", rebased: "Rebases", network: "Network" } as const;
/** More lines than one reads; the model remembers some more. */
const MOST_LINES = 300;

/** What the store did, the newest first. */
export function ActivityList() {
  const { store } = useWorkbench();
  const shown = useSignal<keyof typeof SHOWN>("all");
  const activities = store.activities.value
    .filter(({ kind }) => shown.value === "all" || kind === shown.value)
    .slice(0, MOST_LINES);
  return (
    <section class="activity" aria-label="Activity">
      <div class="block-head">
        <h2>Activity</h2>
        <span class="panel-note">since the page was opened</span>
        <Segments
          label="Which activities"
          choices={Object.entries(SHOWN).map(([value, label]) => ({ value: value as keyof typeof SHOWN, label }))}
          value={shown.value}
          onPick={(value) => {
            shown.value = value;
          }}
        />
      </div>
      {activities.length === 0 && <Empty icon="sync" title="Nothing has happened yet" />}
      <ol class="scroll activity-list" tabIndex={0} aria-label="Activities, the newest first">
        {activities.map((activity) => (
          <li key={`${activity.time} ${JSON.stringify(activity)}`} class={`activity-${activity.kind}`}>
            <time class="mono">{clock(activity.time)}</time>
            <span class="activity-kind">{LABELS[activity.kind]}</span>
            <div class="activity-text">
              <Text activity={activity} />
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

const LABELS: { [K in ActivityKind["kind"]]: string } = {
  committed: "commit",
  pushed: "push",
  acknowledged: "accepted",
  pulled: "pull",
  rebased: "rebase",
  network: "network",
  quarantined: "quarantine",
};

function Text({ activity }: { activity: Activity }): ComponentChildren {
  switch (activity.kind) {
    case "committed":
      return (
        <>
          {activity.seqs.map((seq, index) => (
            <span key={seq}>
              <EventLink seq={seq} /> <span class="mono event-name">{activity.names[index]}</span>{" "}
            </span>
          ))}
          <Took time={activity.micros} />
        </>
      );
    case "pushed":
      return (
        <>
          {counted(activity.count, "event")} from <EventLink seq={activity.first} /> on
        </>
      );
    case "acknowledged":
      return (
        <>
          up to <EventLink seq={activity.last} />
        </>
      );
    case "pulled":
      return (
        <>
          {counted(activity.count, "event")} from <EventLink seq={activity.first} /> on <Took time={activity.micros} />
        </>
      );
    case "rebased":
      return (
        <>
          {counted(activity.upstream, "event")} came before {counted(activity.undone.length, "pending one")}{" "}
          <Took time={activity.micros} />
          <ol class="rebase">
            {activity.undone.map((seq, index) => (
              <li key={seq}>
                <del class="mono">{seq}</del>
                <span aria-label="became">→</span>
                <EventLink seq={activity.redone[index] ?? seq} />
              </li>
            ))}
          </ol>
        </>
      );
    case "network":
      return (
        <>
          <NetworkPill network={activity.network} /> {activity.reason}
        </>
      );
    case "quarantined":
      return (
        <>
          <EventLink seq={activity.seq} /> <span class="mono event-name">{activity.name}</span>: {activity.reason}
        </>
      );
  }
}

function Took({ time }: { time: number }) {
  return <span class="took">{micros(time)}</span>;
}

function EventLink({ seq }: { seq: string }) {
  const workbench = useWorkbench();
  return (
    <button type="button" class="link mono" onClick={() => workbench.showEvent(seq, "store")}>
      {seq}
    </button>
  );
}
