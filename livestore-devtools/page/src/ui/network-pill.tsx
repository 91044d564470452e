import type { Network } from "../protocol.ts";

const NETWORKS: { [N in Network]: { label: string; tone: "good" | "busy" | "bad" | "idle" } } = {
  none: { label: "no backend", tone: "idle" },
  paused: { label: "paused", tone: "idle" },
  connecting: { label: "connecting", tone: "busy" },
  pulling: { label: "pulling", tone: "busy" },
  online: { label: "online", tone: "good" },
  readOnly: { label: "read-only", tone: "busy" },
  loginRequired: { label: "login required", tone: "bad" },
  payloadFailed: { label: "no payload", tone: "bad" },
  offline: { label: "offline", tone: "bad" },
  stopped: { label: "stopped", tone: "bad" },
};

export function NetworkPill({ network }: { network: Network }) {
  const { label, tone } = NETWORKS[network] ?? { label: network, tone: "idle" };
  return <span class={`network ${tone}`}>{label}</span>;
}
