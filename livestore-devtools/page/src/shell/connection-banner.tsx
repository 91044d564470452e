import { useEffect, useState } from "preact/hooks";
import { useWorkbench } from "../model/workbench.ts";
import { Button } from "../ui/controls.tsx";
import { Icon } from "../ui/icons.tsx";

/** Says that the host has gone, while what was read stays in view. */
export function ConnectionBanner({ hostName }: { hostName: string }) {
  const { client } = useWorkbench().store;
  const state = client.state.value;
  const seconds = useCountdown(state.is === "waiting" ? state.retryAt : null);
  if (state.is !== "waiting" && state.is !== "connecting") return null;
  return (
    <div class="connection-banner" role="alert">
      <Icon name="warning" />
      <p>
        The host at {hostName} has gone. What you see is what it said last.{" "}
        {state.is === "connecting" ? "Connecting…" : `Next attempt in ${seconds} s.`}
      </p>
      <Button onClick={() => client.connect()} disabled={state.is === "connecting"}>
        Try now
      </Button>
    </div>
  );
}

/** The whole seconds until `time`. */
export function useCountdown(time: number | null): number {
  const left = () => (time === null ? 0 : Math.max(0, Math.ceil((time - Date.now()) / 1_000)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    if (time === null) return;
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [time]);
  return seconds;
}
