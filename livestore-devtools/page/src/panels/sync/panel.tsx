import { useState } from "preact/hooks";
import { count, counted } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Status, SyncAction } from "../../protocol.ts";
import { useCountdown } from "../../shell/connection-banner.tsx";
import { Button } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { NetworkPill } from "../../ui/network-pill.tsx";
import { Loading } from "../../ui/states.tsx";
import { ActivityList } from "./activity-list.tsx";

export function SyncPanel() {
  const { store } = useWorkbench();
  const status = store.status.value;
  return (
    <section class="panel-main" aria-labelledby="panel-title">
      <header class="panel-head">
        <h1 id="panel-title">Sync</h1>
      </header>
      {!status && <Loading />}
      {status && (
        <div class="sync">
          <div class="cards">
            <Connection status={status} />
            <Heads status={status} />
            <Sessions status={status} />
          </div>
          <ActivityList />
        </div>
      )}
    </section>
  );
}

function Connection({ status }: { status: Status }) {
  const { store } = useWorkbench();
  const seconds = useCountdown(status.nextAttempt);
  return (
    <section class="card" aria-label="Connection">
      <h2>Connection</h2>
      <p class="card-figure">
        <NetworkPill network={status.network} />
      </p>
      {status.reason && <p class="card-reason">{status.reason}</p>}
      {status.nextAttempt !== null && (
        <p class="panel-note">The next attempt is {seconds > 0 ? `in ${seconds} s` : "now"}.</p>
      )}
      {store.can("sync") && status.network !== "none" && <SyncActions status={status} />}
    </section>
  );
}

function SyncActions({ status }: { status: Status }) {
  const workbench = useWorkbench();
  const act = (action: SyncAction, done: string) =>
    void workbench.attempt("That did not work", () => workbench.store.client.call("sync", { action }), done);
  const isPaused = status.network === "paused";
  const isUp = status.network === "online" || status.network === "pulling" || status.network === "readOnly";
  return (
    <>
      <div class="card-actions">
        {isPaused ? (
          <Button icon="play" tone="main" onClick={() => act("resume", "Sync goes on.")}>
            Resume
          </Button>
        ) : (
          <Button icon="pause" onClick={() => act("pause", "Sync is paused.")}>
            Pause
          </Button>
        )}
        <Button icon="sync" disabled={isPaused || isUp} onClick={() => act("reconnect", "Connecting.")}>
          Reconnect
        </Button>
        <Button
          tone="danger"
          disabled={!isUp}
          title="As a network does; the store connects again by itself"
          onClick={() => act("drop", "The connection is dropped.")}
        >
          Drop
        </Button>
      </div>
      <Delay
        delay={status.delay}
        onSet={(delay) =>
          act(
            { delay },
            delay === 0 ? "Messages are not delayed any more." : `Every message is delayed by ${delay} ms.`,
          )
        }
      />
    </>
  );
}

function Delay({ delay, onSet }: { delay: number; onSet(delay: number): void }) {
  const [text, setText] = useState(String(delay || ""));
  const wanted = Number(text || 0);
  const isValid = Number.isInteger(wanted) && wanted >= 0 && wanted <= 600_000;
  return (
    <form
      class="delay"
      onSubmit={(event) => {
        event.preventDefault();
        if (isValid) onSet(wanted);
      }}
    >
      <label>
        Delay every message by
        <input
          class="input mono"
          inputMode="numeric"
          size={6}
          placeholder="0"
          value={text}
          aria-invalid={!isValid}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        ms
      </label>
      <button type="submit" class="button" disabled={!isValid || wanted === delay}>
        Set
      </button>
      {delay > 0 && <span class="badge pending">delayed by {count(delay)} ms</span>}
    </form>
  );
}

/** The backend's head, and what this client has beyond it. */
function Heads({ status }: { status: Status }) {
  const { log, panel } = useWorkbench();
  if (status.network === "none") {
    return (
      <section class="card" aria-label="Heads">
        <h2>Head</h2>
        <p class="card-figure mono">{status.localHead}</p>
        <p class="panel-note">There is no backend: an event is confirmed as soon as it is committed.</p>
      </section>
    );
  }
  return (
    <section class="card" aria-label="Heads">
      <h2>Heads</h2>
      <div class="heads">
        <div>
          <span class="heads-name">backend</span>
          <strong class="mono">{status.upstreamHead}</strong>
        </div>
        <div class={`heads-link ${status.pending > 0 ? "pending" : ""}`}>
          <span>{status.pending > 0 ? `${count(status.pending)} pending` : "in step"}</span>
        </div>
        <div>
          <span class="heads-name">here</span>
          <strong class="mono">{status.localHead}</strong>
        </div>
      </div>
      {status.pending > 0 && (
        <Button
          tone="quiet"
          onClick={() => {
            log.filterBy({ kind: "pending" });
            panel.value = "log";
          }}
        >
          Show the pending events
        </Button>
      )}
      {status.refused > 0 && (
        <p class="warning">
          <Icon name="warning" />
          The backend has refused {counted(status.refused, "event")} for good.
        </p>
      )}
    </section>
  );
}

/** Who has the store open, and which of them has the log and the connection. */
function Sessions({ status }: { status: Status }) {
  const hello = useWorkbench().store.hello.value;
  const own = hello?.sessionId ?? "";
  const { sessions, folder } = status;
  const leads = sessions.some(({ id, leads }) => leads && id === own);
  return (
    <section class="card" aria-label="Sessions">
      <h2>Sessions</h2>
      {sessions.length === 0 ? (
        <p class="panel-note">
          {folder?.isOpen ? "The process that has the store open does not say." : "No process has the store open."}
        </p>
      ) : (
        <>
          <p class="card-figure">
            {leads ? "This session leads" : sessions.some((each) => each.leads) ? "Another session leads" : "No session leads"}
          </p>
          <p class="panel-note">The one that leads has the log and the connection; the others follow it.</p>
          <ul class="sessions">
            {sessions.map(({ id, leads }) => (
              <li key={id}>
                {leads ? <Icon name="leader" /> : <span class="sessions-space" />}
                <span class="mono">{id}</span>
                {leads && <span class="badge">leads</span>}
                {id === own && <span class="badge">this app</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      {hello?.devtoolsSessionId && (
        <dl class="facts">
          <div>
            <dt>devtools commit as</dt>
            <dd class="mono">{hello.devtoolsSessionId}</dd>
          </div>
        </dl>
      )}
    </section>
  );
}
