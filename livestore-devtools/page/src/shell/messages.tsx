import type { ComponentChildren } from "preact";
import type { ConnectionState } from "../connection/client.ts";
import { VERSION } from "../protocol.ts";
import { Button } from "../ui/controls.tsx";
import { Logo } from "./logo.tsx";

/** A message in place of the page. */
function FullPage({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="full-page">
      <div class="full-page-card">
        <Logo />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

export function NoDoor() {
  return (
    <FullPage title="This address has no token">
      <p>
        The devtools show a store of an app that runs on this machine. Open the whole address that the app, or{" "}
        <code>livestore devtools</code>, has printed: it ends in <code>#token=…</code>.
      </p>
    </FullPage>
  );
}

export function Refused({ because, message }: { because: "badToken" | "otherVersion"; message: string }) {
  if (because === "badToken") {
    return (
      <FullPage title="The token is not valid">
        <p>
          The host does not take this page's token. A host makes a new one each time it starts: open the address that it
          has printed last.
        </p>
      </FullPage>
    );
  }
  return (
    <FullPage title="Page and host are of different versions">
      <p>
        This page speaks version {VERSION} of the devtools protocol, and the host another one. Reload to get the host's
        own page; if that does not help, bring <code>livestore-devtools</code> in the app up to date.
      </p>
      {message && <p class="full-page-detail">{message}</p>}
      <Button tone="main" onClick={() => location.reload()}>
        Reload
      </Button>
    </FullPage>
  );
}

export function Greeting({ state, hostName, onRetry }: { state: ConnectionState; hostName: string; onRetry(): void }) {
  const hasFailed = state.is === "waiting" || (state.is === "connecting" && state.attempts > 0);
  if (!hasFailed) {
    return (
      <FullPage title="Connecting">
        <p role="status">To {hostName}…</p>
      </FullPage>
    );
  }
  return (
    <FullPage title="Nobody answers">
      <p role="status">There is no host at {hostName}. Is the app running? The page goes on trying.</p>
      <Button tone="main" onClick={onRetry}>
        Try now
      </Button>
    </FullPage>
  );
}
