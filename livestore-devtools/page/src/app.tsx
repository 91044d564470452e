import { type Workbench, WorkbenchProvider } from "./model/workbench.ts";
import { Overlays } from "./shell/overlays.tsx";
import { ConnectionBanner } from "./shell/connection-banner.tsx";
import { FolderBar } from "./shell/folder-bar.tsx";
import { Greeting, Refused } from "./shell/messages.tsx";
import { Notices } from "./shell/notices.tsx";
import { PANELS } from "./shell/panels.ts";
import { Rail } from "./shell/rail.tsx";
import { useShortcuts } from "./shell/shortcuts.ts";
import { SourceBar } from "./shell/source-bar.tsx";
import { TopBar } from "./shell/top-bar.tsx";

export function App({ workbench, hostName }: { workbench: Workbench; hostName: string }) {
  const state = workbench.store.client.state.value;
  useShortcuts(workbench);
  if (state.is === "refused") return <Refused because={state.because} message={state.message} />;
  // Once there has been a connection, what was read stays in view while the host is away.
  if (!workbench.store.hello.value)
    return <Greeting state={state} hostName={hostName} onRetry={() => workbench.store.client.connect()} />;
  const wanted = PANELS[workbench.panel.value];
  const { component: Panel, follows } = !wanted.needs || workbench.store.can(wanted.needs) ? wanted : PANELS.data;
  const isOfState = follows === "state" || (follows === "fork" && workbench.source.forkId.value !== null);
  return (
    <WorkbenchProvider value={workbench}>
      <div class="app" data-source={workbench.source.chosen.value.kind}>
        <TopBar />
        <ConnectionBanner hostName={hostName} />
        <FolderBar />
        <SourceBar isOfState={isOfState} />
        <div class="app-body">
          <Rail />
          <main id="panel" class={isOfState ? "panel" : "panel of-now"} aria-labelledby="panel-title">
            <Panel />
          </main>
        </div>
        <Notices />
        <Overlays />
      </div>
    </WorkbenchProvider>
  );
}
